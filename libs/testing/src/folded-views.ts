/**
 * What a device shows, by any kind of entry: everything that it is told, folded as it comes, must in the end be what its
 * person reads when they ask for the whole anew. So a kind needs no check of its own here: its fold is its check.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  conversationOf,
  type ConversationState,
  type Entry,
  type EventOf,
  foldAll,
  foldReaction,
  type MessageState,
} from '@flotilla/protocol'

/** What a device cannot have heard of a message, by its seq. */
export interface Unheard {
  /** The device has read it by a node of the version before, which knows no timers. */
  isReadByFormer?(seq: number): boolean
}

export class FoldedViews {
  readonly #views = new Map<string, ConversationState>()
  /** By conversation: what had been heard when the device was told to read anew what signals tell. */
  readonly #refreshed = new Map<string, number>()
  readonly #empty: ConversationState

  /** @param viewer whose device it is */
  constructor(viewer: string) {
    this.#empty = conversationOf(viewer)
  }

  hear(entry: Entry): void {
    const { conversation } = entry
    this.#views.set(conversation, foldAll(this.#views.get(conversation) ?? this.#empty, [entry]))
  }

  /** One's own reaction in a large conversation. */
  hearReaction(event: EventOf<'reaction.stored'>): void {
    const { conversation } = event
    this.#views.set(conversation, foldReaction(this.#views.get(conversation) ?? this.#empty, event))
  }

  /** The device was told to begin anew. */
  forget(conversation: string): void {
    this.#views.delete(conversation)
    this.#refreshed.delete(conversation)
  }

  /** Signals may have been lost, and the device was told so. */
  refresh(): void {
    for (const [conversation, { head }] of this.#views) this.#refreshed.set(conversation, head)
  }

  /**
   * @param read all that the person may see of the conversation, as it stands
   * @param from the first seq that they may see
   * @returns a sentence for each message that is shown otherwise than it stands
   */
  differences(conversation: string, read: readonly Entry[], from: number, unheard: Unheard = {}): string[] {
    const shown = this.#views.get(conversation)
    if (shown === undefined) return []
    const standing = foldAll(this.#empty, read)
    const refreshed = this.#refreshed.get(conversation) ?? 0
    return [...shown.messages].flatMap(([seq, message]) => {
      // Of what was before its time a device hears the changes alone.
      if (seq < from || message.posted === undefined) return []
      const stands = standing.messages.get(seq)
      const isTimerUnknown = message.posted.expiresAt === undefined && unheard.isReadByFormer?.(seq) === true
      // One's reaction in a large conversation comes by a signal: one that was lost has to be read anew, and nobody here reads.
      const isOwnUnknown = seq <= refreshed && (message.own?.version ?? 0) < (stands?.own?.version ?? 0)
      const unknown = { isTimerUnknown, isOwnUnknown }
      const [here, there] = [message, stands].map(one => one && comparable(seq, one, unknown))
      if (isDeepStrictEqual(here, there)) return []
      return [`shows at seq ${seq} ${JSON.stringify(message)}, where ${JSON.stringify(stands)} stands`]
    })
  }
}

/** Without what two devices of one person may know differently, though both have heard everything. */
function comparable(
  seq: number,
  message: MessageState,
  unknown: {
    readonly isTimerUnknown: boolean
    readonly isOwnUnknown: boolean
  },
) {
  const { posted, poll, replies, own, ...rest } = message
  const { forwarded, expiresAt, ...whole } = posted ?? {}
  return {
    ...rest,
    ...(own === undefined || unknown.isOwnUnknown ? {} : { own }),
    posted: {
      ...whole,
      ...(expiresAt === undefined || unknown.isTimerUnknown ? {} : { expiresAt }),
      // Whom it names depends on who had blocked whom when it was told or read.
      ...(forwarded === undefined ? {} : { forwarded: { at: forwarded.at } }),
    },
    // While no entry has told of a vote, a page says so where a device has nothing: its seq is that of the poll itself.
    ...(poll === undefined || poll.seq === seq ? {} : { poll }),
    // What a page counted and what was counted since is how the device came to the number, not what it shows.
    ...(replies === undefined ? {} : { replies: { count: replies.count, lastAt: replies.lastAt } }),
  }
}
