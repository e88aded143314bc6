/**
 * Tells the other members who are here that somebody types. Nothing is stored (P10). A block keeps it back, and so does a
 * budget that is spent: whoever types on is told of again.
 */
import { blockedOf } from '../../privacy/between.ts'
import type { LogContext } from '../context.ts'

/** @throws Refusal conversation_unknown, not_a_member */
export async function tell(
  ctx: LogContext,
  by: string,
  input: { conversation: string; typing: boolean },
): Promise<void> {
  const { membership } = await ctx.memberships.demand(input.conversation, by)
  if (membership.closed || membership.large || membership.size > ctx.settings.typingFanoutMax) return
  if (!ctx.spending.notice(by, membership.size)) return
  const others = membership.users.filter(user => user !== by)
  if (membership.kind === 'direct') {
    const blocked = await blockedOf(ctx, by, others, await ctx.restrictions.of(by))
    if (others.some(user => blocked.has(user))) return
  }
  ctx.emit({
    class: 'ephemeral',
    to: others,
    event: { event: input.typing ? 'typing.start' : 'typing.stop', conversation: input.conversation, user: by },
    asOf: { conversation: input.conversation, version: membership.version },
  })
}
