/**
 * Takes away what a message said, whoever wants it: of a message that is gone there is one notion. Its place, its sender and
 * its time stay, since the log has no gaps; docs/decisions/0021 and 0030 say why.
 */
import type { Body, Removed } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { NoticesContext } from '../../notices/context.ts'
import { forgetMentions } from './mentions.ts'
import { withdrawMentions } from './tell-mentioned.ts'
import { afterCommit } from '../../store/transaction.ts'
import { unpinRemoved } from './pins.ts'
import { removeRow, type Target } from './target.ts'

/** What a message says from then on. It is for clients that do not know `removed`: a text must show something. */
export interface Removal {
  readonly body: Body
  readonly removed: Removed
}

/** Of a conversation that was large by then nobody has rows. */
const forgetOwed = `
DELETE FROM offline_messages o
 USING members mb, conversations c, messages m
 WHERE c.id = $1 AND m.conversation_id = $1 AND m.seq = $2 AND (c.large_since IS NULL OR m.created_at <= c.large_since)
   AND mb.conversation_id = $1 AND mb.joined_seq <= $2
   AND o.user_id = mb.user_id AND o.conversation_id = $1 AND o.seq = $2`

/**
 * Erases the body, what edits have said, kept versions, and what is owed of it: a push that was not sent yet finds nothing
 * that waits, and is skipped. The copy of a report stays, by the rule of reports.
 * @param client holds the conversation
 * @param seq of the entry that says so
 */
export async function takeAway(
  ctx: NoticesContext,
  client: PoolClient,
  at: { readonly conversation: string; readonly seq: number },
  message: Target,
  { body, removed }: Removal,
): Promise<void> {
  const { conversation, seq } = at
  const { seq: target } = message
  await removeRow(client, conversation, seq, message.replace({ body, removed }))
  await client.query('DELETE FROM message_versions WHERE conversation_id = $1 AND seq = $2', [conversation, target])
  await client.query(forgetOwed, [conversation, target])
  await unpinRemoved(client, conversation, target, seq)
  const mentioned = await forgetMentions(client, conversation, target)
  await afterCommit(client, () => withdrawMentions(ctx, conversation, target, mentioned))
}
