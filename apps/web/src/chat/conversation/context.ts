/** What the rows of a conversation need of it. It changes seldom, so that they are drawn seldom. */
import type { ConversationView, MessageRow, Timeline } from '@flotilla/sdk/state'
import { createContext, type RefObject, use } from 'react'

export interface ConversationContextValue {
  readonly id: string
  readonly kind: 'direct' | 'group'
  readonly view: ConversationView | undefined
  readonly timeline: Timeline
  /** Within a thread. */
  readonly isThread: boolean
  /** Brings a message into view, from wherever it is. */
  jump(seq: number): void
  openThread(seq: number): void
  openPerson(user: string): void
  openMenu(message: MessageRow, at: RefObject<Element | null>): void
  openReactions(message: MessageRow, at: RefObject<Element | null>): void
  /** Who has reacted, who has read, who voted. */
  openDetails(message: MessageRow): void
  reply(message: MessageRow): void
  react(message: MessageRow, emoji: string): void
  words(thrown: unknown): string
}

export const ConversationContext = createContext<ConversationContextValue | undefined>(undefined)

export function useConversationContext(): ConversationContextValue {
  const value = use(ConversationContext)
  if (value === undefined) throw new Error('unable to show a message: it stands in no conversation')
  return value
}
