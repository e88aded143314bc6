import { demandGroup, demandMayLeave } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'
import { findHeir } from './hand-on.ts'

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

/**
 * Somebody is taken out of a group because they are erased. The group goes on, with an owner, whatever happens at the same
 * moment: who it goes to is decided under the lock, and stands in the entry that says that they left.
 * @throws Refusal conversation_unknown, not_a_member
 * @throws Error when all others are being erased too: the last of them ends the group
 */
export function leaveErased(ctx: LogContext, by: string, conversation: string): Promise<Changed> {
  return change(ctx, by, conversation, async ({ role, size, client, owners }) => {
    if (role !== 'owner' || size <= 1 || (await owners()) > 1) return { event: 'member.left' }
    const heir = await findHeir(client, conversation, by)
    if (heir === undefined) throw new Error('unable to hand a group on: nobody else is there any more')
    return { event: 'member.left', heir }
  })
}
