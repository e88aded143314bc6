import { demandOpen, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type Changed, change } from './change.ts'

/**
 * Lets the messages that are posted from here on disappear so long after they were sent, or stay. To set what is set
 * changes nothing.
 * @param input.timerMs null for ever
 * @throws Refusal conversation_unknown, not_a_member, role_insufficient, blocked
 */
export async function setTimer(
  ctx: LogContext,
  by: string,
  input: { conversation: string; timerMs: number | null },
): Promise<Changed> {
  const { conversation, timerMs } = input
  const { membership } = await ctx.memberships.demand(conversation, by)
  demandOpen(membership.closed)
  return change(ctx, by, conversation, locked => {
    demandPermitted(locked.rules, 'edit', locked.role)
    return locked.timerMs === timerMs ? undefined : { event: 'conversation.timer_changed', timerMs }
  })
}
