/**
 * Takes away what messages said, whoever wants it, or because their time is up: of a message that is gone there is one notion. Its place, its sender and
 * its time stay, since the log has no gaps; docs/decisions/0021 and 0030 say why.
 */
import type { Body, Removed } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { LogContext } from '../context.ts'
import { forgetMentions } from './mentions.ts'
import { withdrawMentions } from './tell-mentioned.ts'
import { withdrawReacted } from './tell-reacted.ts'
import { settleReplied } from './tell-replied.ts'
import { afterCommit } from '../../store/transaction.ts'
import { forget as forgetOwed } from '../offline/index.ts'
import { unpinRemoved } from './pins.ts'
import { forgetReactions } from './reactions.ts'
import { dropPolls } from './polls.ts'
import { removeRows, type Target } from './target.ts'
import { uncountReplies } from './threads.ts'

/** What a message says from then on. It is for clients that do not know `removed`: a text must show something. */
export interface Removal {
  readonly body: Body
  readonly removed: Removed
}

/**
 * Erases the body, what edits have said, kept versions, and what is owed of it: a push that was not sent yet finds nothing
 * that waits, and is skipped. The copy of a report stays, by the rule of reports.
 * @param client holds the conversation
 * @param seq of the entry that says so
 */
export async function takeAway(
  ctx: LogContext,
  client: PoolClient,
  at: { readonly conversation: string; readonly seq: number },
  messages: readonly Target[],
  { body, removed }: Removal,
): Promise<void> {
  const { conversation, seq } = at
  const targets = messages.map(message => message.seq)
  const changes = messages.map(({ thread, alsoInConversation, ...message }) =>
    message.replace({
      body,
      removed,
      ...(thread === undefined ? {} : { thread }),
      ...(alsoInConversation === undefined ? {} : { alsoInConversation }),
    }),
  )
  await removeRows(client, conversation, seq, changes)
  await client.query('DELETE FROM message_versions WHERE conversation_id = $1 AND seq = ANY($2::int8[])', [
    conversation,
    targets,
  ])
  await forgetOwed(ctx, client, conversation, targets)
  await unpinRemoved(client, conversation, targets, seq)
  const reacted = await forgetReactions(client, conversation, targets)
  const mentioned = await forgetMentions(client, conversation, targets)
  await dropPolls(client, conversation, targets)
  await uncountReplies(client, conversation, messages, seq)
  await settleReplied(ctx, client, conversation, messages)
  await afterCommit(client, async () => {
    for (const [target, users] of mentioned) await withdrawMentions(ctx, conversation, target, users)
    await withdrawReacted(
      ctx,
      conversation,
      messages.filter(message => reacted.has(message.seq)),
    )
  })
}
