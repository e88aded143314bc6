/**
 * The way into the log under the lock of the conversation: what is decided by more than the membership is decided on facts
 * that are read after the lock, and ONE entry is written with the rows that follow from it.
 *
 * What is guaranteed (P3, P8): the group commit locks the same row, so an entry that was decided before either has a lower
 * seq or is refused as stale. One transaction locks one conversation, and the group commit locks in id order, so that the
 * two cannot wait for each other.
 */
import type { Entry, EntryKind } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { PoolClient } from 'pg'
import type { StoredRules } from '../access.ts'
import type { LogContext } from './context.ts'
import { type PayloadOf, toPlain } from './entries.ts'
import { fedAlong } from './feed/note.ts'

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
  readonly large: boolean
  /** How long messages last; null is for ever. */
  readonly timer_ms: number | null
}

export async function lock(ctx: LogContext, client: PoolClient, conversation: string): Promise<LockedRow | undefined> {
  const found = await client.query<LockedRow>({
    name: 'conversations-lock',
    text: `SELECT kind, settings, head_seq, (extract(epoch FROM head_at) * 1000)::float8 AS head_at, version, member_count, timer_ms,
                  coalesce(large_since < now() - $2 * interval '1 millisecond', false) AS large
             FROM conversations WHERE id = $1 FOR NO KEY UPDATE`,
    values: [conversation, ctx.settings.largeSettleMs],
  })
  return found.rows[0]
}

/**
 * $2 and $3: by how much the version and the number of members rise. $10: who gets a row in the offline index. $11: who came
 * or went. $12: all of them, whom routing by interest has to reach from the change on that makes the conversation large.
 * $13: whether every node is to find the entry in `changes`. $14: what it answers. $15: the thread in which alone it is shown. $16: when it
 * disappears, in milliseconds from now.
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
  INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body, reply_to, aside_of, expires_at)
  SELECT id, head_seq, head_at, $5, $6, $7, $8, $9, $14, $15, head_at + $16::int8 * interval '1 millisecond' FROM moved
), expiring AS (
  INSERT INTO expiring_messages (conversation_id, expires_at, seq)
  SELECT id, head_at + $16::int8 * interval '1 millisecond', head_seq FROM moved WHERE $16::int8 IS NOT NULL
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
  readonly replyTo?: number | undefined
  /** The thread in which alone it is shown. */
  readonly asideOf?: number | undefined
  /** Of a message that disappears. */
  readonly timerMs?: number | undefined
  /** What every node has to find although the event may be lost: those who came or went, and everybody. */
  readonly noted?: { readonly named: readonly string[]; readonly everybody: readonly string[] }
}

/** Writes the entry and what the conversation's row says about it. */
export async function write(
  ctx: LogContext,
  client: PoolClient,
  { conversation, by, clientId, part, membership = false, growth = 0, absent = [], noted, ...message }: ToWrite,
): Promise<{ readonly entry: Entry; readonly version: number }> {
  const { event, ...payload } = part
  const { replyTo, asideOf, timerMs } = message
  const { number: kind } = entries[event]
  const { keyId, body } = ctx.seal.seal({ conversation, sender: by, clientId, kind }, toPlain(part))
  const found = await client.query<{ seq: number; version: number; at: number }>({
    name: 'entries-write',
    text: writeText,
    values: [
      conversation,
      membership ? 1 : 0,
      growth,
      ctx.settings.largeConversationMin,
      by,
      clientId,
      keyId,
      kind,
      body,
      absent,
      noted?.named ?? [],
      noted?.everybody ?? [],
      noted !== undefined,
      replyTo,
      asideOf,
      timerMs,
    ],
  })
  const { seq, version, at } = found.rows[0]!
  const made = {
    ...('command' in entries[event] ? { clientId } : {}),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(timerMs === undefined ? {} : { expiresAt: Math.round(at) + timerMs }),
  }
  // TypeScript loses the tie between an event's name and its fields when they are spread.
  const entry = { event, conversation, seq, epoch: ctx.epoch(), at: Math.round(at), by, ...made, ...payload } as Entry
  return { entry, version }
}
