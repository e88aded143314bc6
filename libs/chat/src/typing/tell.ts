/** Tells the other members who are here that somebody types. Nothing is stored (P10). */
import type { ChatContext } from '../context.ts'

/** @throws Refusal conversation_unknown, not_a_member */
export async function tell(
  ctx: ChatContext,
  by: string,
  input: { conversation: string; typing: boolean },
): Promise<void> {
  const { membership } = await ctx.memberships.demand(input.conversation, by)
  if (membership.large || membership.size > ctx.settings.typingFanoutMax) return
  ctx.emit({
    to: membership.users.filter(user => user !== by),
    event: { event: input.typing ? 'typing.start' : 'typing.stop', conversation: input.conversation, user: by },
  })
}
