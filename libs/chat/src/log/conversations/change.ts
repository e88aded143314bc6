/**
 * Every change of a conversation itself: one transaction under the lock of its row (../locked.ts) that writes the rows and
 * ONE entry of the log, raises the membership version, and leaves a row in `changes`. Then the others are told; whatever
 * keeps that from happening, each node finds the row within a pulse and tells its own people.
 */
import { randomUUID } from 'node:crypto'
import { type Entry, limits, type MemberRef, Refusal, type Role } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import {
  type ConversationKind,
  demandMember,
  kindNumbersOfConversations,
  kindOf,
  roleNumbers,
  roleOf,
  type Rules,
  rulesOf,
} from '../../access.ts'
import type { LogContext } from '../context.ts'
import type { EmittedEntry } from '../../ports.ts'
import { expired } from '../entries.ts'
import { lock, type PartOf, write } from '../locked.ts'
import { takeAway } from '../messages/take-away.ts'
import { readTarget, readTargets } from '../messages/target.ts'
import { tellForgotten } from '../../notices/notifications/follow.ts'
import { approversOf, tellJoinAnswered } from '../join-requests/answered.ts'
import { tellAnswered } from '../requests/answered.ts'
import { ask } from '../requests/ask.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { applyChange, type Change, insertMembers } from './apply.ts'

/** Where a change came to stand. */
export interface Changed {
  readonly seq: number
}

/** The conversation as it stands under the lock, and what else can be asked about it. */
export interface Locked {
  readonly kind: ConversationKind
  readonly rules: Rules
  readonly size: number
  readonly head: number
  /** How long messages last; null is for ever. */
  readonly timerMs: number | null
  /** Of the caller; `member` where they are coming in. */
  readonly role: Role
  /** Of the people who were to be held, those who exist and were not erased. */
  readonly held: ReadonlySet<string>
  /** Of those of these people who are members. */
  rolesOf(users: readonly string[]): Promise<ReadonlyMap<string, Role>>
  /** Of the member whom the request names as `user`. @throws Refusal user_unknown */
  roleOfTarget(user: string): Promise<Role>
  owners(): Promise<number>
  /** The connection that holds the lock. */
  readonly client: PoolClient
}

export interface ChangeOptions {
  /** People who are held before the conversation is locked: what is read of them stands. */
  readonly hold?: readonly string[]
  /** The caller is no member: they come in by it. */
  readonly entering?: boolean
  /** The caller did not ask for it: it is not taken from their budgets, and not refused for what else they did. */
  readonly unasked?: boolean
}

/**
 * Changes a conversation that the caller is a member of, or enters.
 * @param decide checks what may fail and returns the entry, or nothing if there is none to write; whatever it throws
 *   leaves everything as it was
 * @returns where the entry came to stand; without one, the head
 * @throws Refusal conversation_unknown, not_a_member, rate_limited, unavailable, and those of `decide`
 */
export async function change(
  ctx: LogContext,
  by: string,
  conversation: string,
  decide: (locked: Locked) => Change | undefined | Promise<Change | undefined>,
  { hold = [], entering = false, unasked = false }: ChangeOptions = {},
): Promise<Changed> {
  const startedAt = ctx.trace === undefined ? 0 : performance.now()
  const done = await transaction(ctx, async client => {
    const held = hold.length === 0 ? new Set<string>() : await holdUsers(client, hold)
    const row = await lock(ctx, client, conversation)
    const rolesOf = (users: readonly string[]) => readRoles(client, conversation, users)
    // A statement of its own: within the one that waited for the lock it would see the time before.
    const role = entering ? 'member' : (await rolesOf([by])).get(by)
    demandMember(row !== undefined, role)
    const { by_interest: byInterest, head_seq: head, member_count: size, timer_ms: timerMs } = row!
    const kind = kindOf(row!.kind)
    const rules = rulesOf(kind, row!.settings)
    const part = await decide({
      kind,
      rules,
      size,
      head,
      timerMs,
      role,
      held,
      rolesOf,
      async roleOfTarget(user) {
        const found = (await rolesOf([user])).get(user)
        if (found !== undefined) return found
        throw new Refusal('user_unknown', 'the user is not a member of the conversation', { field: 'user' })
      },
      owners: () => countOwners(client, conversation),
      client,
    })
    if (part === undefined) return { head }
    // Who goes, or is sent away, goes at once.
    const isFree = unasked || part.event === 'member.left' || part.event === 'member.removed'
    if (!isFree) ctx.spending.change(by, conversation, size)
    const ended = await applyChange(client, { conversation, kind, by, part, seq: head + 1 })
    const approvers = ended.joining?.length ? await approversOf(client, conversation, rules) : []
    return { part, written: await writePart(ctx, client, { conversation, by, part, byInterest }), ended, approvers }
  })
  if ('head' in done) return { seq: done.head }
  const { part, written, ended, approvers } = done
  ctx.trace?.(written.entry, { name: part.event, startedAt, root: true })
  tell(ctx, part, written, namedBy(part, by))
  for (const user of ended.joining ?? []) tellJoinAnswered(ctx, { conversation, user, approvers }, 'approved')
  const answer = part.event === 'member.added' ? 'accepted' : 'cancelled'
  for (const request of ended.requests ?? []) tellAnswered(ctx, request, answer, [request.to, request.from])
  if (ended.forgot !== undefined) await tellForgotten(ctx, conversation, ended.forgot)
  return { seq: written.entry.seq }
}

/**
 * Takes away what a message said, in a transaction of the caller's: the entry, and the row of its target.
 * @param part what the entry says instead
 * @returns who wrote the message, and what tells it to the members after the commit; undefined where no message stands
 */
export async function remove(
  ctx: LogContext,
  client: PoolClient,
  conversation: string,
  part: PartOf<'message.removed'>,
): Promise<{ readonly sender: string; tell(): void } | undefined> {
  const row = await lock(ctx, client, conversation)
  const message = row === undefined ? undefined : await readTarget(client, ctx.seal, conversation, part.target)
  if (row === undefined || message === undefined) return undefined
  const { sender } = message
  if (message.removed !== undefined) return { sender, tell() {} }
  await takeAway(ctx, client, { conversation, seq: row.head_seq + 1 }, [message], part)
  const written = await writePart(ctx, client, { conversation, by: sender, part, byInterest: row.by_interest })
  return { sender, tell: () => tell(ctx, part, written, []) }
}

/** Those of a conversation whose time is up, so many at once, are no longer kept for the worker. */
const takeExpired = `
DELETE FROM expiring_messages WHERE conversation_id = $1 AND (expires_at, seq) IN (
  SELECT expires_at, seq FROM expiring_messages WHERE conversation_id = $1 AND expires_at <= now()
   ORDER BY expires_at, seq LIMIT ${limits.expiredAtOnceMax}
) RETURNING seq`

/**
 * Erases messages of a conversation whose time is up, in a transaction of the caller's: what they said, what edits put in
 * its place, and what is owed of them to those who are away. One entry says so of all of them.
 * @returns how many were taken; as many as `limits.expiredAtOnceMax` when there may be more
 */
export async function expire(
  ctx: LogContext,
  client: PoolClient,
  conversation: string,
): Promise<{ readonly taken: number; tell(): void }> {
  const row = await lock(ctx, client, conversation)
  const due = await client.query<{ seq: number }>(takeExpired, [conversation])
  const seqs = due.rows.map(({ seq }) => seq)
  const standing = (await readTargets(client, ctx.seal, conversation, seqs)).filter(one => one.removed === 'expired')
  if (row === undefined || standing.length === 0) return { taken: seqs.length, tell() {} }
  const targets = standing.map(message => message.seq)
  await takeAway(ctx, client, { conversation, seq: row.head_seq + 1 }, standing, expired)
  const part = { event: 'messages.expired', targets, body: expired.body } as const
  const written = await writePart(ctx, client, {
    conversation,
    by: standing[0]!.sender,
    part,
    byInterest: row.by_interest,
  })
  return { taken: seqs.length, tell: () => tell(ctx, part, written, []) }
}

/** A new conversation; its first entry says who is in it. */
export interface Founding {
  readonly kind: ConversationKind
  readonly name?: string
  readonly members: readonly MemberRef[]
  /**
   * What must hold in the transaction that makes it; whatever it throws leaves everything as it was.
   * @returns those of the members who are asked first
   */
  readonly decide: (client: PoolClient) => Promise<ReadonlySet<string>>
}

export interface Founded {
  readonly conversation: string
  /** Those who are in it. */
  readonly members: readonly string[]
  /** Those who were asked. */
  readonly asked: readonly string[]
}

/**
 * Makes a conversation. Of a group the first entry names those who are in it, of a direct conversation both people, or the one
 * whose own it is.
 * @returns undefined when it is direct and they have one already
 */
export async function create(ctx: LogContext, by: string, founding: Founding): Promise<Founded | undefined> {
  const { kind, name } = founding
  const conversation = randomUUID()
  const [low, high = low] = kind === 'direct' ? founding.members.map(member => member.user).sort() : []
  const startedAt = ctx.trace === undefined ? 0 : performance.now()
  const founded = await transaction(ctx, async client => {
    const toAsk = await founding.decide(client)
    const members = founding.members.filter(member => !toAsk.has(member.user))
    const part: PartOf<'conversation.created'> = {
      event: 'conversation.created',
      kind,
      ...(name === undefined ? {} : { name }),
      members: [...(kind === 'direct' ? founding.members : members)],
    }
    const made = await client.query(
      `INSERT INTO conversations (id, kind, name, direct_low, direct_high) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (direct_low, direct_high) WHERE kind = 1 DO NOTHING`,
      [conversation, kindNumbersOfConversations[kind], name ?? null, low ?? null, high ?? null],
    )
    if (made.rowCount === 0) return undefined
    await insertMembers(client, conversation, members, { seq: 1, since: 1, read: 0 })
    const asked = [...toAsk]
    await ask(client, { conversation, from: by, users: asked })
    const joined = members.map(member => member.user)
    return {
      part,
      joined,
      asked,
      written: await writePart(ctx, client, { conversation, by, part, byInterest: false, joined }),
    }
  })
  if (founded === undefined) return undefined
  const { part, written, joined: members, asked } = founded
  ctx.trace?.(written.entry, { name: part.event, startedAt, root: true })
  tell(ctx, part, written, [])
  return { conversation, members, asked }
}

// ── the transaction ──────────────────────────────────────────────────────────────────────────────────────────────────

async function readRoles(client: PoolClient, conversation: string, users: readonly string[]) {
  const found = await client.query<{ user_id: string; role: number }>(
    'SELECT user_id, role FROM members WHERE conversation_id = $1 AND user_id = ANY($2)',
    [conversation, users],
  )
  return new Map(found.rows.map(row => [row.user_id, roleOf(row.role)]))
}

async function countOwners(client: PoolClient, conversation: string): Promise<number> {
  const found = await client.query<{ owners: number }>(
    'SELECT count(*)::int AS owners FROM members WHERE conversation_id = $1 AND role = $2',
    [conversation, roleNumbers.owner],
  )
  return found.rows[0]!.owners
}

interface Written {
  readonly entry: Entry
  readonly version: number
  /** Everybody who is or was a member; undefined in a conversation that is routed by interest. */
  readonly users: readonly string[] | undefined
}

interface ToWrite {
  readonly conversation: string
  readonly by: string
  readonly part: Change | PartOf<'conversation.created'> | PartOf<'message.removed'> | PartOf<'messages.expired'>
  readonly byInterest: boolean
  /** Of a new conversation: who is in it. */
  readonly joined?: readonly string[]
}

/** Writes the entry. The members' rows are written already. */
async function writePart(
  ctx: LogContext,
  client: PoolClient,
  { conversation, by, part, byInterest, joined }: ToWrite,
): Promise<Written> {
  const members = byInterest ? undefined : await readMembers(client, conversation)
  const named = joined ?? namedBy(part, by)
  const users = members === undefined ? undefined : [...new Set([...members, ...named])]
  const written = await write(ctx, client, {
    conversation,
    by,
    clientId: randomUUID(),
    part,
    membership: changesMembership(part),
    growth: joined?.length ?? growthOf(part),
    // Nobody has to be woken because something is gone.
    absent: members === undefined || part.event === 'messages.expired' ? [] : ctx.presumedAbsent(members),
    noted: { named, everybody: users ?? named },
  })
  return { ...written, users }
}

async function readMembers(client: PoolClient, conversation: string): Promise<string[]> {
  const found = await client.query<{ user_id: string }>('SELECT user_id FROM members WHERE conversation_id = $1', [
    conversation,
  ])
  return found.rows.map(row => row.user_id)
}

/**
 * A new conversation starts at version 1; its name, description and picture are no part of the membership, its rules are, and
 * so is a timer: no message that was decided by the one before is stored after it.
 */
function changesMembership(part: ToWrite['part']): boolean {
  if (part.event === 'conversation.changed') {
    const { event: _, description: _description, avatar: _avatar, ...rules } = part
    return Object.keys(rules).length > 0
  }
  return !['conversation.created', 'conversation.renamed', 'message.removed', 'messages.expired'].includes(part.event)
}

function growthOf(part: ToWrite['part']): number {
  if (part.event === 'member.removed' || part.event === 'member.left') return -1
  return part.event === 'member.added' ? part.members.length : 0
}

/** Those who came or went: routing by interest does not reach them yet, or no more. */
function namedBy(part: ToWrite['part'], by: string): readonly string[] {
  if (part.event === 'member.added') return part.members.map(member => member.user)
  if (part.event === 'member.removed') return [part.user]
  return part.event === 'member.left' ? [by] : []
}

// ── after the commit ─────────────────────────────────────────────────────────────────────────────────────────────────

function tell(ctx: LogContext, part: ToWrite['part'], written: Written, named: readonly string[]): void {
  const { entry: event, version, users } = written
  const { conversation, seq, at } = event
  const membership = changesMembership(part)
  if (membership) ctx.memberships.drop(conversation, version)
  const entry = { conversation, seq, at, ...(membership ? { membership: version } : {}) }
  const emit = (to: EmittedEntry['to']) => ctx.emit({ class: 'entry', to, event, entry })
  emit(users ?? { conversation, version })
  if (users === undefined && named.length > 0) emit(named)
}
