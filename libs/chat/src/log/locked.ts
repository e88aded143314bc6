/**
 * The way into the log under the lock of the conversation: what is decided by more than the membership is decided on facts
 * that are read after the lock, and ONE entry of the conversation is written with the rows that follow from it.
 *
 * What is guaranteed (P3, P8): the group commit locks the same row, so an entry that was decided before either has a lower
 * seq or is refused as stale. One transaction locks one conversation, or passes over those that are held (commit-locked.ts),
 * and the group commit locks in id order, so that they cannot wait for each other.
 */
import type { Entry, EntryKind } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { PoolClient } from 'pg'
import type { StoredRules } from '../access.ts'
import { byteaArray, int4Array, int8Array, uuidArray } from '../store/binary-arrays.ts'
import type { LogContext } from './context.ts'
import { type PayloadOf, toPlain } from './entries.ts'
import { fedAlong } from './feed/note.ts'
import { byInterestText } from './memberships.ts'

/** What an entry of a kind says. */
export type PartOf<K extends EntryKind> = { readonly event: K } & PayloadOf<K>

/** A conversation's row, locked to the end of the transaction. */
export interface LockedRow {
  readonly kind: number
  readonly settings: StoredRules
  readonly head_seq: number
  /** When that was: milliseconds since 1970. */
  readonly head_at: number
  readonly version: number
  readonly member_count: number
  readonly by_interest: boolean
  /** How long messages last; null is for ever. */
  readonly timer_ms: number | null
}

export async function lock(ctx: LogContext, client: PoolClient, conversation: string): Promise<LockedRow | undefined> {
  const found = await client.query<LockedRow>({
    name: 'conversations-lock',
    text: `SELECT kind, settings, head_seq, (extract(epoch FROM head_at) * 1000)::float8 AS head_at, version, member_count, timer_ms,
                  ${byInterestText('conversations', '$2')} AS by_interest
             FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
    values: [conversation, ctx.settings.interestSettleMs],
  })
  return found.rows[0]
}

/**
 * $2 and $3: by how much the version and the number of members rise. $10: who gets a row in the offline index. $11: who came
 * or went. $12: all of them, whom routing by interest has to reach, at the change from which on the conversation goes by it.
 * $13: whether every node is to find the entry in `changes`.
 */
const writeText = `
WITH moved AS (
  UPDATE conversations
     SET head_seq = head_seq + 1, head_at = date_trunc('milliseconds', clock_timestamp()), version = version + $2,
         member_count = member_count + $3,
         large_since = coalesce(large_since, CASE WHEN member_count + $3 > $4 THEN now() END),
         fed_seq = ${fedAlong}
   WHERE id = $1
  RETURNING id, head_seq, head_at, version, large_since, fed_seq
), written AS (
  INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body)
  SELECT id, head_seq, head_at, $5, $6, $7, $8, $9 FROM moved
), owed AS (
  INSERT INTO offline_messages (user_id, conversation_id, seq, day)
  SELECT o.user_id, id, head_seq, head_at::date FROM moved, unnest($10::uuid[]) AS o (user_id)
), fed AS (
  INSERT INTO feed_notes (at, entries, conversations, afters, counts)
  SELECT head_at, 1, ARRAY[id], ARRAY[head_seq - 1], ARRAY[1] FROM moved WHERE fed_seq = head_seq
), noted AS (
  INSERT INTO changes (conversation_id, seq, version, users)
  SELECT id, head_seq, version, CASE WHEN large_since = now() THEN $12::uuid[] ELSE $11::uuid[] END FROM moved WHERE $13
)
SELECT head_seq AS seq, version, (extract(epoch FROM head_at) * 1000)::float8 AS at FROM moved`

export interface ToWrite {
  readonly conversation: string
  readonly by: string
  readonly clientId: string
  readonly part: { readonly [K in EntryKind]: PartOf<K> }[EntryKind]
  /** Whether it changes who is a member, or what they may. */
  readonly membership?: boolean
  readonly growth?: number
  /** People who get a row in the offline index. */
  readonly absent?: readonly string[]
  /** What every node has to find although the event may be lost: those who came or went, and everybody. */
  readonly noted?: { readonly named: readonly string[]; readonly everybody: readonly string[] }
}

/** Writes the entry and what the conversation's row says about it. */
export async function write(
  ctx: LogContext,
  client: PoolClient,
  { conversation, by, clientId, part, membership = false, growth = 0, absent = [], noted }: ToWrite,
): Promise<{ readonly entry: Entry; readonly version: number }> {
  const { number: kind } = entries[part.event]
  const { keyId, body } = ctx.seal.seal({ conversation, sender: by, clientId, kind }, toPlain(part))
  const found = await client.query<{ seq: number; version: number; at: number }>({
    name: 'entries-write',
    text: writeText,
    values: [
      conversation,
      membership ? 1 : 0,
      growth,
      Math.min(ctx.settings.interestRoutingMin, ctx.settings.largeConversationMin),
      by,
      clientId,
      keyId,
      kind,
      body,
      absent,
      noted?.named ?? [],
      noted?.everybody ?? [],
      noted !== undefined,
    ],
  })
  const { seq, version, at } = found.rows[0]!
  return { entry: madeOf(ctx, { conversation, by, clientId, part }, seq, at), version }
}

interface Made {
  readonly conversation: string
  readonly by: string
  readonly clientId: string
  readonly part: ToWrite['part']
  readonly replyTo?: number | undefined
  readonly timerMs?: number | undefined
}

function madeOf(ctx: LogContext, made: Made, seq: number, at: number): Entry {
  const { conversation, by, clientId, replyTo, timerMs } = made
  const { event, ...payload } = made.part
  const more = {
    ...('command' in entries[event] ? { clientId } : {}),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(timerMs === undefined ? {} : { expiresAt: Math.round(at) + timerMs }),
  }
  // TypeScript loses the tie between an event's name and its fields when they are spread.
  return { event, conversation, seq, epoch: ctx.epoch(), at: Math.round(at), by, ...more, ...payload } as Entry
}

// ── entries of commands ──────────────────────────────────────────────────────────────────────────────────────────────

/** An entry that a command makes. It changes nothing about the conversation but its head. */
export interface EntryToWrite extends Made {
  /** The thread in which alone it is shown. */
  readonly asideOf: number | undefined
  /** People who get a row in the offline index. */
  readonly absent: readonly string[]
}

/**
 * One entry of each conversation, $1. $2 to $6: who makes it, its clientId, and what is sealed; $7 what it answers, $8 the
 * thread in which alone it is shown, $9 when it disappears, in milliseconds from now: 0 is none. $10: who gets a row in the
 * offline index, and $11 of which entry.
 */
const writeAllText = `
WITH held AS MATERIALIZED (
  SELECT date_trunc('milliseconds', clock_timestamp()) AS at
), moved AS (
  UPDATE conversations c SET head_seq = head_seq + 1, head_at = held.at, fed_seq = ${fedAlong}
    FROM held, unnest($1::uuid[]) WITH ORDINALITY AS g (conversation, r) WHERE c.id = g.conversation AND c.id = ANY($1::uuid[])
  RETURNING r, c.id, c.head_seq, c.head_at, c.fed_seq, c.head_at + nullif(($9::int8[])[r], 0) * interval '1 millisecond' AS expires_at
), written AS (
  INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body, reply_to, aside_of, expires_at)
  SELECT id, head_seq, head_at, ($2::uuid[])[r], ($3::uuid[])[r], ($4::int[])[r], ($5::int[])[r], ($6::bytea[])[r],
         nullif(($7::int8[])[r], 0), nullif(($8::int8[])[r], 0), expires_at
    FROM moved
), expiring AS (
  INSERT INTO expiring_messages (conversation_id, expires_at, seq)
  SELECT id, expires_at, head_seq FROM moved WHERE expires_at IS NOT NULL
), owed AS (
  INSERT INTO offline_messages (user_id, conversation_id, seq, day)
  SELECT ($10::uuid[])[n], id, head_seq, head_at::date
    FROM generate_series(1, cardinality($10::uuid[])) n JOIN moved ON r = ($11::int[])[n]
), noted AS (
  INSERT INTO feed_notes (at, entries, conversations, afters, counts)
  SELECT min(head_at), count(*), array_agg(id), array_agg(head_seq - 1), array_agg(1) FROM moved WHERE fed_seq = head_seq
  HAVING count(*) > 0
)
SELECT head_seq AS seq, (extract(epoch FROM head_at) * 1000)::float8 AS at FROM moved ORDER BY r`

/** Writes entries of commands, in their order; the connection holds their conversations, which are all different. */
export async function writeEntries(
  ctx: LogContext,
  client: PoolClient,
  all: readonly EntryToWrite[],
): Promise<readonly Entry[]> {
  if (all.length === 0) return []
  const sealed = all.map(({ conversation, by: sender, clientId, part }) => {
    const { number: kind } = entries[part.event]
    return { kind, ...ctx.seal.seal({ conversation, sender, clientId, kind }, toPlain(part)) }
  })
  const owed = all.flatMap(({ absent }, at) => absent.map(user => ({ user, place: at + 1 })))
  const found = await client.query<{ seq: number; at: number }>({
    name: 'entries-write-all',
    text: writeAllText,
    values: [
      uuidArray(all.map(one => one.conversation)),
      uuidArray(all.map(one => one.by)),
      uuidArray(all.map(one => one.clientId)),
      int4Array(sealed.map(one => one.keyId)),
      int4Array(sealed.map(one => one.kind)),
      byteaArray(sealed.map(one => one.body)),
      int8Array(all.map(one => one.replyTo ?? 0)),
      int8Array(all.map(one => one.asideOf ?? 0)),
      int8Array(all.map(one => one.timerMs ?? 0)),
      uuidArray(owed.map(one => one.user)),
      int4Array(owed.map(one => one.place)),
    ],
  })
  return found.rows.map(({ seq, at }, place) => madeOf(ctx, all[place]!, seq, at))
}
