/** The two receipts: what has arrived on a device, and what the person has read. */
import { shows } from '../../access.ts'
import { blockedOf } from '../../privacy/between.ts'
import type { LogContext } from '../context.ts'
import { tellUnmarked } from '../conversations/settings.ts'
import type { Membership } from '../memberships.ts'
import { type Restriction, unrestricted } from '../../users/restrictions.ts'
import { audience } from '../../privacy/visible.ts'
import type { Risen } from './book.ts'
import { noteInCrowd } from './crowd.ts'

export interface ReceiptInput {
  readonly conversation: string
  readonly seq: number
}

/**
 * Everything up to seq has arrived without a gap.
 * @returns after the commit
 * @throws Refusal conversation_unknown, not_a_member, overloaded, unavailable
 */
export function delivered(ctx: LogContext, by: string, input: ReceiptInput): Promise<void> {
  return note(ctx, by, input.conversation, { delivered: input.seq, read: 0 })
}

/** Everything up to seq has been read, and so has arrived. */
export function read(ctx: LogContext, by: string, input: ReceiptInput): Promise<void> {
  return note(ctx, by, input.conversation, { delivered: input.seq, read: input.seq })
}

async function note(
  ctx: LogContext,
  by: string,
  conversation: string,
  cursor: { delivered: number; read: number },
): Promise<void> {
  const standing = ctx.memberships.demand(conversation, by)
  const { membership } = standing instanceof Promise ? await standing : standing
  await ctx.receipts.note(conversation, by, cursor, risen => {
    tellOnTime(ctx, membership, risen)
    if (risen.unmarked) void tellUnmarked(ctx, risen)
  })
}

/**
 * The membership that was asked may be old by now, or in a process without sockets for hours. A receipt of a later
 * entry has a later version too: then the members are read anew, so that nobody who was removed before it hears of it.
 */
function tellOnTime(ctx: LogContext, asked: Membership, risen: Risen): void {
  if (asked.version >= risen.version) return tell(ctx, asked, risen)
  const { conversation, version } = risen
  ctx.memberships.drop(conversation, version)
  ctx.memberships.of(conversation).then(
    membership => membership !== undefined && tell(ctx, membership, risen),
    (error: unknown) => ctx.logger.warn({ err: error }, 'unable to announce a receipt'),
  )
}

/**
 * A person's own other devices need to know what was read, not what has arrived. In a crowd nobody looks at who has had
 * what, and telling it would cost more than the messages: there it is counted.
 */
function tell(ctx: LogContext, membership: Membership, risen: Risen): void {
  if (membership.large || membership.size > ctx.settings.receiptFanoutMax)
    return noteInCrowd(ctx, membership, risen.conversation)
  // What is not told any more for now is read with the list of members.
  if (!ctx.spending.notice(risen.user, membership.size)) return
  if (membership.closed) return emit(ctx, risen, [risen.user], [])
  const restriction = ctx.restrictions.of(risen.user)
  if (restriction === unrestricted) return emit(ctx, risen, membership.users, [])
  // What is not told is read with the list of members.
  tellSome(ctx, membership, risen, restriction).catch((error: unknown) =>
    ctx.logger.warn({ err: error }, 'unable to announce a receipt'),
  )
}

/**
 * To whom the person does not show what they read, it has arrived, if that is news and if the person shows them when they
 * are here: an arrival tells just that. Across a block nothing is told.
 */
async function tellSome(
  ctx: LogContext,
  membership: Membership,
  risen: Risen,
  asked: Restriction | Promise<Restriction>,
): Promise<void> {
  const restriction = await asked
  if (restriction === unrestricted) return emit(ctx, risen, membership.users, [])
  const { user } = risen
  const others = membership.users.filter(one => one !== user)
  const blocked = await blockedOf(ctx, user, others, restriction)
  const heard = others.filter(one => !blocked.has(one))
  const shown = risen.readRose ? await shownTo(ctx, user, heard, 'read_receipts', restriction) : nobody
  const readers = heard.filter(one => shown.has(one))
  const rest = heard.filter(one => !shown.has(one))
  const reached = risen.deliveredRose ? await shownTo(ctx, user, rest, 'last_seen', restriction) : nobody
  emit(
    ctx,
    risen,
    [user, ...readers],
    rest.filter(one => reached.has(one)),
  )
}

const nobody: ReadonlySet<string> = new Set()

/** Asks the store only where the cache cannot know: who is a contact changes without being named by the pulse. */
async function shownTo(
  ctx: LogContext,
  user: string,
  others: readonly string[],
  what: 'read_receipts' | 'last_seen',
  { readReceiptVisibility, lastSeenVisibility, blocked }: Restriction,
): Promise<ReadonlySet<string>> {
  const to = what === 'read_receipts' ? readReceiptVisibility : lastSeenVisibility
  if (to === 'contacts' || blocked === undefined) return audience(ctx, user, others, what)
  return new Set(others.filter(one => shows(to, { contact: false, blocked: blocked.has(one) })))
}

/**
 * What had arrived before is not told again when it is read: that would tell `rest` the moment.
 * @param readers hear what was read, when it was
 * @param rest hear that it has arrived. The person is no news to themselves
 */
function emit(ctx: LogContext, risen: Risen, readers: readonly string[], rest: readonly string[]): void {
  const { conversation, user, readRose } = risen
  const reached = readRose ? rest : [...readers.filter(one => one !== user), ...rest]
  if (readRose)
    ctx.emit({ class: 'ephemeral', to: readers, event: { event: 'message.read', conversation, user, seq: risen.read } })
  if (risen.deliveredRose && reached.length > 0)
    ctx.emit({
      class: 'ephemeral',
      to: reached,
      event: { event: 'message.delivered', conversation, user, seq: risen.delivered },
    })
}
