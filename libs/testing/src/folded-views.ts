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
} from '@flotilla/protocol'

export class FoldedViews {
  readonly #views = new Map<string, ConversationState>()
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
  }

  /**
   * @param read all that the person may see of the conversation, as it stands
   * @param from the first seq that they may see
   * @returns a sentence for each message that is shown otherwise than it stands
   */
  differences(conversation: string, read: readonly Entry[], from: number): string[] {
    const shown = this.#views.get(conversation)
    if (shown === undefined) return []
    const standing = foldAll(this.#empty, read)
    return [...shown.messages].flatMap(([seq, message]) => {
      // Of what was before its time a device hears the changes alone.
      if (seq < from || message.posted === undefined) return []
      const stands = standing.messages.get(seq)
      if (isDeepStrictEqual(message, stands)) return []
      return [`shows at seq ${seq} ${JSON.stringify(message)}, where ${JSON.stringify(stands)} stands`]
    })
  }
}
