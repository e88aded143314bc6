/**
 * Takes away what a message said. Its row stays where it is, with sender and time, since the log has no gaps; what it says
 * is a sentence, and a mark for clients that know it. An entry tells the members. docs/decisions/0021 says why.
 */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { OperatorsContext } from './context.ts'
import { remove } from '../log/conversations/change.ts'
import { note } from '../notices/security/note.ts'
import { transaction } from '../store/transaction.ts'
import { type Actor, checkReason, noteAction } from './note-action.ts'

export interface RemoveMessageInput {
  readonly conversation: string
  readonly seq: number
  readonly reason: string
}

const said = { body: { text: 'This message was removed.' }, removed: 'operator' } as const

/**
 * Pushes that were not sent yet find nothing that waits and are skipped. The copy of a report stays: it goes by the
 * rule of reports. To remove it once more changes nothing.
 * @throws Refusal field_invalid, message_unknown
 */
export async function removeMessage(ctx: OperatorsContext, by: Actor, input: RemoveMessageInput): Promise<void> {
  const { conversation, seq } = input
  const reason = checkReason(input.reason)
  const removed = await transaction(ctx, async tx => {
    const done = await remove(ctx, tx, conversation, { event: 'message.removed', target: seq, ...said })
    if (done === undefined) throw new Refusal('message_unknown', undefined, { field: 'seq' })
    const { sender } = done
    await noteAction(tx, by, { action: 'message_removed', user: sender, conversation, seq, reason })
    const detail = { reason, conversation, seq: String(seq) }
    if (!(await isErased(tx, sender))) await note(ctx, { user: sender, kind: 'message_removed', detail }, tx)
    return done
  })
  removed.tell()
}

async function isErased(tx: PoolClient, user: string): Promise<boolean> {
  const found = await tx.query<{ erased: boolean }>('SELECT erased_at IS NOT NULL AS erased FROM users WHERE id = $1', [
    user,
  ])
  return found.rows[0]?.erased ?? true
}
