/**
 * The message that an entry changes. Its row holds what it says now; of what changed it before, the body is taken out of
 * the log in the same commit, so that nobody reads what its sender has replaced, or an operator has removed.
 */
import { type Body, Refusal, type Removed } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { Pool, PoolClient } from 'pg'
import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { mendPairs } from '../entries.ts'
import type { RowChange } from '../insert-statements.ts'
import { givenMessages, type MessagePlace, placeArrays } from './part.ts'
import { int8Array } from '../../store/binary-arrays.ts'
import type { Sealed, Sealer, SealPlace } from '../../store/seal.ts'

/** What a message is sealed with. A later version may know more of it. */
interface Content {
  readonly body: Body
  readonly removed?: Removed
  readonly forwarded?: { readonly by: string; readonly at: number }
  /** The message that its thread hangs on; and whether it is one of the conversation as well. */
  readonly thread?: number
  readonly alsoInConversation?: true
}

/** A message as it stands. */
export interface Target extends Content {
  readonly seq: number
  readonly sender: string
  /** When it was posted, in milliseconds since 1970, and how long ago that is: both by the clock of the store. */
  readonly at: number
  readonly ageMs: number
  /** The entry that changed it last. */
  readonly changedSeq: number | undefined
  /** The change that makes it say something else. */
  change(content: Content): RowChange
  /** The change after which it says this and nothing else. */
  replace(content: Content): RowChange
}

/** What of a message's row its content is opened by. */
export interface TargetRow {
  sender_id: string
  client_id: string
  kind: number
  key_id: number
  body: Buffer
}

/** The columns of TargetRow, for a SELECT from messages AS m. */
export const targetColumns = 'm.sender_id, m.client_id, m.kind, m.key_id, m.body'

interface Row extends TargetRow {
  seq: number
  expired: boolean | null
  at: number
  age_ms: number
  changed_seq: number | null
  before_sender: string | null
  before_client: string
  before_kind: number
  before_key: number
  before_body: Buffer
}

/** With what changed it last. */
const columns = `m.seq, m.expires_at <= now() AS expired, ${targetColumns},
       (extract(epoch FROM m.created_at) * 1000)::float8 AS at,
       (extract(epoch FROM clock_timestamp() - m.created_at) * 1000)::float8 AS age_ms, m.changed_seq, b.sender_id AS before_sender,
       b.client_id AS before_client, b.kind AS before_kind, b.key_id AS before_key, b.body AS before_body`

const find = `
SELECT ${columns}
  FROM messages m LEFT JOIN messages b ON b.conversation_id = m.conversation_id AND b.seq = m.changed_seq
 WHERE m.conversation_id = $1 AND m.seq = ANY($2::int8[]) AND m.kind = ${entries['message.new'].number} ORDER BY m.seq`

/** @returns undefined where no message stands */
export async function readTarget(
  client: Pool | PoolClient,
  seal: Sealer,
  conversation: string,
  seq: number,
): Promise<Target | undefined> {
  return (await readTargets(client, seal, conversation, [seq]))[0]
}

/** Those of these that stand, in rising order. */
export async function readTargets(
  client: Pool | PoolClient,
  seal: Sealer,
  conversation: string,
  seqs: readonly number[],
): Promise<Target[]> {
  const { rows } = await client.query<Row>({
    name: 'message-targets',
    text: find,
    values: [conversation, int8Array(seqs)],
  })
  await makeReady(seal, client, rows)
  return rows.map(row => toTarget(seal, conversation, row))
}

const findMany = `
SELECT place, ${columns}
  FROM ${givenMessages}
  LEFT JOIN messages b ON b.conversation_id = m.conversation_id AND b.seq = m.changed_seq
 WHERE m.kind = ${entries['message.new'].number}`

/** @returns of each place the message that stands there, in their order */
export async function readTargetsAt(
  client: PoolClient,
  seal: Sealer,
  places: readonly MessagePlace[],
): Promise<(Target | undefined)[]> {
  const { rows } = await client.query<Row & { place: number }>({
    name: 'message-targets-at',
    text: findMany,
    values: placeArrays(places),
  })
  await makeReady(seal, client, rows)
  const targets = places.map((): Target | undefined => undefined)
  for (const row of rows) targets[row.place - 1] = toTarget(seal, places[row.place - 1]!.conversation, row)
  return targets
}

const makeReady = (seal: Sealer, client: Pool | PoolClient, rows: readonly Row[]) =>
  seal.ready(
    new Set(rows.flatMap(row => (row.before_sender === null ? row.key_id : [row.key_id, row.before_key]))),
    client,
  )

function toTarget(seal: Sealer, conversation: string, row: Row): Target {
  const { seq, sender_id: sender, client_id: clientId, kind, changed_seq: changedSeq, before_sender: changedBy } = row
  const place = { conversation, sender, clientId, kind }
  const content = open(seal, place, row.key_id, row.body) as Content
  const before = (): RowChange['before'] => {
    if (changedSeq === null || changedBy === null) return undefined
    const its = { conversation, sender: changedBy, clientId: row.before_client, kind: row.before_kind }
    return { seq: changedSeq, sealed: emptied(seal, its, row.before_key, row.before_body) }
  }
  const replace = (said: Content): RowChange => ({
    target: seq,
    before: before(),
    sealed: seal.seal(place, JSON.stringify(said)),
  })
  return {
    ...content,
    seq,
    sender,
    // Its time is up, whether it is erased by now or not.
    ...(row.expired === true && content.removed === undefined ? { removed: 'expired' as const } : {}),
    at: Math.round(row.at),
    ageMs: row.age_ms,
    changedSeq: changedSeq ?? undefined,
    change: changed => replace({ ...content, ...changed }),
    replace,
  }
}

/** Whether its content was taken away. */
export async function isRemoved(
  client: Pool | PoolClient,
  seal: Sealer,
  conversation: string,
  row: TargetRow,
): Promise<boolean> {
  await seal.ready([row.key_id], client)
  const place = { conversation, sender: row.sender_id, clientId: row.client_id, kind: row.kind }
  return (open(seal, place, row.key_id, row.body) as Content).removed !== undefined
}

/**
 * There is such a message, the caller may see it, and its content was not taken away.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown
 */
export async function demandMessage(ctx: LogContext, by: string, conversation: string, seq: number): Promise<void> {
  const found = await ctx.pool.query<TargetRow & { joined: number | null; stands: boolean }>({
    name: 'message-of-reader',
    text: `SELECT mb.joined_seq AS joined, coalesce(m.seq >= ${firstSeen('mb')} AND coalesce(m.expires_at > now(), true) AND ${notHidden('m', 'mb.user_id')}, false) AS stands, ${targetColumns}
             FROM conversations c LEFT JOIN members mb ON mb.conversation_id = c.id AND mb.user_id = $3
             LEFT JOIN messages m ON m.conversation_id = c.id AND m.seq = $2 AND m.kind = ${entries['message.new'].number}
            WHERE c.id = $1`,
    values: [conversation, seq, by],
  })
  const row = found.rows[0]
  demandMember(row !== undefined, row?.joined ?? undefined)
  if (!row!.stands || (await isRemoved(ctx.pool, ctx.seal, conversation, row!)))
    throw new Refusal('message_unknown', undefined, { field: 'seq' })
}

const open = (seal: Sealer, place: SealPlace, keyId: number, body: Buffer) =>
  JSON.parse(mendPairs(seal.open(place, keyId, body))) as object

/** What an entry said is gone: what is left names its kind and its target. */
function emptied(seal: Sealer, place: SealPlace, keyId: number, body: Buffer): Sealed {
  const { event, target } = open(seal, place, keyId, body) as { event?: string; target?: number }
  return seal.seal(place, JSON.stringify({ event, target }))
}

/**
 * What messages said is taken away, in a transaction that holds the conversation. The group commit makes the other changes:
 * inserts.ts.
 * @param seq the entry that says so
 */
export async function removeRows(
  client: PoolClient,
  conversation: string,
  seq: number,
  changes: readonly RowChange[],
): Promise<void> {
  const put = (rows: readonly { readonly seq: number; readonly sealed: Sealed }[], set: string) =>
    client.query(
      `UPDATE messages m SET key_id = g.key_id, body = g.body${set}
         FROM unnest($2::int8[], $3::int4[], $4::bytea[]) g (seq, key_id, body)
        WHERE m.conversation_id = $1 AND m.seq = g.seq`,
      [conversation, rows.map(row => row.seq), rows.map(row => row.sealed.keyId), rows.map(row => row.sealed.body)],
    )
  const targets = changes.map(({ target, sealed }) => ({ seq: target, sealed }))
  await put(targets, `, changed_seq = ${seq}, edited_at = NULL, removed_at = now()`)
  const before = changes.flatMap(change => change.before ?? [])
  if (before.length > 0) await put(before, '')
}
