import { demandGroup, demandMaySilence } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'

/**
 * Lets a member read and not post until a time. It holds at the commit: the membership version rises with it.
 * @param input.until milliseconds since 1970; null, or a time that has passed, ends it
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, user_unknown
 */
export function silenceMember(
  ctx: LogContext,
  by: string,
  input: { readonly conversation: string; readonly user: string; readonly until: number | null },
): Promise<Changed> {
  const { conversation, user, until } = input
  return change(ctx, by, conversation, async locked => {
    demandGroup(locked.kind)
    demandMaySilence(locked.role, await locked.roleOfTarget(user))
    return { event: 'member.silenced', user, until: until !== null && until > ctx.clock() ? until : null }
  })
}
