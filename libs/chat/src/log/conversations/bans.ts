/**
 * Who is kept out of a group. A ban stands under the lock of the conversation, and so does every way in: so whoever is banned
 * at the moment that they come is either in before, and removed, or does not come in.
 */
import { type Ban, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandGroup, demandManager, demandMayRemove, demandNotBanned, requestStates } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../../store/paging.ts'
import { approversOf, tellJoinAnswered } from '../join-requests/answered.ts'
import { type EndedRequest, endedColumns, tellAnswered } from '../requests/answered.ts'
import { demandHeld } from '../../users/hold.ts'
import { get } from '../../users/get.ts'
import { change } from './change.ts'
import { standingOf } from './standing.ts'

/**
 * Bans a person from a group, whether they are in it or not.
 * @throws Refusal field_invalid (oneself), user_unknown, conversation_unknown, not_a_member, not_a_group, role_insufficient,
 *   limit_reached
 */
export async function ban(
  ctx: LogContext,
  by: string,
  { conversation, user }: { conversation: string; user: string },
): Promise<void> {
  if (user === by)
    throw new Refusal('field_invalid', 'user: must be another person', { field: 'user', rule: 'not oneself' })
  let asked: EndedRequest | undefined
  let approvers: readonly string[] | undefined
  await change(
    ctx,
    by,
    conversation,
    async locked => {
      demandHeld(locked.held, [user], 'user')
      demandGroup(locked.kind)
      demandManager(locked.role)
      const target = (await locked.rolesOf([user])).get(user)
      if (target !== undefined) demandMayRemove(locked.role, target)
      await insertBan(ctx, locked.client, { conversation, user, by })
      asked = await endRequest(locked.client, conversation, user)
      if (await endJoinRequest(locked.client, conversation, user))
        approvers = await approversOf(locked.client, conversation, locked.rules)
      return target === undefined ? undefined : { event: 'member.removed', user, banned: true }
    },
    { hold: [user] },
  )
  if (asked !== undefined) tellAnswered(ctx, asked, 'cancelled', [by, asked.from, asked.to])
  if (approvers !== undefined) tellJoinAnswered(ctx, { conversation, user, approvers }, 'declined')
}

async function insertBan(
  ctx: LogContext,
  client: PoolClient,
  { conversation, user, by }: { conversation: string; user: string; by: string },
): Promise<void> {
  const max = ctx.settings.groupBansMax
  const found = await client.query<{ bans: number }>(
    'SELECT count(*)::int AS bans FROM group_bans WHERE conversation_id = $1 AND user_id <> $2',
    [conversation, user],
  )
  if (found.rows[0]!.bans >= max)
    throw new Refusal('limit_reached', 'as many people are banned from the group as may be', {
      rule: `maxItems ${max}`,
    })
  await client.query(
    'INSERT INTO group_bans (conversation_id, user_id, by_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
    [conversation, user, by],
  )
}

/**
 * That they have left, or did not want to come, still stands when the ban is lifted.
 * @returns the request by which they were asked in
 */
async function endRequest(client: PoolClient, conversation: string, user: string): Promise<EndedRequest | undefined> {
  const gone = await client.query<EndedRequest>(
    `DELETE FROM conversation_requests WHERE conversation_id = $1 AND user_id = $2 AND state = $3 RETURNING ${endedColumns}`,
    [conversation, user, requestStates.open],
  )
  return gone.rows[0]
}

/** @returns whether it was open */
async function endJoinRequest(client: PoolClient, conversation: string, user: string): Promise<boolean> {
  const gone = await client.query<{ declined: boolean }>(
    'DELETE FROM join_requests WHERE conversation_id = $1 AND user_id = $2 RETURNING declined',
    [conversation, user],
  )
  return gone.rows[0]?.declined === false
}

/** @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, ban_unknown */
export async function unban(
  ctx: LogContext,
  by: string,
  { conversation, user }: { conversation: string; user: string },
): Promise<void> {
  await change(ctx, by, conversation, async ({ kind, role, client }) => {
    demandGroup(kind)
    demandManager(role)
    const gone = await client.query('DELETE FROM group_bans WHERE conversation_id = $1 AND user_id = $2', [
      conversation,
      user,
    ])
    if (gone.rowCount === 0) throw new Refusal('ban_unknown')
    return undefined
  })
}

const listText = `
SELECT user_id AS id, by_id AS by, (extract(epoch FROM created_at) * 1000)::float8 AS at, ${placeOf('created_at')} AS place
  FROM group_bans
 WHERE conversation_id = $1 AND ($2::int8 IS NULL OR ${behind('created_at', '$2', '$3', 'user_id')})
 ORDER BY created_at DESC, user_id DESC LIMIT $4`

/**
 * Who is banned from a group, the latest first.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function bans(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string },
): Promise<PageOf<'bans', Ban>> {
  const { conversation } = input
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { kind, role } = await standingOf(ctx, by, conversation)
  demandGroup(kind)
  demandManager(role)
  const { rows } = await ctx.pool.query<{ id: string; by: string | null; at: number; place: number }>({
    name: 'group-bans',
    text: listText,
    values: [conversation, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  const people = new Map(
    (
      await get(
        ctx,
        rows.map(row => row.id),
        by,
      )
    ).map(user => [user.id, user]),
  )
  return toPage('bans', rows, limit, row => ({ user: people.get(row.id)!, by: row.by, at: Math.round(row.at) }))
}

/**
 * None of these is kept out.
 * @param client of a transaction that holds the conversation
 * @throws Refusal banned
 */
export async function demandNoneBanned(
  client: PoolClient,
  conversation: string,
  users: readonly string[],
  field?: string,
): Promise<void> {
  const found = await client.query<{ id: string }>(
    'SELECT user_id AS id FROM group_bans WHERE conversation_id = $1 AND user_id = ANY($2) LIMIT 1',
    [conversation, users],
  )
  const one = found.rows[0]?.id
  demandNotBanned(one !== undefined, field === undefined ? undefined : `${one} is banned from the group`, field)
}
