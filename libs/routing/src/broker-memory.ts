/** The broker inside one process. Nodes that share the inboxes reach each other. */
import type { Broker } from './broker.ts'

export type MemoryInboxes = Map<string, (text: string) => void>

export function createMemoryBroker(inboxes: MemoryInboxes): Broker {
  const listeners: ((state: 'up' | 'down') => void)[] = []
  let own: { inbox: string; onEnvelope: (text: string) => void } | undefined

  const tell = (state: 'up' | 'down') => {
    for (const listener of listeners) listener(state)
  }
  const isOpen = () => own !== undefined && inboxes.get(own.inbox) === own.onEnvelope
  const open = () => {
    if (own === undefined || isOpen()) return
    inboxes.set(own.inbox, own.onEnvelope)
    tell('up')
  }
  const shut = () => {
    if (own === undefined || !isOpen()) return
    inboxes.delete(own.inbox)
    tell('down')
  }

  return {
    subscribe(inbox, onEnvelope) {
      own = { inbox, onEnvelope: text => onEnvelope(text) }
      queueMicrotask(open)
    },
    async publish(inbox, text) {
      const onEnvelope = inboxes.get(inbox)
      if (onEnvelope === undefined) return 0
      // Never inside the call of the publisher: the order of things is that of a broker elsewhere.
      queueMicrotask(() => {
        if (inboxes.get(inbox) === onEnvelope) onEnvelope(text)
      })
      return 1
    },
    state: () => (isOpen() ? 'up' : 'down'),
    onState: listener => void listeners.push(listener),
    renew() {
      shut()
      queueMicrotask(open)
    },
    async close() {
      shut()
      own = undefined
    },
  }
}
