/**
 * Something may have been lost on the way to this node: tell the devices that are here where their conversations stand.
 * A device that has less fetches the rest; one that has it all does nothing. The store is asked in chunks, at most one
 * round at a time, and until it answers.
 */
import { type ChatContext, sync } from '@flotilla/chat'
import type { Event } from '@flotilla/protocol'
import type { Logger } from '@flotilla/service'
import type { Hub } from './hub.ts'

/** Clocks of nodes and of the store differ by less than this. */
const clockMarginMs = 5_000
const retryMs = 1_000

export interface Healer {
  /** @param sinceMs milliseconds since 1970, by the clock of this node */
  suspect(sinceMs: number): void
  readonly stats: { rounds: number; heads: number }
  stop(): void
}

export function createHealer(chat: ChatContext, hub: Hub, logger: Logger): Healer {
  const stats = { rounds: 0, heads: 0 }
  let since: number | undefined
  let running = false
  let stopped = false
  const isStopped = () => stopped

  async function round(from: number) {
    stats.rounds++
    const epoch = chat.epoch()
    for await (const moved of sync.movedSince(chat, [...hub.users()], from - clockMarginMs)) {
      for (const [user, heads] of moved) {
        stats.heads += heads.length
        hub.deliver([user], JSON.stringify({ event: 'sync.heads', epoch, heads } satisfies Event), {
          conversation: '',
          seq: 0,
        })
      }
    }
  }

  async function run() {
    running = true
    while (since !== undefined && !isStopped()) {
      const from = since
      since = undefined
      try {
        await round(from)
        logger.info(
          { since: new Date(from).toISOString(), ...stats },
          'told the devices here where their conversations stand',
        )
      } catch (error) {
        since = Math.min(from, since ?? from)
        logger.warn({ err: error }, 'unable to read where the conversations stand; trying again')
        await new Promise(resolve => setTimeout(resolve, retryMs))
      }
    }
    running = false
  }

  return {
    suspect(sinceMs) {
      since = Math.min(sinceMs, since ?? sinceMs)
      if (!running) void run()
    },
    stats,
    stop() {
      stopped = true
    },
  }
}
