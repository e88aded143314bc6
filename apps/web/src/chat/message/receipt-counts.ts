/** In a conversation of many, how many have received and read one's last message there: as it was heard while the page is open. */
import type { Client } from '@flotilla/sdk'
import { useSyncExternalStore } from 'react'
import { useChat } from '../hooks.ts'

export interface ReceiptCounts {
  /** The message. Those before it were read by no fewer. */
  readonly seq: number
  readonly delivered: number
  readonly read: number
}

class Heard {
  readonly #counts = new Map<string, ReceiptCounts>()
  readonly #listeners = new Set<() => void>()

  constructor(client: Client) {
    client.on('receiptCounts', ({ conversation, ...counts }) => {
      this.#counts.set(conversation, counts)
      for (const listener of this.#listeners) listener()
    })
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  get(conversation: string): ReceiptCounts | undefined {
    return this.#counts.get(conversation)
  }
}

const heard = new WeakMap<Client, Heard>()

/** @returns undefined where nothing was heard, and in smaller conversations, where everybody is told one by one */
export function useReceiptCounts(conversation: string): ReceiptCounts | undefined {
  const { client } = useChat()
  const ours = heard.get(client) ?? new Heard(client)
  heard.set(client, ours)
  return useSyncExternalStore(ours.subscribe, () => ours.get(conversation))
}
