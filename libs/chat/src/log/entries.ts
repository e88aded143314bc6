/**
 * Between a row of the log and the entry that clients fold. A kind is a number in the row and a name on the wire; what
 * the kind carries is the sealed body, so that a new kind needs no migration.
 *
 * During a roll-out the nodes of before read rows of kinds that they do not know. They must hand them out whole, so the
 * body of a kind names it; only the first kinds, which every version knows, save these bytes.
 */
import type { Entry, EntryKind, EntryOf } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { Sealer } from '../store/seal.ts'

const numbered = new Map<number, (typeof entries)[EntryKind]>(Object.values(entries).map(kind => [kind.number, kind]))

/** The highest number of a kind whose body does not name it. */
const unnamedKindMax = 7

/** A kind that is newer than this process has its number for a name. */
export const nameOfKind = (number: number): string => numbered.get(number)?.name ?? `kind.${number}`

/** What a kind carries beyond its place in the log: the sealed part. */
export type PayloadOf<K extends EntryKind> = Omit<
  EntryOf<K>,
  'event' | 'conversation' | 'seq' | 'epoch' | 'at' | 'by' | 'clientId' | 'replyTo'
>

/** What is sealed of an entry. */
export function plainOf(event: EntryKind, payload: object): string {
  return JSON.stringify(entries[event].number > unnamedKindMax ? { event, ...payload } : payload)
}

export const toPlain = ({ event, ...payload }: { readonly event: EntryKind }): string => plainOf(event, payload)

export interface EntryRow {
  readonly conversation_id: string
  readonly seq: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sender_id: string
  readonly client_id: string
  readonly reply_to: number | null
  readonly key_id: number
  readonly kind: number
  readonly body: Buffer
  /** The last entry that changed this one, and when its sender edited it: what it says is in the body. */
  readonly changed_seq: number | null
  readonly edited_at: number | null
  /** What it has beside this row (messages/part.ts). */
  readonly parts: number | null
  /** When its time is up; of a change of a message, that of the message. */
  readonly expires_at: number | null
  /** Whether it is up, whatever the worker has erased by now. */
  readonly expired: boolean | null
}

/** The columns of EntryRow, for a SELECT from messages AS m. */
export const entryColumns =
  'm.conversation_id, m.seq, (extract(epoch FROM m.created_at) * 1000)::float8 AS at, m.sender_id, m.client_id, m.reply_to, m.key_id, m.kind, m.body, m.changed_seq, (extract(epoch FROM m.edited_at) * 1000)::float8 AS edited_at, m.parts, (extract(epoch FROM m.expires_at) * 1000)::float8 AS expires_at, m.expires_at <= now() AS expired'

/** The least that an entry takes in a reply, in bytes. */
export const entryBytesMin = 200

/** The most that each part of a message takes, in bytes, by its bit: a pin, twenty reactions, a thread, a poll of twelve. */
const partBytes = { 1: 64, 2: 2_400, 4: 400, 8: 320 } as const
const bytesOfParts = Object.entries(partBytes)
  .map(([bit, bytes]) => `CASE WHEN m.parts & ${bit} <> 0 THEN ${bytes} ELSE 0 END`)
  .join(' + ')

/**
 * The most that a row of messages AS m takes as an entry of a reply, in bytes: a sealed body is longer than its JSON, and
 * what stands beside it (places, ids, names of fields) has at most 336, what it answers 1,500, and its end, with the words
 * that it leaves, 104. The length of a body is known without reading it.
 */
export const entryBytes = `octet_length(m.body) + 336 + CASE WHEN m.parts IS NULL THEN 0 ELSE ${bytesOfParts} END + CASE WHEN m.reply_to IS NULL THEN 0 ELSE 1500 END + CASE WHEN m.expires_at IS NULL THEN 0 ELSE 104 END`

/** Opens rows into entries, in their order. */
export async function toEntries(seal: Sealer, rows: readonly EntryRow[], epoch: number): Promise<Entry[]> {
  await seal.ready(new Set(rows.map(row => row.key_id)))
  return rows.map(row => toEntry(seal, row, epoch))
}

function toEntry(seal: Sealer, row: EntryRow, epoch: number): Entry {
  const { conversation_id: conversation, seq, sender_id: by, client_id: clientId, reply_to: replyTo } = row
  const kind = numbered.get(row.kind)
  const place = { conversation, sender: by, clientId, kind: row.kind }
  const stored = JSON.parse(mendPairs(seal.open(place, row.key_id, row.body))) as object
  const payload = row.expired === true ? asExpired(kind?.name, stored) : stored
  return {
    event: nameOfKind(row.kind),
    conversation,
    seq,
    epoch,
    at: Math.round(row.at),
    by,
    // Of a kind of tomorrow nobody here knows whether a command has made it.
    ...(kind === undefined || 'command' in kind ? { clientId } : {}),
    ...(replyTo === null ? {} : { replyTo }),
    ...payload,
    ...(row.changed_seq === null ? {} : { changedSeq: row.changed_seq }),
    ...(row.edited_at === null || row.expired === true ? {} : { editedAt: Math.round(row.edited_at) }),
    ...(row.expires_at === null || kind?.name !== 'message.new' ? {} : { expiresAt: Math.round(row.expires_at) }),
  } as Entry
}

/** What is left of a message whose time was up. */
export const expired = { body: { text: 'This message has expired.' }, removed: 'expired' } as const

type Stored = Pick<EntryOf<'message.new'>, 'removed' | 'thread' | 'alsoInConversation'> & { readonly target?: number }

/** What nobody is shown any more, though the worker may be late to erase it: its place in a thread stays (take-away.ts). */
function asExpired(kind: EntryKind | undefined, stored: Stored) {
  if (kind === 'message.edited') return { target: stored.target }
  if (kind !== 'message.new' || stored.removed !== undefined) return stored
  const { thread, alsoInConversation } = stored
  return {
    ...expired,
    ...(thread === undefined ? {} : { thread }),
    ...(alsoInConversation === undefined ? {} : { alsoInConversation }),
  }
}

/**
 * Before surrogates were refused, half of a pair could be stored, and to serve it ends strict clients. In what
 * JSON.stringify has written only such a half stands as an escape, so a look at the text finds it.
 */
export function mendPairs(stored: string): string {
  if (!stored.includes('\\ud')) return stored
  return stored.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, escape => (escape.startsWith('\\ud') ? '\ufffd' : escape))
}
