/** What the store holds at the end of a test, read in one snapshot, with the memberships that its log tells of. */
import type { EntryRow } from '@flotilla/chat'
import { type Body, type Entry, textOf } from '@flotilla/protocol'
import type { Pool } from 'pg'

export interface StoredEntry {
  readonly conversation: string
  readonly seq: number
  readonly sender: string
  readonly clientId: string
  readonly event: string
  /** Of messages, as they stand, and of what changed them last. */
  readonly text?: string | undefined
  /** Of what changes a message: which. */
  readonly target?: number | undefined
  /** Of a message: the last entry that changed it. */
  readonly changedSeq?: number | undefined
}

/** A person may see the seqs from `from` to `to`, both included; without `to` they are a member still. */
export interface MembershipSpan {
  readonly conversation: string
  readonly user: string
  readonly from: number
  /** The entry that made them a member, where they see what was said before it as well. */
  readonly joined?: number
  readonly to?: number
}

/** The seq of the entry that made somebody a member. */
export const joinedAt = ({ joined, from }: MembershipSpan): number => joined ?? from

export interface StoredCursors {
  readonly conversation: string
  readonly user: string
  readonly delivered: number
  readonly read: number
}

export interface StoreDump {
  readonly entries: readonly StoredEntry[]
  readonly heads: readonly { readonly conversation: string; readonly head: number }[]
  readonly cursors: readonly StoredCursors[]
  readonly memberships: readonly MembershipSpan[]
}

/** Opens sealed rows, in their order: `rows => toEntries(seal, rows, epoch)` of the domain. */
export type ReadBody = (rows: readonly EntryRow[]) => Promise<readonly Entry[]>

const queries = {
  rows: `SELECT conversation_id, seq::float8 AS seq, (extract(epoch FROM created_at) * 1000)::float8 AS at, sender_id, client_id,
                reply_to::float8 AS reply_to, key_id, kind, body,
                changed_seq::float8 AS changed_seq, (extract(epoch FROM edited_at) * 1000)::float8 AS edited_at
           FROM messages WHERE $1::uuid[] IS NULL OR conversation_id = ANY ($1) ORDER BY conversation_id, seq`,
  heads:
    'SELECT id AS conversation, head_seq::float8 AS head FROM conversations WHERE $1::uuid[] IS NULL OR id = ANY ($1)',
  members: `SELECT conversation_id AS conversation, user_id AS user, joined_seq::float8 AS joined,
                   delivered_seq::float8 AS delivered, read_seq::float8 AS read
              FROM members WHERE $1::uuid[] IS NULL OR conversation_id = ANY ($1)`,
}

/**
 * Reads the store.
 * @param conversations all of it, if they are left out
 */
export async function dumpStore(pool: Pool, readBody: ReadBody, conversations?: readonly string[]): Promise<StoreDump> {
  const which = [conversations ?? null]
  const client = await pool.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query<EntryRow>(queries.rows, which)
    const heads = await client.query<StoreDump['heads'][number]>(queries.heads, which)
    const members = await client.query<StoredCursors & { joined: number }>(queries.members, which)
    await client.query('COMMIT')
    const opened = await readBody(rows)
    return {
      entries: rows.map((row, index) => toStored(row, opened[index])),
      heads: heads.rows,
      cursors: members.rows.map(({ conversation, user, delivered, read }) => ({ conversation, user, delivered, read })),
      memberships: membershipsOf(opened, members.rows),
    }
  } finally {
    client.release()
  }
}

function toStored(row: EntryRow, entry: Entry | undefined): StoredEntry {
  if (entry?.seq !== row.seq || entry.conversation !== row.conversation_id)
    throw new Error(`unable to dump the store: no entry came for row ${row.seq} of ${row.conversation_id}`)
  return { ...toStanding(entry), sender: row.sender_id, clientId: row.client_id }
}

/** What a store holds of an entry. */
export function toStanding(entry: Entry): Omit<StoredEntry, 'sender' | 'clientId'> {
  const { conversation, seq, event } = entry
  const { body, target, changedSeq } = entry as { body?: Body; target?: number; changedSeq?: number }
  return { conversation, seq, event, text: body === undefined ? undefined : textOf(body), target, changedSeq }
}

/**
 * Who was a member from which seq to which, by the entries of the log. Present members of whom the log tells nothing
 * (a test put them straight into the table) count from the seq in their row.
 */
export function membershipsOf(
  log: readonly Entry[],
  present: readonly { readonly conversation: string; readonly user: string; readonly joined: number }[],
): MembershipSpan[] {
  const closed: MembershipSpan[] = []
  const open = new Map<string, MembershipSpan>()
  const begin = (conversation: string, user: string, joined: number, since = joined) => {
    const key = `${conversation} ${user}`
    const span = { conversation, user, from: since, ...(since === joined ? {} : { joined }) }
    if (!open.has(key)) open.set(key, span)
  }
  const end = (conversation: string, user: string, to: number) => {
    const key = `${conversation} ${user}`
    const span = open.get(key) ?? { conversation, user, from: 1 }
    open.delete(key)
    closed.push({ ...span, to })
  }
  for (const entry of log) {
    const { conversation, seq } = entry
    if (entry.event === 'conversation.created') for (const { user } of entry.members) begin(conversation, user, seq)
    else if (entry.event === 'member.added')
      for (const { user } of entry.members) begin(conversation, user, seq, entry.since)
    else if (entry.event === 'member.removed') end(conversation, entry.user, seq)
    else if (entry.event === 'member.left') end(conversation, entry.by, seq)
  }
  for (const { conversation, user, joined } of present) begin(conversation, user, joined)
  return [...closed, ...open.values()]
}
