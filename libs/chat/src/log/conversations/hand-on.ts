import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandGroup, demandMayHandOn, roleNumbers } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change, type Locked } from './change.ts'

/**
 * Makes another member an owner and the caller an admin, in one entry.
 * @throws Refusal field_invalid (oneself), conversation_unknown, not_a_member, not_a_group, role_insufficient, user_unknown
 */
export async function handOn(
  ctx: LogContext,
  by: string,
  { conversation, user }: { conversation: string; user: string },
): Promise<Changed> {
  if (user === by)
    throw new Refusal('field_invalid', 'user: must be another member', { field: 'user', rule: 'not oneself' })
  return change(ctx, by, conversation, async locked => {
    demandGroup(locked.kind)
    demandMayHandOn(locked.role)
    await locked.roleOfTarget(user)
    return { event: 'member.changed', user, role: 'owner', byRole: 'admin' }
  })
}

/**
 * Whom a group goes to when its last owner is taken from it: the longest-standing admin, or else member. Who is shut out of
 * the deployment comes last.
 * @param client of a transaction that holds the conversation, so that whoever is found is a member when it ends
 * @returns undefined where nobody else is left
 */
export async function findHeir(client: PoolClient, conversation: string, without: string): Promise<string | undefined> {
  const found = await client.query<{ id: string }>(
    `SELECT m.user_id AS id FROM members m JOIN users u ON u.id = m.user_id
      WHERE m.conversation_id = $1 AND m.user_id <> $2 AND u.erased_at IS NULL
      ORDER BY coalesce(u.suspended_until > now(), false), m.role DESC, coalesce(m.entered_seq, m.joined_seq), m.user_id
      LIMIT 1`,
    [conversation, without],
  )
  return found.rows[0]?.id
}

const owned = `
SELECT m.conversation_id AS id
  FROM members m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id
 WHERE m.user_id = $1 AND u.suspended_until = 'infinity' AND m.role = ${roleNumbers.owner} AND c.kind = 2`

/** Another owner who is not shut out themselves. */
const otherOwner = `
SELECT FROM members m JOIN users u ON u.id = m.user_id
 WHERE m.conversation_id = $1 AND m.user_id <> $2 AND m.role = ${roleNumbers.owner} AND u.erased_at IS NULL
   AND (u.suspended_until IS NULL OR u.suspended_until < now()) LIMIT 1`

/**
 * Whoever is shut out of the deployment for good owns no group alone any longer: each that has no other owner goes to its
 * heir, and they are a plain member of it. Doing it again changes nothing, nor does it where the suspension was lifted meanwhile.
 */
export async function handOnAll(ctx: LogContext, user: string): Promise<void> {
  const found = await ctx.pool.query<{ id: string }>(owned, [user])
  for (const { id } of found.rows)
    await change(ctx, user, id, locked => bequeath(locked, id, user), { unasked: true }).catch((error: unknown) => {
      // They have left it meanwhile.
      if (!(error instanceof Refusal && error.code === 'not_a_member')) throw error
    })
}

async function bequeath({ client, role }: Locked, conversation: string, user: string) {
  if (role !== 'owner' || (await client.query(otherOwner, [conversation, user])).rowCount === 1) return undefined
  const heir = await findHeir(client, conversation, user)
  if (heir === undefined) return undefined
  return { event: 'member.changed', user: heir, role: 'owner', byRole: 'member' } as const
}
