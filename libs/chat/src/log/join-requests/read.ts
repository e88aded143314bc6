/** Requests to join a group, as both sides see them. */
import type { JoinRequest, User } from '@flotilla/protocol'
import { roleNumbers, rulesOf } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { behind, placeOf, type TimePlace } from '../../store/paging.ts'
import { get } from '../../users/get.ts'

export interface PlacedJoinRequest extends JoinRequest {
  readonly id: string
  readonly place: number
}

export type JoinRequestsOf =
  | { readonly conversation: string; readonly user?: string }
  | { readonly sender: string }
  | { readonly decider: string }

/** Places are told by the person where a list is of one group, and by the group where it is of one person. */
const text = (where: string, id = 'r.user_id') => `
SELECT r.conversation_id AS conversation, coalesce(c.name, '') AS name, r.user_id AS "user", ${id} AS id,
       (extract(epoch FROM r.changed_at) * 1000)::float8 AS at, ${placeOf('r.changed_at')} AS place
  FROM join_requests r JOIN conversations c ON c.id = r.conversation_id
 WHERE NOT r.declined AND ${where} AND ($3::int8 IS NULL OR ${behind('r.changed_at', '$3', '$4', id)})
 ORDER BY r.changed_at DESC, ${id} DESC LIMIT $5`

/** As `rulesOf` says: what was never said is as in every group, and a role that nobody knows is the highest. */
const leastRole = `CASE coalesce(c.settings #>> '{permissions,addMembers}', '${rulesOf('group', {}).permissions.addMembers}')
  WHEN 'member' THEN ${roleNumbers.member} WHEN 'admin' THEN ${roleNumbers.admin} ELSE ${roleNumbers.owner} END`
const group = text('r.conversation_id = $1 AND ($2::uuid IS NULL OR r.user_id = $2)')
const sent = text('r.user_id = $1 AND $2::uuid IS NULL', 'r.conversation_id')
const received = text(
  `$2::uuid IS NULL AND r.conversation_id IN (
     SELECT m.conversation_id FROM members m WHERE m.user_id = $1 AND m.role >= ${leastRole})`,
)

/** Those that are open, the latest first. */
export async function readJoinRequests(
  ctx: LogContext,
  of: JoinRequestsOf,
  { after, limit }: { readonly after: TimePlace | undefined; readonly limit: number } = { after: undefined, limit: 1 },
): Promise<PlacedJoinRequest[]> {
  const found = await ctx.pool.query<Omit<PlacedJoinRequest, 'user'> & { user: string }>(
    'sender' in of ? sent : 'decider' in of ? received : group,
    [...keysOf(of), after?.at ?? null, after?.id ?? null, limit],
  )
  const ids = [...new Set(found.rows.map(row => row.user))]
  const people = new Map<string, User>((await get(ctx, ids)).map(user => [user.id, user]))
  return found.rows.map(row => ({ ...row, user: people.get(row.user)!, at: Math.round(row.at) }))
}

const keysOf = (of: JoinRequestsOf): readonly [string, string | null] =>
  'conversation' in of ? [of.conversation, of.user ?? null] : ['sender' in of ? of.sender : of.decider, null]

export const toJoinRequest = ({ conversation, name, user, at }: JoinRequest): JoinRequest => ({
  conversation,
  name,
  user,
  at,
})
