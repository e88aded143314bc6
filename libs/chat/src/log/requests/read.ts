/** Requests as both sides see them. */
import type { ConversationRequest, User } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { kindNumbersOfConversations, kindOf, requestStates } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { behind, placeOf, type TimePlace } from '../../store/paging.ts'
import { get } from '../../users/get.ts'

interface Row {
  id: string
  conversation: string
  kind: number
  name: string | null
  from_id: string
  user_id: string
  at: number
  messages: number
  place: number
}

/** Whoever asked for a direct conversation is not told that the other has declined: for them it stays open. */
const select = (where: string) => `
SELECT r.id, r.conversation_id AS conversation, c.kind, c.name, r.from_id, r.user_id,
       (extract(epoch FROM r.changed_at) * 1000)::float8 AS at, ${placeOf('r.changed_at')} AS place,
       CASE WHEN c.kind = ${kindNumbersOfConversations.direct} THEN (
         SELECT count(*)::int FROM messages x
          WHERE x.conversation_id = c.id AND x.seq <= c.head_seq AND x.kind = ${entries['message.new'].number}
       ) ELSE 0 END AS messages
  FROM conversation_requests r JOIN conversations c ON c.id = r.conversation_id
 WHERE r.from_id IS NOT NULL AND ${where}`

const page = (where: string) =>
  select(`${where} AND ($2::int8 IS NULL OR ${behind('r.changed_at', '$2', '$3', 'r.id')})
 ORDER BY r.changed_at DESC, r.id DESC LIMIT $4`)

const open = `r.state = ${requestStates.open}`
const texts = {
  received: page(`r.user_id = $1 AND ${open}`),
  sent: page('r.from_id = $1'),
  to: select(`r.conversation_id = $1 AND ($2::uuid[] IS NULL OR r.user_id = ANY($2)) AND ${open}`),
  one: select('r.id = $1'),
}

export type RequestDirection = 'sent' | 'received'

/** Of the person's requests those behind a place, the latest first, with the place of each. */
export async function readRequestPage(
  ctx: LogContext,
  by: string,
  direction: RequestDirection,
  after: TimePlace | undefined,
  limit: number,
): Promise<(ConversationRequest & { readonly place: number })[]> {
  const found = await ctx.pool.query<Row>({
    name: `conversation-requests-${direction}`,
    text: texts[direction],
    values: [by, after?.at ?? null, after?.id ?? null, limit],
  })
  const requests = await toRequests(ctx, found.rows)
  return requests.map((request, nth) => ({ ...request, place: found.rows[nth]!.place }))
}

/** The open requests of one conversation, to these people or to all. */
export async function readRequests(
  ctx: LogContext,
  to: { readonly conversation: string; readonly users: readonly string[] | undefined },
): Promise<ConversationRequest[]> {
  const found = await ctx.pool.query<Row>({
    name: 'conversation-requests-to',
    text: texts.to,
    values: [to.conversation, to.users ?? null],
  })
  return toRequests(ctx, found.rows)
}

/** Both people are there: the row goes with theirs. */
async function toRequests(ctx: LogContext, rows: readonly Row[]): Promise<ConversationRequest[]> {
  const ids = new Set(rows.flatMap(row => [row.from_id, row.user_id]))
  const people = new Map<string, User>((await get(ctx, [...ids])).map(user => [user.id, user]))
  return rows.map(row => ({
    id: row.id,
    conversation: row.conversation,
    kind: kindOf(row.kind),
    ...(row.name === null ? {} : { name: row.name }),
    from: people.get(row.from_id)!,
    to: people.get(row.user_id)!,
    at: Math.round(row.at),
    messages: row.messages,
  }))
}
