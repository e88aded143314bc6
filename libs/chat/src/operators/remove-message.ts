/**
 * Takes away what a message said. Its entry stays where it is, with sender and time, since the log has no gaps; what it
 * says is a sentence that today's clients show, and a mark for those that know it. docs/decisions/0021 says why.
 */
import { type EntryOf, entries, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { OperatorsContext } from './context.ts'
import type { PayloadOf } from '../log/entries.ts'
import { note } from '../notices/security/note.ts'
import { transaction } from '../store/transaction.ts'
import { type Actor, checkReason, noteAction } from './note-action.ts'

export interface RemoveMessageInput {
  readonly conversation: string
  readonly seq: number
  readonly reason: string
}

const kind = entries['message.new'].number

const payload: PayloadOf<'message.new'> = { body: { text: 'This message was removed.' }, removed: 'operator' }

const hold = `
SELECT m.sender_id AS sender, m.client_id AS "clientId", u.erased_at IS NOT NULL AS erased
  FROM messages m JOIN users u ON u.id = m.sender_id
 WHERE m.conversation_id = $1 AND m.seq = $2 AND m.kind = ${kind} FOR UPDATE OF m`

/** Of a conversation that was large by then nobody has rows. */
const forgetOwed = `
DELETE FROM offline_messages o
 USING members mb, conversations c, messages m
 WHERE c.id = $1 AND m.conversation_id = $1 AND m.seq = $2 AND (c.large_since IS NULL OR m.created_at <= c.large_since)
   AND mb.conversation_id = $1 AND mb.joined_seq <= $2
   AND o.user_id = mb.user_id AND o.conversation_id = $1 AND o.seq = $2`

/**
 * Pushes that were not sent yet find nothing that waits and are skipped. The copy of a report stays: it goes by the
 * rule of reports. To remove it once more changes nothing.
 * @throws Refusal field_invalid, message_unknown
 */
export async function removeMessage(ctx: OperatorsContext, by: Actor, input: RemoveMessageInput): Promise<void> {
  const { conversation, seq } = input
  const reason = checkReason(input.reason)
  await transaction(ctx, async tx => {
    const { sender, erased } = await overwrite(ctx, tx, conversation, seq)
    await tx.query(forgetOwed, [conversation, seq])
    await noteAction(tx, by, { action: 'message_removed', user: sender, conversation, seq, reason })
    const detail = { reason, conversation, seq: String(seq) }
    if (!erased) await note(ctx, { user: sender, kind: 'message_removed', detail }, tx)
  })
}

/** @returns who wrote it */
async function overwrite(
  ctx: OperatorsContext,
  tx: PoolClient,
  conversation: string,
  seq: number,
): Promise<{ sender: EntryOf<'message.new'>['by']; erased: boolean }> {
  const found = await tx.query<{ sender: string; clientId: string; erased: boolean }>(hold, [conversation, seq])
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('message_unknown', undefined, { field: 'seq' })
  const { sender, clientId, erased } = row
  const { keyId, body } = ctx.seal.seal({ conversation, sender, clientId, kind }, JSON.stringify(payload))
  await tx.query('UPDATE messages SET key_id = $3, body = $4 WHERE conversation_id = $1 AND seq = $2', [
    conversation,
    seq,
    keyId,
    body,
  ])
  return { sender, erased }
}
