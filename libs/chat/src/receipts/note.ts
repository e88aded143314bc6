/** The two receipts: what has arrived on a device, and what the person has read. */
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
  const standing = ctx.memberships.demand(conversation, by)
  const { membership } = standing instanceof Promise ? await standing : standing
  await ctx.receipts.note(conversation, by, cursor, risen => tell(ctx, membership, risen))
}

/**
 * A person's own other devices need to know what was read, not what has arrived. In a crowd nobody looks at who has had
 * what, and telling it would cost more than the messages.
 */
function tell(ctx: ChatContext, membership: Membership, risen: Risen): void {
  if (membership.large || membership.size > ctx.settings.receiptFanoutMax) return
  const { conversation, user, readRose } = risen
  ctx.emit({
    to: readRose ? membership.users : membership.users.filter(one => one !== user),
    event: readRose
      ? { event: 'message.read', conversation, user, seq: risen.read }
      : { event: 'message.delivered', conversation, user, seq: risen.delivered },
  })
}
