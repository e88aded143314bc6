/** Somebody asks to be let into a group: a row in the transaction that holds it, and word to those who may let them in. */
import { type JoinRequest, Refusal } from '@flotilla/protocol'
import { toldOrRefreshed } from '../../store/told-or-refreshed.ts'
import type { LogContext } from '../context.ts'
import type { Locked } from '../conversations/change.ts'
import { approversOf } from './answered.ts'
import { readJoinRequests, toJoinRequest } from './read.ts'

/**
 * Whoever has asked already has.
 * @param locked the conversation; the person is held too
 * @returns who is told of it; undefined where it is not new
 * @throws Refusal request_declined, limit_reached
 */
export async function askToJoin(
  ctx: LogContext,
  { client, rules }: Locked,
  { conversation, user }: { conversation: string; user: string },
): Promise<readonly string[] | undefined> {
  const { requestPauseMs, joinRequestsMax, conversationRequestsSentMax } = ctx.settings
  const found = await client.query<{ declined: boolean; ageMs: number }>(
    `SELECT declined, (extract(epoch FROM now() - changed_at) * 1000)::float8 AS "ageMs"
       FROM join_requests WHERE conversation_id = $1 AND user_id = $2`,
    [conversation, user],
  )
  const before = found.rows[0]
  if (before?.declined === false) return undefined
  if (before !== undefined && before.ageMs < requestPauseMs)
    throw new Refusal('request_declined', 'the group has declined, and is not asked again yet', {
      retryMs: Math.ceil(requestPauseMs - before.ageMs),
    })
  const counted = await client.query<{ here: number; own: number }>(
    `SELECT (SELECT count(*)::int FROM join_requests WHERE conversation_id = $1 AND NOT declined) AS here,
            (SELECT count(*)::int FROM join_requests WHERE user_id = $2 AND NOT declined) AS own`,
    [conversation, user],
  )
  const { here, own } = counted.rows[0]!
  if (here >= joinRequestsMax)
    throw new Refusal('limit_reached', 'as many people ask to join the group as may at a time', {
      rule: `maxItems ${joinRequestsMax}`,
    })
  if (own >= conversationRequestsSentMax)
    throw new Refusal('limit_reached', 'the caller asks to join as many groups as one may at a time', {
      rule: `maxItems ${conversationRequestsSentMax}`,
    })
  await client.query(
    `INSERT INTO join_requests (conversation_id, user_id) VALUES ($1, $2)
         ON CONFLICT (conversation_id, user_id) DO UPDATE SET declined = false, changed_at = now()`,
    [conversation, user],
  )
  return [...new Set([user, ...(await approversOf(client, conversation, rules))])]
}

/**
 * After the commit.
 * @param told who hears of it
 * @throws Refusal request_unknown when it was answered meanwhile
 */
export async function tellJoinRequested(
  ctx: LogContext,
  { conversation, user, told }: { conversation: string; user: string; told: readonly string[] },
): Promise<JoinRequest> {
  const [found] = await toldOrRefreshed(ctx, told, () => readJoinRequests(ctx, { conversation, user }))
  if (found === undefined) throw new Refusal('request_unknown')
  const request = toJoinRequest(found)
  if (told.length > 0) ctx.emit({ class: 'signal', to: told, event: { event: 'join.requested', request } })
  return request
}
