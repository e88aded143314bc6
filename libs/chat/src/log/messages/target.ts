/**
 * The message that an entry changes. Its row holds what it says now; of what changed it before, the body is taken out of
 * the log in the same commit, so that nobody reads what its sender has replaced, or an operator has removed.
 */
import type { Body, Removed } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { Pool, PoolClient } from 'pg'
import { mendPairs } from '../entries.ts'
import type { RowChange } from '../insert-statements.ts'
import type { Sealed, Sealer, SealPlace } from '../../store/seal.ts'

/** What a message is sealed with. A later version may know more of it. */
interface Content {
  readonly body: Body
  readonly removed?: Removed
  readonly forwarded?: { readonly by: string; readonly at: number }
}

/** A message as it stands. */
export interface Target extends Content {
  readonly sender: string
  readonly seq: number
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

interface Row {
  sender_id: string
  client_id: string
  kind: number
  key_id: number
  body: Buffer
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
const find = `
SELECT m.sender_id, m.client_id, m.kind, m.key_id, m.body,
       (extract(epoch FROM m.created_at) * 1000)::float8 AS at,
       (extract(epoch FROM clock_timestamp() - m.created_at) * 1000)::float8 AS age_ms, m.changed_seq, b.sender_id AS before_sender,
       b.client_id AS before_client, b.kind AS before_kind, b.key_id AS before_key, b.body AS before_body
  FROM messages m LEFT JOIN messages b ON b.conversation_id = m.conversation_id AND b.seq = m.changed_seq
 WHERE m.conversation_id = $1 AND m.seq = $2 AND m.kind = ${entries['message.new'].number}`

/** @returns undefined where no message stands */
export async function readTarget(
  client: Pool | PoolClient,
  seal: Sealer,
  conversation: string,
  seq: number,
): Promise<Target | undefined> {
  const found = await client.query<Row>({ name: 'message-target', text: find, values: [conversation, seq] })
  const row = found.rows[0]
  if (row === undefined) return undefined
  const { sender_id: sender, client_id: clientId, kind, changed_seq: changedSeq, before_sender: changedBy } = row
  await seal.ready(changedBy === null ? [row.key_id] : [row.key_id, row.before_key])
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
    sender,
    seq,
    at: Math.round(row.at),
    ageMs: row.age_ms,
    changedSeq: changedSeq ?? undefined,
    change: changed => replace({ ...content, ...changed }),
    replace,
  }
}

const open = (seal: Sealer, place: SealPlace, keyId: number, body: Buffer) =>
  JSON.parse(mendPairs(seal.open(place, keyId, body))) as object

/** What an entry said is gone: what is left names its kind and its target. */
function emptied(seal: Sealer, place: SealPlace, keyId: number, body: Buffer): Sealed {
  const { event, target } = open(seal, place, keyId, body) as { event?: string; target?: number }
  return seal.seal(place, JSON.stringify({ event, target }))
}

/**
 * What a message said is taken away, in a transaction that holds the conversation. The group commit makes the other changes:
 * inserts.ts.
 * @param seq the entry that says so
 */
export async function removeRow(
  client: PoolClient,
  conversation: string,
  seq: number,
  change: RowChange,
): Promise<void> {
  const { target, sealed, before } = change
  await client.query(
    `UPDATE messages SET key_id = $3, body = $4, changed_seq = $5, edited_at = NULL, removed_at = now()
      WHERE conversation_id = $1 AND seq = $2`,
    [conversation, target, sealed.keyId, sealed.body, seq],
  )
  if (before !== undefined)
    await client.query('UPDATE messages SET key_id = $3, body = $4 WHERE conversation_id = $1 AND seq = $2', [
      conversation,
      before.seq,
      before.sealed.keyId,
      before.sealed.body,
    ])
}
