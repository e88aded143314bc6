import type { Role } from '@flotilla/protocol'
import { demandGroup, demandMayChangeRole } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'

/**
 * Gives a member another role. A group keeps an owner.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, user_unknown, last_owner
 */
export function changeRole(
  ctx: LogContext,
  by: string,
  input: { conversation: string; user: string; role: Role },
): Promise<Changed> {
  const { user, role } = input
  return change(ctx, by, input.conversation, async locked => {
    demandGroup(locked.kind)
    const target = await locked.roleOfTarget(user)
    demandMayChangeRole(locked.role, target, role, target === 'owner' ? await locked.owners() : 0)
    return { event: 'member.changed', user, role }
  })
}
