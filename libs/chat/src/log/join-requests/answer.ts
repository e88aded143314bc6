/** A request to join a group ends: somebody lets them in, or does not, or they do not want to any more. */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandGroup, demandPermitted, rulesOf, type StoredRules } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { addedToGroup } from '../../notices/notifications/added-to-group.ts'
import { demandHeld } from '../../users/hold.ts'
import { demandNoneBanned } from '../conversations/bans.ts'
import { type Changed, change } from '../conversations/change.ts'
import { demandRoomToJoin, joinGroup } from '../conversations/join-group.ts'
import { approversOf, tellJoinAnswered } from './answered.ts'

const open = 'conversation_id = $1 AND user_id = $2 AND NOT declined'

interface Place {
  readonly conversation: string
  readonly user: string
}

/**
 * Lets somebody in who asks to join: with their coming in the request ends, and is told (../conversations/change.ts). Of an
 * approval and a withdrawal at once the first one counts.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, request_unknown, conversation_full,
 *   limit_reached
 */
export async function approve(ctx: LogContext, by: string, { conversation, user }: Place): Promise<Changed> {
  const changed = await change(
    ctx,
    by,
    conversation,
    async locked => {
      demandGroup(locked.kind)
      demandPermitted(locked.rules, 'addMembers', locked.role)
      demandHeld(locked.held, [user], 'user')
      await demandOpen(locked.client, `SELECT FROM join_requests WHERE ${open} FOR UPDATE`, { conversation, user })
      await demandNoneBanned(locked.client, conversation, [user])
      await demandRoomToJoin(ctx, locked, user, by)
      return joinGroup(locked, [user], 'request')
    },
    { hold: [user] },
  )
  await addedToGroup(ctx, by, { conversation, seq: changed.seq, users: [user] })
  return changed
}

/**
 * The person may not ask again for a time (`requestPauseMs`).
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, request_unknown
 */
export async function decline(ctx: LogContext, by: string, { conversation, user }: Place): Promise<void> {
  let approvers: readonly string[] = []
  await change(ctx, by, conversation, async ({ kind, rules, role, client }) => {
    demandGroup(kind)
    demandPermitted(rules, 'addMembers', role)
    await demandOpen(client, `UPDATE join_requests SET declined = true, changed_at = now() WHERE ${open}`, {
      conversation,
      user,
    })
    approvers = await approversOf(client, conversation, rules)
    return undefined
  })
  tellJoinAnswered(ctx, { conversation, user, approvers }, 'declined')
}

/** @throws Refusal request_unknown */
export async function withdraw(ctx: LogContext, by: string, conversation: string): Promise<void> {
  // Nothing is locked: whom to tell is asked first, so that nothing fails once it is withdrawn.
  const found = await ctx.pool.query<{ settings: StoredRules }>('SELECT settings FROM conversations WHERE id = $1', [
    conversation,
  ])
  const rules = rulesOf('group', found.rows[0]?.settings ?? {})
  const approvers = await approversOf(ctx.pool, conversation, rules)
  await demandOpen(ctx.pool, `DELETE FROM join_requests WHERE ${open}`, { conversation, user: by })
  tellJoinAnswered(ctx, { conversation, user: by, approvers }, 'withdrawn')
}

async function demandOpen(
  client: Pick<PoolClient, 'query'>,
  text: string,
  { conversation, user }: Place,
): Promise<void> {
  const found = await client.query(text, [conversation, user])
  if (found.rowCount === 0) throw new Refusal('request_unknown')
}
