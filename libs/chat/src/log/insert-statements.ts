/**
 * The statements of the group commit, and how entries become their parameters. A statement is one round trip, and a commit
 * of its own.
 */
import { byteaArray, int4Array, int8Array, uuidArray } from '../store/binary-arrays.ts'
import type { Sealed } from '../store/seal.ts'
import { entryColumns } from './entries.ts'
import { fedAlong, unnotedMax } from './feed/note.ts'
import { isMentioned } from './messages/mentioned-by.ts'

/** An entry on its way into the log. */
export interface NewEntry {
  readonly conversation: string
  /** The membership version that the caller decided by. */
  readonly version: number
  readonly sender: string
  readonly clientId: string
  readonly replyTo: number | undefined
  readonly kind: number
  /** After so long it is erased; undefined is never. */
  readonly timerMs?: number | undefined
  readonly sealed: Sealed
  /** People who get a row in the offline index; nobody with a change. */
  readonly absent: readonly string[]
  /** Whom it mentions, as rows of mentions name them; with a change they are those of its target. */
  readonly mentions?: readonly string[]
  readonly change?: RowChange | undefined
}

/** What an entry changes in the row of an earlier one, its target. */
export interface RowChange {
  readonly target: number
  /** The entry that had changed the target last, when the caller decided, and what is to be left of it. */
  readonly before: { readonly seq: number; readonly sealed: Sealed } | undefined
  /** What the target says now. */
  readonly sealed: Sealed
  /** Whether what it said before is kept as a version. */
  readonly keep?: boolean
  /** Whom the target mentions from now on, and whom no more. Left out where it never mentioned anybody. */
  readonly mentions?: readonly string[]
  readonly unmentioned?: readonly string[]
}

/** What `insertEntries` and `insertChanges` answer. Where not all conversations are known, `ids` are those that are. */
export interface Inserted {
  whole: boolean | null
  ids: string[] | null
  heads: number[]
  versions: number[]
  at: number
  /** Of changes: the places of those that were made, from 1. */
  changed?: number[] | null
}

/** When entry `r` is erased. */
const expiry = `held.at + nullif(($15::int8[])[r], 0) * interval '1 millisecond'`
const expiring = `expiring AS (
  INSERT INTO expiring_messages (conversation_id, expires_at, seq)
  SELECT ($1::uuid[])[($4::int[])[r]], ${expiry}, held.heads[($4::int[])[r]] + ($5::int[])[r]
    FROM held, generate_series(1, cardinality($4::int[])) r
   WHERE held.whole AND held.versions[($4::int[])[r]] = ($2::int[])[($4::int[])[r]] AND ($15::int8[])[r] > 0
), `

/**
 * $1 conversations in rising order, $2 their versions, $3 how many entries each gets; $4 to $10 the entries, the first
 * two being the place in $1 and the number within the conversation; $11 to $13 the offline rows in the same manner.
 * Every check is on a locked row, so it is exact under READ COMMITTED. Arrays are subscripted, not unnested: a generic
 * plan takes unnest for ten rows and joins two of them by nested loop. The note for the feed is made of arrays that are
 * there already, but where a conversation has unnoted entries or is left out.
 *
 * A batch of which some entry has a timer, or mentions somebody, goes by the same text and more: $15 the timers, $16 and $17
 * whom entries mention. All others pay nothing for that.
 */
const insertEntries = (full: boolean) => `
WITH locked AS MATERIALIZED (
  SELECT id, head_seq, fed_seq, version FROM conversations WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
), held AS MATERIALIZED (
  SELECT array_agg(id ORDER BY id) = $1::uuid[] AS whole, array_agg(id ORDER BY id) AS ids,
         array_agg(head_seq ORDER BY id) AS heads, array_agg(version ORDER BY id) AS versions,
         date_trunc('milliseconds', clock_timestamp()) AS at, bool_and(fed_seq = head_seq) AS fed
    FROM locked
), moved AS (
  UPDATE conversations c SET head_seq = held.heads[i] + ($3::int[])[i], head_at = held.at,
         fed_seq = CASE WHEN c.head_seq - c.fed_seq <= ${unnotedMax} THEN held.heads[i] + ($3::int[])[i] ELSE c.fed_seq END
    FROM held, generate_series(1, cardinality($1::uuid[])) i
   WHERE held.whole AND held.versions[i] = ($2::int[])[i] AND c.id = ($1::uuid[])[i]
), written AS (
  INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, reply_to, key_id, kind, body${full ? ', expires_at' : ''})
  SELECT ($1::uuid[])[($4::int[])[r]], held.heads[($4::int[])[r]] + ($5::int[])[r], held.at, ($6::uuid[])[r],
         ($7::uuid[])[r], nullif(($8::int8[])[r], 0), ($9::int[])[r], ($10::int[])[r], ($11::bytea[])[r]${full ? `, ${expiry}` : ''}
    FROM held, generate_series(1, cardinality($4::int[])) r
   WHERE held.whole AND held.versions[($4::int[])[r]] = ($2::int[])[($4::int[])[r]]
), ${full ? expiring : ''}owed AS (
  INSERT INTO offline_messages (user_id, conversation_id, seq, day)
  SELECT ($12::uuid[])[r], ($1::uuid[])[($13::int[])[r]], held.heads[($13::int[])[r]] + ($14::int[])[r], held.at::date
    FROM held, generate_series(1, cardinality($12::uuid[])) r
   WHERE held.whole AND held.versions[($13::int[])[r]] = ($2::int[])[($13::int[])[r]]
), noted AS (
  INSERT INTO feed_notes (at, entries, conversations, afters, counts)
  SELECT held.at, cardinality($4::int[]), held.ids, held.heads, $3::int[]
    FROM held WHERE held.whole AND held.fed AND held.versions = $2::int[]
   UNION ALL
  SELECT held.at, rest.* FROM held, LATERAL (
    SELECT sum(entries), array_agg(id), array_agg(fed_seq), array_agg(entries)
      FROM (SELECT id, fed_seq, (head_seq - fed_seq + ($3::int[])[i])::int AS entries
              FROM locked JOIN generate_series(1, cardinality(held.ids)) i ON id = ($1::uuid[])[i]
             WHERE version = ($2::int[])[i] AND head_seq - fed_seq <= ${unnotedMax}) l
    HAVING count(*) > 0) rest
   WHERE held.whole AND NOT (held.fed AND held.versions = $2::int[])
)${full ? mentionsOfEntries : ''}
SELECT whole, CASE WHEN whole THEN NULL ELSE ids END AS ids, heads, versions, (extract(epoch FROM at) * 1000)::float8 AS at
  FROM held`

/**
 * The same for entries that change rows, one of each conversation: $1 conversations in rising order, $2 their versions; $3 to
 * $7 the entries; $8 to $10 the targets, $11 to $13 what had changed them before, 0 where nothing had; $14 whether to keep what
 * they said, 1 or 0. A target that was changed meanwhile, even while this waited for the lock, is found so by its
 * `changed_seq`, and nothing is written there. So what is kept is what the caller saw: the row as it was before. What is
 * said of a message that disappears ends with it.
 */
const insertChanges = (mentions: string) => `
WITH locked AS MATERIALIZED (
  SELECT id, head_seq, version FROM conversations WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
), held AS MATERIALIZED (
  SELECT array_agg(id ORDER BY id) = $1::uuid[] AS whole, array_agg(id ORDER BY id) AS ids,
         array_agg(head_seq ORDER BY id) AS heads, array_agg(version ORDER BY id) AS versions,
         date_trunc('milliseconds', clock_timestamp()) AS at
    FROM locked
), changed AS (
  UPDATE messages m SET key_id = ($9::int[])[r], body = ($10::bytea[])[r], changed_seq = held.heads[r] + 1, edited_at = held.at
    FROM held, generate_series(1, cardinality($1::uuid[])) r
   WHERE held.whole AND held.versions[r] = ($2::int[])[r]
     AND m.conversation_id = ($1::uuid[])[r] AND m.seq = ($8::int8[])[r]
     AND m.changed_seq IS NOT DISTINCT FROM nullif(($11::int8[])[r], 0)
  RETURNING r, m.expires_at
), outdated AS (
  UPDATE messages m SET key_id = ($12::int[])[r], body = ($13::bytea[])[r]
    FROM changed WHERE m.conversation_id = ($1::uuid[])[r] AND m.seq = ($11::int8[])[r]
), kept AS (
  INSERT INTO message_versions (conversation_id, seq, said_seq, said_at, user_id, key_id, body)
  SELECT m.conversation_id, m.seq, coalesce(m.changed_seq, m.seq), coalesce(m.edited_at, m.created_at), m.sender_id, m.key_id, m.body
    FROM changed JOIN messages m ON m.conversation_id = ($1::uuid[])[r] AND m.seq = ($8::int8[])[r]
   WHERE ($14::int[])[r] = 1
), moved AS (
  UPDATE conversations c SET head_seq = held.heads[r] + 1, head_at = held.at, fed_seq = ${fedAlong}
    FROM held, changed WHERE c.id = ($1::uuid[])[r]
  RETURNING c.id, c.head_seq, c.head_at, c.fed_seq
), noted AS (
  INSERT INTO feed_notes (at, entries, conversations, afters, counts)
  SELECT min(head_at), count(*), array_agg(id), array_agg(head_seq - 1), array_agg(1) FROM moved WHERE fed_seq = head_seq
  HAVING count(*) > 0
), written AS (
  INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body, expires_at)
  SELECT ($1::uuid[])[r], held.heads[r] + 1, held.at, ($3::uuid[])[r], ($4::uuid[])[r], ($5::int[])[r], ($6::int[])[r],
         ($7::bytea[])[r], expires_at
    FROM held, changed
)${mentions}
SELECT whole, CASE WHEN whole THEN NULL ELSE ids END AS ids, heads, versions, (extract(epoch FROM at) * 1000)::float8 AS at,
       (SELECT array_agg(r) FROM changed) AS changed
  FROM held`

/** $16 and $17: whom entries mention, and which entry, by its place in $4. */
const mentionsOfEntries = `, mentioned AS (
  INSERT INTO mentions (conversation_id, seq, user_id, sender_id)
  SELECT e.conversation, held.heads[e.place] + ($5::int[])[e.r], e.user_id, ($6::uuid[])[e.r]
    FROM held, generate_series(1, cardinality($16::uuid[])) n,
         LATERAL (SELECT ($17::int[])[n] AS r, ($4::int[])[($17::int[])[n]] AS place, ($16::uuid[])[n] AS user_id,
                         ($1::uuid[])[($4::int[])[($17::int[])[n]]] AS conversation) e
   WHERE held.whole AND held.versions[e.place] = ($2::int[])[e.place] AND ${isMentioned('e.user_id', 'e.conversation')}
)`

/** $15 and $16: whom targets mention from now on, and the place of the change in $1. */
const mentionsOfChanges = `, forgotten AS (
  DELETE FROM mentions x USING changed
   WHERE x.conversation_id = ($1::uuid[])[r] AND x.seq = ($8::int8[])[r]
     AND NOT EXISTS (SELECT FROM generate_series(1, cardinality($15::uuid[])) n
                      WHERE ($16::int[])[n] = r AND ($15::uuid[])[n] = x.user_id)
), mentioned AS (
  INSERT INTO mentions (conversation_id, seq, user_id, sender_id)
  SELECT ($1::uuid[])[r], ($8::int8[])[r], ($15::uuid[])[n], ($3::uuid[])[r]
    FROM changed JOIN generate_series(1, cardinality($15::uuid[])) n ON ($16::int[])[n] = r
   WHERE ${isMentioned('($15::uuid[])[n]', '($1::uuid[])[r]')}
      ON CONFLICT DO NOTHING
)`

const statements = {
  entries: { name: 'insert-entries', text: insertEntries(false) },
  fullEntries: { name: 'insert-full-entries', text: insertEntries(true) },
  changes: { name: 'insert-changes', text: insertChanges('') },
  changingMentions: { name: 'insert-changes-mentioning', text: insertChanges(mentionsOfChanges) },
} as const

/**
 * $1 to $3: conversation, sender and client id of each entry. Answers those that are stored. The lock makes it a commit of
 * its own: where replicas are synchronous, its answer is as safe as the commit that it tells of.
 */
export const findEntries = `
SELECT r.r AS place, ${entryColumns}
  FROM generate_series(1, cardinality($1::uuid[])) r
  JOIN messages m ON m.conversation_id = ($1::uuid[])[r.r] AND m.sender_id = ($2::uuid[])[r.r] AND m.client_id = ($3::uuid[])[r.r]
  JOIN conversations c ON c.id = m.conversation_id
   FOR KEY SHARE OF c`

/** Either none of the entries changes a row, or all. They are sorted by conversation. */
export function toStatement(entries: readonly NewEntry[]) {
  if (entries[0]?.change !== undefined) {
    const values = toChanges(entries)
    if (!entries.some(entry => entry.change?.mentions !== undefined)) return { ...statements.changes, values }
    return {
      ...statements.changingMentions,
      values: [...values, ...toMentions(entries.map(entry => entry.change?.mentions))],
    }
  }
  const values = toParameters(entries)
  const isPlain = (entry: NewEntry) => entry.timerMs === undefined && (entry.mentions?.length ?? 0) === 0
  if (entries.every(isPlain)) return { ...statements.entries, values }
  const timers = int8Array(entries.map(entry => entry.timerMs ?? 0))
  return { ...statements.fullEntries, values: [...values, timers, ...toMentions(entries.map(entry => entry.mentions))] }
}

/** Whom entries mention, and the place of the entry, from 1. */
function toMentions(mentions: readonly (readonly string[] | undefined)[]): Buffer[] {
  const pairs = mentions.flatMap((users = [], at) => users.map(user => ({ user, place: at + 1 })))
  return [uuidArray(pairs.map(pair => pair.user)), int4Array(pairs.map(pair => pair.place))]
}

/** The parameters of insertChanges. */
function toChanges(entries: readonly NewEntry[]): Buffer[] {
  const changes = entries.map(entry => entry.change!)
  return [
    uuidArray(entries.map(entry => entry.conversation)),
    int4Array(entries.map(entry => entry.version)),
    uuidArray(entries.map(entry => entry.sender)),
    uuidArray(entries.map(entry => entry.clientId)),
    int4Array(entries.map(entry => entry.sealed.keyId)),
    int4Array(entries.map(entry => entry.kind)),
    byteaArray(entries.map(entry => entry.sealed.body)),
    int8Array(changes.map(change => change.target)),
    int4Array(changes.map(change => change.sealed.keyId)),
    byteaArray(changes.map(change => change.sealed.body)),
    int8Array(changes.map(change => change.before?.seq ?? 0)),
    int4Array(changes.map(change => change.before?.sealed.keyId ?? 0)),
    byteaArray(changes.map(change => change.before?.sealed.body ?? nothing)),
    int4Array(changes.map(change => (change.keep === true ? 1 : 0))),
  ]
}

const nothing = Buffer.alloc(0)

/** The parameters of insertEntries. The entries are sorted by conversation. */
function toParameters(entries: readonly NewEntry[]): Buffer[] {
  const ids: string[] = []
  const versions: number[] = []
  const counts: number[] = []
  const places: number[] = []
  const numbers: number[] = []
  const owed = { users: [] as string[], places: [] as number[], numbers: [] as number[] }
  for (const entry of entries) {
    if (ids.at(-1) !== entry.conversation) {
      ids.push(entry.conversation)
      versions.push(entry.version)
      counts.push(0)
    }
    const number = (counts[ids.length - 1]! += 1)
    places.push(ids.length)
    numbers.push(number)
    for (const user of entry.absent) {
      owed.users.push(user)
      owed.places.push(ids.length)
      owed.numbers.push(number)
    }
  }
  return [
    uuidArray(ids),
    int4Array(versions),
    int4Array(counts),
    int4Array(places),
    int4Array(numbers),
    uuidArray(entries.map(entry => entry.sender)),
    uuidArray(entries.map(entry => entry.clientId)),
    int8Array(entries.map(entry => entry.replyTo ?? 0)),
    int4Array(entries.map(entry => entry.sealed.keyId)),
    int4Array(entries.map(entry => entry.kind)),
    byteaArray(entries.map(entry => entry.sealed.body)),
    uuidArray(owed.users),
    int4Array(owed.places),
    int4Array(owed.numbers),
  ]
}
