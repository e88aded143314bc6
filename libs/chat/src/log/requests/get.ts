/** One request as the person sees it whom it is for: with what was said to them. */
import { type ConversationRequestRead, type EntryOf, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { kindNumbersOfConversations, requestStates } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type EntryRow, entryColumns } from '../entries.ts'
import { asTheyStand } from '../messages/as-they-stand.ts'
import { readRequests } from './read.ts'

/**
 * Reading tells nobody anything: no receipt, no presence.
 * @throws Refusal request_unknown
 */
export async function get(ctx: LogContext, by: string, id: string): Promise<ConversationRequestRead> {
  const conversation = await openTo(ctx, by, id)
  const [request] = await readRequests(ctx, { conversation, users: [by] })
  if (request === undefined) throw new Refusal('request_unknown')
  return { request, messages: request.kind === 'direct' ? await readMessages(ctx, by, conversation) : [] }
}

/** The conversation that the caller is asked into. @throws Refusal request_unknown */
async function openTo(ctx: LogContext, by: string, id: string): Promise<string> {
  const found = await ctx.pool.query<{ conversation_id: string }>(
    'SELECT conversation_id FROM conversation_requests WHERE id = $1 AND user_id = $2 AND state = $3',
    [id, by, requestStates.open],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('request_unknown')
  return row.conversation_id
}

/**
 * A message of a direct conversation that the caller was asked into, also after they have declined: so they can report it.
 * @returns undefined when there is none that they were shown
 */
export async function findShown(
  ctx: LogContext,
  by: string,
  { conversation, seq }: { conversation: string; seq: number },
): Promise<EntryOf<'message.new'> | undefined> {
  const asked = await ctx.pool.query(
    `SELECT FROM conversation_requests r JOIN conversations c ON c.id = r.conversation_id AND c.kind = $3
      WHERE r.conversation_id = $1 AND r.user_id = $2`,
    [conversation, by, kindNumbersOfConversations.direct],
  )
  if (asked.rowCount === 0) return undefined
  return (await readMessages(ctx, by, conversation)).find(entry => entry.seq === seq)
}

/** As few as may be said before it is accepted. */
async function readMessages(ctx: LogContext, by: string, conversation: string): Promise<EntryOf<'message.new'>[]> {
  const found = await ctx.pool.query<EntryRow>({
    name: 'conversation-request-messages',
    text: `SELECT ${entryColumns} FROM messages m WHERE m.conversation_id = $1 AND m.seq <= $2 AND m.kind = $3 ORDER BY m.seq`,
    values: [conversation, ctx.settings.requestMessagesMax + 1, entries['message.new'].number],
  })
  return (await asTheyStand(ctx, by, found.rows)) as EntryOf<'message.new'>[]
}
