/** How a log is read in pages: a conversation, and a thread in it. */
import type { Rest } from '../rest.ts'
import type { Page } from './log.ts'

/** After a seq, or before one; the latest, where neither is said. */
export interface Range {
  readonly after?: number
  readonly before?: number
  readonly limit?: number
}

export type ReadPage = (range: Range) => Promise<Page>

/** As many as a page has. */
export const pageMax = 50

export function conversationPages({ history }: Rest, conversation: string): ReadPage {
  return async ({ limit = pageMax, ...range }) => {
    const { entries, head, from: first, epoch, more } = await history(conversation, { ...range, limit })
    const { after, before } = range
    if (after !== undefined) {
      const from = Math.max(Math.min(after, head) + 1, first)
      return { entries, epoch, first, head, span: { from, to: Math.max(entries.at(-1)?.seq ?? 0, from - 1) } }
    }
    const to = Math.max(Math.min((before ?? head + 1) - 1, head), first - 1)
    const from = more === true ? (entries[0]?.seq ?? to + 1) : Math.min(first, to + 1)
    // Of what lies behind it a page that goes back says nothing.
    return { entries, epoch, first, head: before === undefined ? head : 0, span: { from, to } }
  }
}

/**
 * Seqs in a thread are those of the conversation: a window holds all messages of the thread between two of them.
 * @param headOf the last entry of the conversation that was heard: what a page says holds at least up to there
 */
export function threadPages({ threads }: Rest, conversation: string, root: number, headOf: () => number): ReadPage {
  return async ({ limit = pageMax, ...range }) => {
    const head = headOf()
    const { root: message, messages, more } = await threads.read(conversation, root, { ...range, limit })
    const { epoch } = message
    const entries = [message, ...messages]
    const { after, before } = range
    const last = messages.at(-1)?.seq ?? 0
    const isCut = more === true
    const [from, to] =
      after !== undefined
        ? [after + 1, isCut ? last : Math.max(head, last, after)]
        : [isCut ? (messages[0]?.seq ?? root) : root, before === undefined ? Math.max(head, last, root) : before - 1]
    return { entries, epoch, first: root, head: before === undefined ? head : 0, span: { from, to } }
  }
}
