/** A request to join a group ends: somebody lets them in, or does not, or they do not want to any more. */
import { type EventOf, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { addedToGroup } from '../../notices/notifications/added-to-group.ts'
import { demandHeld } from '../../users/hold.ts'
import { demandNoneBanned } from '../conversations/bans.ts'
import { type Changed, change } from '../conversations/change.ts'
import { demandRoomToJoin, joinGroup } from '../conversations/join-group.ts'
import { approversOf } from './approvers.ts'

const take = 'DELETE FROM join_requests WHERE conversation_id = $1 AND user_id = $2 AND NOT declined'

interface Place {
  readonly conversation: string
  readonly user: string
}

/**
 * Lets somebody in who asks to join. Of an approval and a withdrawal at once the first one counts.
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
      await demandOpen(locked.client, take, { conversation, user })
      await demandNoneBanned(locked.client, conversation, [user])
      await demandRoomToJoin(ctx, locked, user, by)
      return joinGroup(locked, conversation, [user], 'request')
    },
    { hold: [user] },
  )
  await addedToGroup(ctx, by, { conversation, seq: changed.seq, users: [user] })
  await tellAnswered(ctx, { conversation, user }, 'approved')
  return changed
}

/**
 * The person may not ask again for a time (`requestPauseMs`).
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, request_unknown
 */
export async function decline(ctx: LogContext, by: string, { conversation, user }: Place): Promise<void> {
  await change(ctx, by, conversation, async ({ kind, rules, role, client }) => {
    demandGroup(kind)
    demandPermitted(rules, 'addMembers', role)
    await demandOpen(
      client,
      `UPDATE join_requests SET declined = true, changed_at = now()
        WHERE conversation_id = $1 AND user_id = $2 AND NOT declined`,
      { conversation, user },
    )
    return undefined
  })
  await tellAnswered(ctx, { conversation, user }, 'declined')
}

/** @throws Refusal request_unknown */
export async function withdraw(ctx: LogContext, by: string, conversation: string): Promise<void> {
  await demandOpen(ctx.pool, take, { conversation, user: by })
  await tellAnswered(ctx, { conversation, user: by }, 'withdrawn')
}

async function demandOpen(
  client: Pick<PoolClient, 'query'>,
  text: string,
  { conversation, user }: Place,
): Promise<void> {
  const ended = await client.query(text, [conversation, user])
  if (ended.rowCount === 0) throw new Refusal('request_unknown')
}

async function tellAnswered(ctx: LogContext, place: Place, answer: EventOf<'join.answered'>['answer']): Promise<void> {
  const approvers = await approversOf(ctx, place.conversation)
  ctx.emit({
    class: 'signal',
    to: [...new Set([place.user, ...approvers])],
    event: { event: 'join.answered', ...place, answer },
  })
}
