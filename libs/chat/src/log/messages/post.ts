/** Posts a message: check, commit, tell. The socket and REST call the same verb. */
import { type Entry, type ErrorCode, entries, Refusal, refuseBody, type TextBody } from '@flotilla/protocol'
import { demandMayStillAsk, demandOpen } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type EntryRow, toEntries } from '../entries.ts'
import type { Membership, Standing } from '../memberships.ts'
import { mentioned } from '../../notices/notifications/mentioned.ts'
import { reserve } from '../requests/reserve.ts'
import { tellAsked } from '../requests/ask.ts'

export interface PostInput {
  readonly conversation: string
  /** Chosen by the device; the same one again is the same message. */
  readonly clientId: string
  readonly body: TextBody
  readonly replyTo?: number | undefined
}

/** Where the message came to stand. This value is the acknowledgement. */
export interface Posted {
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly epoch: number
}

const kind = entries['message.new'].number
/** A membership that moves at every attempt is a fault or an attack; the sender may come again. */
const attemptsMax = 5
const shutOutCodes: ReadonlySet<ErrorCode> = new Set(['not_a_member', 'direct_closed', 'request_waiting'])

/**
 * @param by the sender
 * @param origin the connection that gets the reply, so that it is not told a second time
 * @throws Refusal field_invalid, data_too_deep, conversation_unknown, not_a_member, direct_closed, request_waiting,
 *   message_unknown (the reply's target), rate_limited, quota_exceeded, overloaded, unavailable
 */
export async function post(ctx: LogContext, by: string, input: PostInput, origin?: object): Promise<Posted> {
  const refusal = refuseBody(input.body)
  if (refusal !== undefined) throw refusal
  return postChecked(ctx, by, input, { origin })
}

async function postChecked(
  ctx: LogContext,
  by: string,
  input: PostInput,
  { origin, inTurn = false }: { readonly origin: object | undefined; readonly inTurn?: boolean },
): Promise<Posted> {
  const place = { conversation: input.conversation, sender: by, clientId: input.clientId, kind }
  const startedAt = performance.now()
  const deadline = startedAt + ctx.settings.commitWaitMs
  /** The commit has a deadline of its own, which is the sender's only when nothing was waited for before. */
  let hasWaited = false
  let hasPaid = false
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    let membership: Membership
    try {
      const checked = checkMayPost(ctx, by, input)
      hasWaited ||= checked instanceof Promise
      membership = checked instanceof Promise ? await within(deadline, checked) : checked
    } catch (refused) {
      // Who was removed or blocked after the commit and before the acknowledgement still gets the first result (P2).
      const shutOut = refused instanceof Refusal && shutOutCodes.has(refused.code)
      const posted = shutOut ? await within(deadline, findPosted(ctx, by, input)) : undefined
      if (posted === undefined) throw refused
      return posted
    }
    if (membership.pending) {
      if (!inTurn)
        return ctx.turns.inOrder(input.conversation, () => postChecked(ctx, by, input, { origin, inTurn: true }))
      const reserved = await within(deadline, reserve(ctx, membership))
      if (reserved === undefined) continue
      membership = reserved
    }
    const written = JSON.stringify({ body: input.body })
    if (!hasPaid) ctx.spending.message(by, input.conversation, membership.size, Buffer.byteLength(written))
    hasPaid = true
    const addedAt = ctx.trace === undefined ? 0 : performance.now()
    const adding = ctx.inserts.add({
      ...place,
      version: membership.version,
      replyTo: input.replyTo,
      sealed: ctx.seal.seal(place, written),
      absent: membership.large ? [] : ctx.presumedAbsent(membership.users),
    })
    // Both take the same number of turns after the commit: of one batch, what is later in the log is told later.
    const placed = await (hasWaited ? within(deadline, adding) : adding.then(same))
    hasWaited = true
    if (placed === 'stale' || placed === 'unknown') {
      ctx.memberships.drop(input.conversation, membership.version + 1)
      continue
    }
    const { seq, at } = placed
    ctx.trace?.({ conversation: input.conversation, seq }, { name: 'commit', startedAt: addedAt })
    membership.headSeen = Math.max(membership.headSeen, seq)
    const epoch = ctx.epoch()
    const entry =
      placed.earlier === undefined
        ? tell(ctx, membership, messageNew(by, input, { seq, at, epoch }), origin)
        : await tellAgain(ctx, placed.earlier)
    if (input.body.mentions !== undefined) await mentioned(ctx, entry)
    if (membership.pending) await tellAsked(ctx, input.conversation)
    ctx.trace?.(
      { conversation: input.conversation, seq },
      { name: 'message.send', startedAt, root: true, attributes: { attempt } },
    )
    return { seq, at, epoch }
  }
  throw new Refusal('unavailable', 'unable to post: the membership of the conversation keeps changing', {
    retryMs: 1_000,
  })
}

/**
 * At the deadline the sender is told that the store is away, whatever it was that took so long. What is under way may come
 * to its end all the same, which a repetition finds out.
 */
function within<T>(deadline: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const tell = () => reject(new Refusal('unavailable', undefined, { retryMs: 2_000 }))
  const timer = setTimeout(tell, Math.max(0, deadline - performance.now()))
  work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}

const same = <T>(result: T): T => result

/** Whom it is for was decided by the version that the commit compared, so it is exact (P8). */
function tell(ctx: LogContext, membership: Membership, event: Entry, origin: object | undefined): Entry {
  const { conversation, seq, at } = event
  ctx.emit({
    to: membership.large ? { conversation, version: membership.version } : membership.users,
    event,
    entry: { conversation, seq, at },
    ...(origin === undefined ? {} : { origin }),
  })
  return event
}

/**
 * Tells a repetition again, as it was stored: the first time may have been committed by a process that then died. The
 * membership by which the repetition was decided may be old, since no version was compared; so it is read anew, and
 * whoever was added after the entry is left out (P8).
 */
async function tellAgain(ctx: LogContext, earlier: EntryRow): Promise<Entry> {
  const entry = (await toEntries(ctx.seal, [earlier], ctx.epoch()))[0]!
  const { conversation, seq } = entry
  ctx.memberships.drop(conversation)
  const membership = await ctx.memberships.of(conversation)
  if (membership === undefined || membership.closed) return entry
  const { large, version, members, users } = membership
  const entitled = users.filter(user => members.get(user)!.joinedSeq <= seq)
  ctx.emit({ to: large ? { conversation, version } : entitled, event: entry, entry: { conversation, seq } })
  return entry
}

/** The result of the first time, if this is a repetition. */
async function findPosted(ctx: LogContext, by: string, input: PostInput): Promise<Posted | undefined> {
  const found = await ctx.pool.query<{ seq: number; at: number }>(
    `SELECT m.seq, (extract(epoch FROM m.created_at) * 1000)::float8 AS at FROM messages m
      WHERE m.conversation_id = $1 AND m.sender_id = $2 AND m.client_id = $3`,
    [input.conversation, by, input.clientId],
  )
  const row = found.rows[0]
  return row === undefined ? undefined : { seq: row.seq, at: Math.round(row.at), epoch: ctx.epoch() }
}

function messageNew(by: string, input: PostInput, posted: Posted): Entry {
  const { conversation, clientId, body, replyTo } = input
  const { seq, epoch, at } = posted
  return {
    event: 'message.new',
    conversation,
    seq,
    epoch,
    at,
    by,
    clientId,
    body,
    ...(replyTo === undefined ? {} : { replyTo }),
  }
}

/** All that fails by the sender's standing. Decided on a membership that may be stale: the commit finds that out. */
function checkMayPost(ctx: LogContext, by: string, input: PostInput): Membership | Promise<Membership> {
  const standing = ctx.memberships.demand(input.conversation, by)
  if (!(standing instanceof Promise) && input.replyTo === undefined) {
    demandMayWrite(ctx, standing.membership)
    return standing.membership
  }
  return checkSlowly(ctx, standing, input.replyTo)
}

function demandMayWrite(ctx: LogContext, { closed, pending, headSeen }: Membership): void {
  demandOpen(closed)
  if (pending) demandMayStillAsk(headSeen, ctx.settings.requestMessagesMax)
}

async function checkSlowly(
  ctx: LogContext,
  standing: Standing | Promise<Standing>,
  replyTo: number | undefined,
): Promise<Membership> {
  const { membership, member } = await standing
  demandMayWrite(ctx, membership)
  if (replyTo !== undefined) await checkReply(ctx, membership, member.joinedSeq, replyTo)
  return membership
}

/** The log has no gaps, so an entry exists when its seq is at most the head. */
async function checkReply(ctx: LogContext, membership: Membership, joinedSeq: number, replyTo: number): Promise<void> {
  if (replyTo > membership.headSeen) {
    const found = await ctx.pool.query<{ head_seq: number }>('SELECT head_seq FROM conversations WHERE id = $1', [
      membership.conversation,
    ])
    membership.headSeen = found.rows[0]?.head_seq ?? membership.headSeen
  }
  if (replyTo < joinedSeq || replyTo > membership.headSeen)
    throw new Refusal('message_unknown', undefined, {
      field: 'replyTo',
      rule: `a seq from ${joinedSeq} to ${membership.headSeen}`,
    })
}
