import { demandGroup, demandMayLeave } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'

/**
 * The caller leaves a group. The last owner hands the role on first, unless nobody else is there.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, last_owner
 */
export function leave(ctx: LogContext, by: string, input: { conversation: string }): Promise<Changed> {
  return change(ctx, by, input.conversation, async locked => {
    demandGroup(locked.kind)
    demandMayLeave(locked.role, locked.role === 'owner' ? await locked.owners() : 0, locked.size)
    return { event: 'member.left' }
  })
}
