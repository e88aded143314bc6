/** The broker on Redis: PUBLISH and SUBSCRIBE on one server, SPUBLISH and SSUBSCRIBE on a cluster. */
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import type { RoutingLogger } from './logger.ts'
import type { RedisLink, Subscription } from './redis-link.ts'
import type { Seal } from './seal.ts'

/** Between two attempts to open the inbox. */
const retryMsMin = 25
const retryMsMax = 1_000

export function createRedisBroker(link: RedisLink, seal: Seal, clock: Clock, logger: RoutingLogger): Broker {
  const listeners: ((state: 'up' | 'down') => void)[] = []
  let state: 'up' | 'down' = 'down'
  let current: Subscription | undefined
  let closed = false
  let stopWaiting = () => {}
  let keeping: Promise<void> | undefined

  const become = (next: 'up' | 'down') => {
    if (state === next) return
    state = next
    for (const listener of listeners) listener(next)
  }

  async function keepOpen(channel: string, onEnvelope: (bytes: Buffer) => void): Promise<void> {
    let retryMs = retryMsMin
    for (const isOpen = () => !closed; isOpen(); ) {
      try {
        const subscription = await link.subscribe(channel, onEnvelope)
        if (closed) return subscription.end()
        current = subscription
        retryMs = retryMsMin
        become('up')
        await subscription.ended
        current = undefined
        become('down')
      } catch (error) {
        logger.debug({ err: error, channel }, 'unable to open the inbox')
      }
      if (closed) return
      await new Promise<void>(resolve => {
        const callOff = clock.after(retryMs, resolve)
        stopWaiting = () => {
          callOff()
          resolve()
        }
      })
      retryMs = Math.min(retryMs * 2, retryMsMax)
    }
  }

  return {
    subscribe(inbox, onEnvelope) {
      const channel = `inbox:${inbox}`
      keeping = keepOpen(channel, bytes => {
        if (!closed) onEnvelope(seal.open(bytes, channel))
      })
    },
    publish: (inbox, text) => link.publish(`inbox:${inbox}`, seal.seal(text, `inbox:${inbox}`)),
    state: () => state,
    onState: listener => void listeners.push(listener),
    renew() {
      become('down')
      current?.end()
    },
    async close() {
      closed = true
      stopWaiting()
      current?.end()
      become('down')
      await keeping
    },
  }
}
