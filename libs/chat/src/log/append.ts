/**
 * The one way by which what somebody does becomes an entry of a log: check, commit, tell. What differs from kind to kind is
 * said by its rule; what is promised is the same for all:
 * - the answer comes after the commit, and a repetition with the same clientId gets the first result (P1, P2);
 * - whom an entry is for was decided by the membership that the commit compared, so it is exact (P8);
 * - of one commit, what is later in the log is told later.
 * What a kind decides by more than the membership is done under the lock of the conversation (commit-locked.ts), as changes
 * of the conversation itself are (conversations/change.ts).
 */
import {
  type Entry,
  type EntryOf,
  type EntryOp,
  type ErrorCode,
  type KindMadeBy,
  kindMadeBy,
  Refusal,
} from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { demandMayPost, demandMayStillAsk, demandOpen, pauseMsOf } from '../access.ts'
import type { EmittedEntry } from '../ports.ts'
import { uniqueViolation } from '../store/failures.ts'
import { commitLocked, type Committed, type Locking } from './commit-locked.ts'
import type { LogContext } from './context.ts'
import { entryColumns, type EntryRow, type PayloadOf, plainOf, toEntries } from './entries.ts'
import type { Membership, Standing } from './memberships.ts'
import { mentionedBy } from './messages/mentioned-by.ts'
import { takeTurn } from './messages/slow-mode.ts'
import { tellMentioned, withdrawMentions } from './messages/tell-mentioned.ts'
import { tellAsked } from './requests/ask.ts'
import { asAllMaySee, asSenderMaySee } from './messages/forwarded.ts'
import { reserve } from './requests/reserve.ts'
import type { AnyRule, Appended, Checked, InputOf, LockedRule, Rule } from './rule.ts'

/** What is decided by moves at every attempt: that is a fault or an attack, and the caller may come again. */
const attemptsMax = 5
/** What may be refused that was committed before, because its acknowledgement was lost. */
const lateCodes: ReadonlySet<ErrorCode> = new Set([
  'not_a_member',
  'blocked',
  'request_pending',
  'message_unknown',
  'too_late',
  'role_insufficient',
  'silenced',
  'forwarding_disabled',
  'rate_limited',
])

/** What the rules of a group refuse. */
const codesOfRules: ReadonlySet<ErrorCode> = new Set(['role_insufficient', 'silenced', 'rate_limited', 'too_late'])

/**
 * @param by who does it
 * @param origin the connection that gets the reply, so that it is not told a second time
 * @throws Refusal conversation_unknown, not_a_member, blocked, request_pending, role_insufficient, silenced, rate_limited, quota_exceeded,
 *   overloaded, unavailable, and those of the rule
 */
export async function append<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  usual: AnyRule<O>,
  input: InputOf<O>,
  origin?: object,
): Promise<Appended> {
  const rule = usual.instead?.(input) ?? usual
  const refusal = rule.refuse(input)
  if (refusal !== undefined) throw refusal
  if ('check' in rule) return appendChecked(ctx, by, rule, input, { origin })
  const deadline = performance.now() + ctx.settings.commitWaitMs
  return within(deadline, appendLocked(ctx, by, rule, input, { origin, deadline }))
}

async function appendChecked<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  rule: Rule<O>,
  input: InputOf<O>,
  { origin, inTurn = false }: { readonly origin: object | undefined; readonly inTurn?: boolean },
): Promise<Appended> {
  const { conversation, clientId, replyTo }: Placing = input
  const event = kindMadeBy[rule.op] as KindMadeBy<O>
  const place = { conversation, sender: by, clientId, kind: entries[event].number }
  const startedAt = performance.now()
  const deadline = startedAt + ctx.settings.commitWaitMs
  let hasPaid = false
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    /** The commit has a deadline of its own, which is the caller's only when nothing was waited for before. */
    let hasWaited = attempt > 1
    let standing: Standing | undefined
    let decided: Checked<O> | undefined
    try {
      const demanding = ctx.memberships.demand(conversation, by)
      standing = demanding instanceof Promise ? await within(deadline, demanding) : demanding
      const deciding = decide(ctx, by, rule, input, standing)
      hasWaited ||= demanding instanceof Promise || deciding instanceof Promise
      decided = deciding instanceof Promise ? await within(deadline, deciding) : deciding
    } catch (refused) {
      if (await within(deadline, isByOldRules(ctx, standing, refused))) continue
      return within(deadline, firstResult(ctx, by, rule, input, refused))
    }
    let { membership } = standing
    const payload = (decided?.payload ?? rule.payload?.(input)) as PayloadOf<KindMadeBy<O>>
    const mentions = mentionedBy(rule.says(payload).body, by)
    const plain = plainOf(event, payload)
    if (membership.pending) {
      if (!inTurn)
        return ctx.turns.inOrder(conversation, () => appendChecked(ctx, by, rule, input, { origin, inTurn: true }))
      const reserved = await within(deadline, reserve(ctx, membership))
      if (reserved === undefined) continue
      membership = reserved
    }
    if (!hasPaid) ctx.spending.message(by, conversation, membership.size, Buffer.byteLength(plain))
    hasPaid = true
    const timerMs = rule.counts ? membership.timerMs : undefined
    const addedAt = ctx.trace === undefined ? 0 : performance.now()
    const absent = membership.large || !rule.pushes ? [] : ctx.presumedAbsent(membership.users)
    const adding = ctx.inserts.add({
      ...place,
      version: membership.version,
      replyTo,
      sealed: ctx.seal.seal(place, plain),
      absent,
      timerMs,
      mentions,
      change: decided?.change,
    })
    // Both take the same number of turns after the commit: of one batch, what is later in the log is told later.
    const placed = await (hasWaited ? within(deadline, adding) : adding.then(same))
    if (placed === 'stale' || placed === 'unknown') {
      ctx.memberships.drop(conversation, membership.version + 1)
      continue
    }
    const { seq, at, earlier } = placed
    ctx.trace?.({ conversation, seq }, { name: 'commit', startedAt: addedAt })
    membership.headSeen = Math.max(membership.headSeen, seq)
    const expiresAt = timerMs === undefined ? undefined : at + timerMs
    const stands = { event, conversation, seq, epoch: ctx.epoch(), at, by, clientId }
    const made = madeOf(stands, payload, { replyTo, expiresAt })
    const done = earlier === undefined ? { entry: made, owed: absent } : { earlier }
    const entry = await tellDone(ctx, membership, rule, done, origin)
    if (mentions.length > 0) await tellMentions(ctx, rule, entry, membership.large)
    const { target, unmentioned = [] } = decided?.change ?? {}
    if (target !== undefined && unmentioned.length > 0) await withdrawMentions(ctx, conversation, target, unmentioned)
    if (membership.pending) await tellAsked(ctx, conversation)
    ctx.trace?.({ conversation, seq }, { name: rule.op, startedAt, root: true, attributes: { attempt } })
    return toAppended(ctx, by, rule, entry)
  }
  throw new Refusal('unavailable', undecided, { retryMs: 1_000 })
}

/** The membership is decided by before, and compared under the lock: so a small conversation's members are not read anew. */
async function appendLocked<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  rule: LockedRule<O>,
  input: InputOf<O>,
  { origin, deadline }: { readonly origin: object | undefined; readonly deadline: number },
): Promise<Appended> {
  const { conversation, clientId, replyTo }: Placing = input
  const startedAt = performance.now()
  let hasPaid = false
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    let standing: Standing | undefined
    try {
      standing = await ctx.memberships.demand(conversation, by)
      demandOpen(standing.membership.closed)
      if (rule.counts) demandMayPost(standing.membership.rules, standing.member, ctx.clock)
    } catch (refused) {
      if (await isByOldRules(ctx, standing, refused)) continue
      return firstResult(ctx, by, rule, input, refused)
    }
    const { membership, member } = standing
    const gather = membership.large ? rule.gather : undefined
    const pay = () => {
      const people = gather === undefined ? membership.size : 0
      if (!hasPaid) ctx.spending.message(by, conversation, people, Buffer.byteLength(JSON.stringify(input)))
      hasPaid = true
    }
    if (gather !== undefined) {
      pay()
      const gathered = await gather(ctx, { ...standing, conversation, by }, input)
      if (gathered !== 'stale') return gathered
      ctx.memberships.drop(conversation, membership.version + 1)
      continue
    }
    const command = { rule, input, conversation, clientId, replyTo, by, membership, member, deadline, pay }
    // One at a time: they would wait for each other at the lock, each with a connection.
    const done = await ctx.turns
      .inOrder(conversation, () => commitLocked(ctx, command as unknown as Locking))
      .catch((error: unknown) => firstAtOnce(ctx, by, input, error))
    if (done === 'stale') {
      ctx.memberships.drop(conversation, membership.version + 1)
      continue
    }
    if ('standing' in done) return { ...done.standing, epoch: ctx.epoch(), entry: null }
    const entry = await tellDone(ctx, membership, rule, done, origin)
    if (!('said' in done)) {
      await tellMentions(ctx, rule, entry, membership.large)
      if (entry.event === kindMadeBy[rule.op]) await rule.tell?.(ctx, entry as EntryOf<KindMadeBy<O>>, membership.large)
    }
    if (membership.pending && rule.pushes) await tellAsked(ctx, conversation)
    const { seq } = entry
    membership.headSeen = Math.max(membership.headSeen, seq)
    ctx.trace?.({ conversation, seq }, { name: rule.op, startedAt, root: true, attributes: { attempt } })
    return toAppended(ctx, by, rule, entry)
  }
  throw new Refusal('unavailable', undecided, { retryMs: 1_000 })
}

const undecided = 'unable to write the entry: too many concurrent changes'

/** What the same command has made the other time, also when it was sent twice at once. @throws what refused it this time */
async function firstAtOnce(
  ctx: LogContext,
  by: string,
  input: Placing,
  error: unknown,
): Promise<{ readonly earlier: EntryRow }> {
  if (!(error instanceof Refusal) && uniqueViolation(error) === undefined) throw error
  const earlier = await findEarlier(ctx, by, input)
  if (earlier === undefined) throw error
  return { earlier }
}

async function findEarlier(ctx: LogContext, by: string, input: Placing): Promise<EntryRow | undefined> {
  const found = await ctx.pool.query<EntryRow>({
    name: 'entries-earlier',
    text: `SELECT ${entryColumns} FROM messages m WHERE m.conversation_id = $1 AND m.sender_id = $2 AND m.client_id = $3`,
    values: [input.conversation, by, input.clientId],
  })
  return found.rows[0]
}

// ── before the commit ────────────────────────────────────────────────────────────────────────────────────────────────

/** What all commands that make an entry have. */
interface Placing {
  readonly conversation: string
  readonly clientId: string
  readonly replyTo?: number | undefined
}

/** All that fails by the caller's standing. Decided on what may be stale: the commit finds that out. */
function decide<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  rule: Rule<O>,
  input: InputOf<O>,
  standing: Standing,
): ReturnType<Rule<O>['check']> {
  const { membership, member } = standing
  demandOpen(membership.closed)
  if (rule.counts) demandMayPost(membership.rules, member, ctx.clock)
  if (membership.pending) demandMayStillAsk(membership.headSeen, ctx.settings.requestMessagesMax)
  const checking = rule.check(ctx, by, input, standing)
  const pauseMs = rule.counts ? pauseMsOf(membership.rules, member.role) : 0
  return pauseMs > 0 ? checkedInTurn(ctx, by, input, checking, pauseMs) : checking
}

/** In slow mode a message that may go takes the member's turn. */
async function checkedInTurn<C>(
  ctx: LogContext,
  by: string,
  { conversation, clientId }: Placing,
  checking: C,
  pauseMs: number,
): Promise<Awaited<C>> {
  const checked = await checking
  await takeTurn(ctx.pool, { conversation, sender: by, clientId }, pauseMs)
  return checked
}

/**
 * Refused by the rules of a group that were old in this process: only a commit would find that out. It is decided once more,
 * by what the store says, so that whoever may again is heard at once.
 */
async function isByOldRules(ctx: LogContext, standing: Standing | undefined, refused: unknown): Promise<boolean> {
  if (standing === undefined || !(refused instanceof Refusal) || !codesOfRules.has(refused.code)) return false
  return ctx.memberships.dropIfOld(standing.membership)
}

/** Who was shut out between the commit and the acknowledgement still gets the first result (P2). @throws what refused it */
async function firstResult<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  rule: AnyRule<O>,
  input: InputOf<O>,
  refused: unknown,
): Promise<Appended> {
  if (!(refused instanceof Refusal) || !lateCodes.has(refused.code)) throw refused
  const earlier = await findEarlier(ctx, by, input)
  if (earlier === undefined) throw refused
  return toAppended(ctx, by, rule, (await toEntries(ctx.seal, [earlier], ctx.epoch()))[0]!)
}

/** Only what was forwarded waits: of everything else, what is later in the log is answered later. */
async function toAppended<O extends EntryOp>(
  ctx: LogContext,
  by: string,
  rule: AnyRule<O>,
  entry: Entry,
): Promise<Appended> {
  const { seq, at, epoch } = entry
  if (saysAll(rule) && !('expiresAt' in entry)) return { seq, at, epoch }
  return { seq, at, epoch, entry: 'forwarded' in entry ? await asSenderMaySee(ctx, by, entry) : entry }
}

/** Whether the command holds all that its entry does, so that the acknowledgement needs no more than the place. */
const saysAll = <O extends EntryOp>(rule: AnyRule<O>): boolean => 'payload' in rule

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

// ── after the commit ─────────────────────────────────────────────────────────────────────────────────────────────────

/** TypeScript loses the tie between an event's name and its fields when they are spread. */
const madeOf = (
  stands: object,
  payload: object,
  { replyTo, expiresAt }: { readonly replyTo: number | undefined; readonly expiresAt: number | undefined },
): Entry =>
  ({
    ...stands,
    ...payload,
    ...(replyTo === undefined ? undefined : { replyTo }),
    ...(expiresAt === undefined ? undefined : { expiresAt }),
  }) as unknown as Entry

/** What stood already is told to nobody but the one who has said it once more. */
async function tellDone(
  ctx: LogContext,
  membership: Membership,
  { pushes }: { readonly pushes: boolean },
  done: Exclude<Committed, { readonly standing: unknown }>,
  origin: object | undefined,
): Promise<Entry> {
  if ('said' in done) return (await toEntries(ctx.seal, [done.said], ctx.epoch()))[0]!
  if ('earlier' in done) return tellAgain(ctx, membership, pushes, done.earlier)
  const { entry, owed } = done
  const { conversation, seq, at } = entry
  // Only what was forwarded waits here: of everything else, what is later in the log is told later.
  const event = 'forwarded' in entry ? await asAllMaySee(ctx, membership, entry) : entry
  // Whom it is for was decided by the version that the commit compared, so it is exact (P8).
  // What is spread comes first: V8 copies that at once, and one by one what comes later.
  ctx.emit({
    ...audienceOf(membership, membership.users, pushes),
    class: 'entry',
    event,
    entry: { conversation, seq, at },
    owed,
    origin,
  })
  return entry
}

/** @param users those of its people whom the entry is for @param pushes whether those who are away are owed it */
function audienceOf(
  { conversation, version, byInterest, large }: Membership,
  users: readonly string[],
  pushes: boolean,
): Pick<EmittedEntry, 'to' | 'people'> {
  if (!byInterest) return { to: users }
  const to = { conversation, version }
  return large || !pushes ? { to } : { to, people: users }
}

/**
 * Tells a repetition again, as it was stored: the first time may have been committed by a process that then died. The
 * membership by which the repetition was decided may be old, since no version was compared; then it is read anew, and
 * whoever was added after the entry is left out (P8).
 */
async function tellAgain(ctx: LogContext, decidedBy: Membership, pushes: boolean, earlier: EntryRow): Promise<Entry> {
  const entry = (await toEntries(ctx.seal, [earlier], ctx.epoch()))[0]!
  const { conversation, seq } = entry
  const isOld = await ctx.memberships.dropIfOld(decidedBy)
  const membership = isOld ? await ctx.memberships.of(conversation) : decidedBy
  if (membership === undefined || membership.closed) return entry
  const { members, users } = membership
  const entitled = users.filter(user => members.get(user)!.joinedSeq <= seq)
  ctx.emit({
    class: 'entry',
    ...audienceOf(membership, entitled, pushes),
    event: await asAllMaySee(ctx, membership, entry),
    entry: { conversation, seq },
  })
  return entry
}

/** @param entry as it was stored: a repetition tells those of the first time */
async function tellMentions<O extends EntryOp>(
  ctx: LogContext,
  rule: AnyRule<O>,
  entry: Entry,
  large: boolean,
): Promise<void> {
  // A clientId that was used for another kind of entry: what it says is not for this rule.
  if (rule.says === undefined || entry.event !== kindMadeBy[rule.op]) return
  const { conversation, by } = entry
  const { body, target: seq = entry.seq } = rule.says(entry as EntryOf<KindMadeBy<O>>)
  await tellMentioned(ctx, { conversation, seq, by, users: mentionedBy(body, by) }, large)
}
