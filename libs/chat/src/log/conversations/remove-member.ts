import { demandGroup, demandManager, demandMayRemove } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'
import { leave } from './leave.ts'

/**
 * Removes a member. The entry is the last that this person gets; nothing with a later seq reaches them (P8).
 * Whoever removes oneself leaves.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, user_unknown, last_owner
 */
export function removeMember(
  ctx: LogContext,
  by: string,
  input: { conversation: string; user: string },
): Promise<Changed> {
  const { conversation, user } = input
  if (user === by) return leave(ctx, by, { conversation })
  return change(ctx, by, conversation, async locked => {
    demandGroup(locked.kind)
    demandManager(locked.role)
    demandMayRemove(locked.role, await locked.roleOfTarget(user))
    return { event: 'member.removed', user }
  })
}
