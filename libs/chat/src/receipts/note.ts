/** The two receipts: what has arrived on a device, and what the person has read. */
import { demandMember } from '../access.ts'
import type { ChatContext } from '../context.ts'
import type { Membership } from '../memberships.ts'
import type { Risen } from './book.ts'

export interface ReceiptInput {
  readonly conversation: string
  readonly seq: number
}

/**
 * Everything up to seq has arrived without a gap.
 * @returns after the commit
 * @throws Refusal conversation_unknown, not_a_member, overloaded, unavailable
 */
export function delivered(ctx: ChatContext, by: string, input: ReceiptInput): Promise<void> {
  return note(ctx, by, input.conversation, { delivered: input.seq, read: 0 })
}

/** Everything up to seq has been read, and so has arrived. */
export function read(ctx: ChatContext, by: string, input: ReceiptInput): Promise<void> {
  return note(ctx, by, input.conversation, { delivered: input.seq, read: input.seq })
}

async function note(
  ctx: ChatContext,
  by: string,
  conversation: string,
  cursor: { delivered: number; read: number },
): Promise<void> {
  const membership = await ctx.memberships.of(conversation)
  const member = membership === undefined ? undefined : await ctx.memberships.member(membership, by)
  demandMember(membership !== undefined, member)
  await ctx.receipts.note(conversation, by, cursor, risen => tell(ctx, membership!, risen))
}

/** In a crowd nobody looks at who has had what, and telling it would cost more than the messages. */
function tell(ctx: ChatContext, membership: Membership, risen: Risen): void {
  if (membership.large || membership.size > ctx.settings.receiptFanoutMax) return
  const { conversation, user } = risen
  ctx.emit({
    to: membership.users,
    event: risen.readRose
      ? { event: 'message.read', conversation, user, seq: risen.read }
      : { event: 'message.delivered', conversation, user, seq: risen.delivered },
  })
}
