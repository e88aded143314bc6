import type { Entry } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { addMany } from './add.ts'

/**
 * Tells the members whom a committed message mentions.
 * @param entry as it was stored: a repetition tells those of the first time
 */
export async function mentioned(ctx: NoticesContext, entry: Entry): Promise<void> {
  if (entry.event !== 'message.new') return
  const { conversation, seq, by, body } = entry
  await addMany(ctx, body.mentions ?? [], {
    kind: 'mention',
    dedup: `mention:${conversation}:${seq}`,
    actor: by,
    conversation,
    seq,
  })
}
