import type { NoticesContext } from '../context.ts'
import { addMany } from './add.ts'

/** Tells people that they were added, by the entry that says so. */
export function addedToGroup(
  ctx: NoticesContext,
  by: string,
  added: { conversation: string; seq: number; users: readonly string[] },
): Promise<void> {
  const { conversation, seq, users } = added
  return addMany(ctx, users, {
    kind: 'added_to_group',
    dedup: `added:${conversation}:${seq}`,
    actor: by,
    conversation,
    seq,
  })
}
