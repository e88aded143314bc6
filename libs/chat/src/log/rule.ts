/**
 * What is particular about the kind of entry that a command makes: what append.ts asks of it. rules.ts lists the rules of all
 * kinds.
 */
import type { Body, CommandOf, Entry, EntryOf, EntryOp, KindMadeBy, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { LogContext } from './context.ts'
import type { PayloadOf } from './entries.ts'
import type { RowChange } from './insert-statements.ts'
import type { Member, Membership, Standing } from './memberships.ts'

/** What a command says beyond its operation. The `clientId` is chosen by the device: the same one again is the same entry. */
export type InputOf<O extends EntryOp> = Omit<CommandOf<O>, 'id' | 'op'>

/** Where the entry came to stand. This value is the acknowledgement. */
export interface Appended {
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly epoch: number
  /** Where the command does not say all of it, since the acknowledgement is the sender's copy. Null: it made none. */
  readonly entry?: Entry | null
}

/** What is particular about the kind of entry that a command makes. */
interface RuleOf<O extends EntryOp> {
  readonly op: O
  /**
   * Whether it is unread by the others until they have read it, and whether a push tells those who are away. What counts is
   * a message, and disappears where the conversation has a timer.
   */
  readonly counts: boolean
  readonly pushes: boolean
  /** The rule of those commands of the operation that go another way. */
  instead?(input: InputOf<O>): AnyRule<O> | undefined
  /** What is wrong with the command, whoever sends it. */
  refuse(input: InputOf<O>): Refusal | undefined
}

/** A rule that goes by the membership, and perhaps by the row of a target: many such entries are committed together. */
export interface Rule<O extends EntryOp> extends RuleOf<O> {
  /**
   * Who may, beyond what holds for all: they are a member, and the conversation takes entries. Nothing when nothing has to
   * be read, so that the message path waits for nothing.
   * @throws Refusal
   */
  check(ctx: LogContext, by: string, input: InputOf<O>, standing: Standing): Promise<Checked<O> | undefined> | undefined
  /** What the entry carries, where the command says it all. Otherwise `check` finds it. */
  payload?(input: InputOf<O>): PayloadOf<KindMadeBy<O>>
  /** What the message says by it, which may mention people: the one that it makes, or its target. */
  says(payload: PayloadOf<KindMadeBy<O>>): { readonly body: Body | undefined; readonly target?: number }
}

/** What a check has found besides that there is nothing wrong. */
export interface Checked<O extends EntryOp> {
  /** What the entry changes in the row of its target. */
  readonly change?: RowChange
  readonly payload?: PayloadOf<KindMadeBy<O>>
}

/** A rule that goes by more: limits, votes, rows of its own. Its work is done under the lock of the conversation. */
interface LockedRuleOf<O extends EntryOp> extends RuleOf<O> {
  /** As of another rule, where entries of the kind mention people. */
  says?: Rule<O>['says']
  /** Tells of the entry beside the log, after the commit; of a repetition once more. Never throws. */
  tell?(ctx: LogContext, entry: EntryOf<KindMadeBy<O>>, large: boolean): Promise<void>
  /**
   * In a large conversation, instead: what many do there is done together, and its members are told of it later, which
   * costs them nothing now.
   * @returns where the log stands; or that the membership has changed, so that it is decided again
   * @throws Refusal
   */
  gather?(
    ctx: LogContext,
    who: Standing & Pick<LockedBy, 'conversation' | 'by'>,
    input: InputOf<O>,
  ): Promise<Appended | 'stale'>
}

/** Decides commands of many conversations at once, one of each, in one transaction (commit-locked.ts). */
interface JointRule<O extends EntryOp> extends LockedRuleOf<O> {
  /**
   * Checks, and writes what the entries of those that are not refused change beside the log; what it throws leaves
   * everything as it was.
   * @returns of each what it says or what refuses it, in their order
   */
  applyAll(
    ctx: LogContext,
    client: PoolClient,
    all: readonly (LockedBy & { readonly input: InputOf<O> })[],
  ): Promise<readonly (Applied<O> | Refusal)[]>
}

/** Decides one command in a transaction of its own: what is rare, or takes many steps while the conversation is held. */
interface SoleRule<O extends EntryOp> extends LockedRuleOf<O> {
  /**
   * Checks, and writes what the entry changes beside the log; whatever it throws leaves everything as it was.
   * @throws Refusal
   */
  apply(ctx: LogContext, locked: Locked, input: InputOf<O>): Promise<Applied<O>>
}

export type LockedRule<O extends EntryOp> = JointRule<O> | SoleRule<O>

/** What the entry carries; or the entry that has said the same; or that there is none, and the answer is where the log stands. */
export type Applied<O extends EntryOp> = ToSay<PayloadOf<KindMadeBy<O>>> | Said | Unchanged

/** What an entry is to say. */
interface ToSay<Payload> {
  readonly payload: Payload
  /** The thread in which alone it is shown, and who follows that: a push tells these, and of other entries everybody. */
  readonly aside?: { readonly of: number; readonly followers: readonly string[] }
}

/** The conversation under its lock, and who does something there. */
export interface LockedBy {
  readonly conversation: string
  readonly by: string
  readonly membership: Membership
  readonly member: Member
  /** The seq that the entry will have. */
  readonly seq: number
}

/** The same, with the connection that holds it. */
export interface Locked extends LockedBy {
  readonly client: PoolClient
}

/** An entry that stands already. */
interface Said {
  readonly said: number
}

/** There is no entry: the answer is where the log stands. */
interface Unchanged {
  readonly unchanged: true
}

export type AnyRule<O extends EntryOp> = Rule<O> | LockedRule<O>
