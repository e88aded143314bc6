/** Asks people into a conversation: rows in the transaction that decided it, and word to them after its commit. */
import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { requestStates } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { uuidArray } from '../../store/binary-arrays.ts'
import { readRequests } from './read.ts'

export interface Asking {
  readonly conversation: string
  readonly from: string
  readonly users: readonly string[]
}

/** Whoever is asked already stays so, by whoever asks now. */
const insert = `
INSERT INTO conversation_requests AS r (id, conversation_id, user_id, from_id, state)
SELECT u.id, $3, u.user_id, $4, ${requestStates.open} FROM unnest($1::uuid[], $2::uuid[]) AS u (id, user_id) ORDER BY u.user_id
    ON CONFLICT (conversation_id, user_id) DO UPDATE
   SET id = CASE WHEN r.state = ${requestStates.open} THEN r.id ELSE EXCLUDED.id END,
       changed_at = CASE WHEN r.state = ${requestStates.open} THEN r.changed_at ELSE EXCLUDED.changed_at END,
       from_id = EXCLUDED.from_id, state = EXCLUDED.state`

/** @param client of a transaction that holds all of the people */
export async function ask(client: PoolClient, { conversation, from, users }: Asking): Promise<void> {
  if (users.length === 0) return
  await client.query(insert, [uuidArray(users.map(() => randomUUID())), uuidArray(users), conversation, from])
}

/**
 * Nobody asks, or is asked by, more than a number of people at once. Those who are asked into this conversation already
 * count once more, which only makes it stricter.
 * @param client of a transaction that holds all of the people, so that two at once do not pass it
 * @throws Refusal limit_reached
 */
export async function demandRoomToAsk(
  ctx: Pick<LogContext, 'settings'>,
  client: PoolClient,
  { from, users, field }: Omit<Asking, 'conversation'> & { readonly field: string },
): Promise<void> {
  if (users.length === 0) return
  const { conversationRequestsSentMax: sentMax, conversationRequestsReceivedMax: receivedMax } = ctx.settings
  const sent = await client.query<{ sent: number }>(
    'SELECT count(*)::int AS sent FROM conversation_requests WHERE from_id = $1',
    [from],
  )
  if (sent.rows[0]!.sent + users.length > sentMax)
    throw new Refusal('limit_reached', 'you have too many open conversation requests', {
      field,
      rule: `maxItems ${sentMax}`,
    })
  const full = await client.query<{ id: string }>(
    `SELECT u.id FROM unnest($1::uuid[]) AS u (id)
      WHERE (SELECT count(*) FROM conversation_requests r WHERE r.user_id = u.id AND r.state = ${requestStates.open}) >= $2
      LIMIT 1`,
    [users, receivedMax],
  )
  const whom = full.rows[0]?.id
  if (whom !== undefined)
    throw new Refusal('limit_reached', `${whom} has too many open conversation requests`, {
      field,
      rule: `maxItems ${receivedMax}`,
    })
}

/**
 * After the commit. It never fails: the list of requests tells the same.
 * @param users those who are asked; everybody when left out
 */
export async function tellAsked(ctx: LogContext, conversation: string, users?: readonly string[]): Promise<void> {
  if (users?.length === 0) return
  try {
    for (const request of await readRequests(ctx, { conversation, users }))
      ctx.emit({ class: 'signal', to: [request.to.id], event: { event: 'conversation.requested', request } })
  } catch (error) {
    ctx.logger.warn({ err: error, conversation }, 'unable to announce a message request')
    ctx.emit({ class: 'signal', to: users ?? [], event: { event: 'refresh' } })
  }
}
