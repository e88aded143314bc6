import type { NoticesContext } from '../context.ts'
import { addMany } from './add.ts'

/** The name of the notification that points a message out. */
export const mentionOf = (conversation: string, seq: number): string => `mention:${conversation}:${seq}`

/**
 * Tells the members whom a committed message mentions, once, however often that is said.
 * @param message where it stands, who wrote it, and whom it mentions
 */
export function mentioned(
  ctx: NoticesContext,
  message: {
    readonly conversation: string
    readonly seq: number
    readonly by: string
    readonly users: readonly string[]
  },
): Promise<void> {
  const { conversation, seq, by, users } = message
  return addMany(ctx, users, {
    kind: 'mention',
    dedup: mentionOf(conversation, seq),
    actor: by,
    conversation,
    seq,
  })
}
