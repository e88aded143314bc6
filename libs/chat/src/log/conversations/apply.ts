/** The rows that follow from an entry that changes a conversation, in the transaction that holds it. */
import { randomUUID } from 'node:crypto'
import type { EntryOf, MemberRef } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { type ConversationKind, requestStates, roleNumbers } from '../../access.ts'
import { forget } from '../../notices/notifications/follow.ts'
import type { PartOf } from '../locked.ts'
import { type EndedRequest, endedColumns } from '../requests/answered.ts'

type ChangeKind =
  | 'member.added'
  | 'member.removed'
  | 'member.left'
  | 'member.changed'
  | 'member.silenced'
  | 'conversation.renamed'
  | 'conversation.changed'
  | 'conversation.timer_changed'

/** What a change writes into the log; the rows follow from it. */
export type Change = { [K in ChangeKind]: PartOf<K> }[ChangeKind]

export interface Applying {
  readonly conversation: string
  readonly kind: ConversationKind
  readonly by: string
  readonly part: Change
  /** Of the entry. */
  readonly seq: number
}

/** What ended with a change, and is told after the commit. */
export interface Ended {
  /** Whose notifications of the conversation are gone. */
  readonly forgot?: string | undefined
  /** People who asked to be let in, and are in it now. */
  readonly joining?: readonly string[]
  /** By which people were asked in: they came, or whoever asked is gone. */
  readonly requests?: readonly EndedRequest[]
}

/** Whoever goes is owed nothing any more, so that no push tells them (P8). */
export async function applyChange(client: PoolClient, { conversation, kind, by, part, seq }: Applying): Promise<Ended> {
  switch (part.event) {
    case 'member.added': {
      const { members, since } = part
      // What a group shows newcomers was said to others: it is not unread. What was said to them before they accepted is.
      const read = since !== undefined && kind === 'group' ? seq - 1 : 0
      await insertMembers(client, conversation, members, { seq, since: since ?? seq, read })
      return endRequests(
        client,
        conversation,
        members.map(member => member.user),
      )
    }
    case 'member.removed':
      return deleteMember(client, conversation, part.user)
    case 'member.left':
      await noteLeft(client, conversation, by)
      if (part.heir !== undefined) await setRole(client, conversation, { user: part.heir, role: 'owner' })
      return deleteMember(client, conversation, by)
    case 'member.changed':
      await setRole(client, conversation, part)
      if (part.byRole !== undefined) await setRole(client, conversation, { user: by, role: part.byRole })
      break
    case 'member.silenced':
      await silence(client, conversation, part)
      break
    case 'conversation.timer_changed':
      await client.query('UPDATE conversations SET timer_ms = $2 WHERE id = $1', [conversation, part.timerMs])
      break
    case 'conversation.renamed':
      await client.query('UPDATE conversations SET name = $2 WHERE id = $1', [conversation, part.name])
      break
    case 'conversation.changed':
      await set(client, conversation, part)
      break
  }
  return {}
}

/** @param from the entry by which they come, the one from which on they see the log, and what of it counts as read */
export async function insertMembers(
  client: PoolClient,
  conversation: string,
  members: readonly MemberRef[],
  from: { readonly seq: number; readonly since: number; readonly read: number },
): Promise<void> {
  await client.query(
    `INSERT INTO members (conversation_id, user_id, role, joined_seq, entered_seq, delivered_seq, read_seq)
     SELECT $1, m.user_id, m.role, $4::int8, nullif($5::int8, $4::int8), $6::int8, $6::int8 FROM unnest($2::uuid[], $3::smallint[]) AS m (user_id, role)`,
    [
      conversation,
      members.map(member => member.user),
      members.map(member => roleNumbers[member.role]),
      from.since,
      from.seq,
      from.read,
    ],
  )
}

/** By whatever way they came in: they ask no more, and are asked no more. */
async function endRequests(client: PoolClient, conversation: string, users: readonly string[]): Promise<Ended> {
  const joining = await client.query<{ id: string; declined: boolean }>(
    'DELETE FROM join_requests WHERE conversation_id = $1 AND user_id = ANY($2) RETURNING user_id AS id, declined',
    [conversation, users],
  )
  const asked = await client.query<EndedRequest | { readonly from: null }>(
    `DELETE FROM conversation_requests WHERE conversation_id = $1 AND user_id = ANY($2) RETURNING ${endedColumns}`,
    [conversation, users],
  )
  return {
    joining: joining.rows.flatMap(row => (row.declined ? [] : [row.id])),
    // Who had left, or did not want to come, nobody was waiting for.
    requests: asked.rows.filter(row => row.from !== null),
  }
}

async function setRole(client: PoolClient, conversation: string, { user, role }: MemberRef): Promise<void> {
  await client.query('UPDATE members SET role = $3 WHERE conversation_id = $1 AND user_id = $2', [
    conversation,
    user,
    roleNumbers[role],
  ])
}

/**
 * The member's row first, as receipts lock it (receipts/book.ts), then what hangs on it: also whom they have asked in, and
 * the links by which others, or they themselves, would come.
 */
async function deleteMember(client: PoolClient, conversation: string, user: string): Promise<Ended> {
  await client.query('DELETE FROM members WHERE conversation_id = $1 AND user_id = $2', [conversation, user])
  await client.query(
    `WITH owed AS (DELETE FROM offline_messages WHERE conversation_id = $1 AND user_id = $2),
          starred AS (DELETE FROM stars WHERE conversation_id = $1 AND user_id = $2),
          followed AS (DELETE FROM thread_follows WHERE conversation_id = $1 AND user_id = $2),
          mentioned AS (DELETE FROM mentions WHERE conversation_id = $1 AND user_id = $2)
     DELETE FROM drafts WHERE conversation_id = $1 AND user_id = $2`,
    [conversation, user],
  )
  const asked = await client.query<EndedRequest>(
    `DELETE FROM conversation_requests WHERE conversation_id = $1 AND from_id = $2 RETURNING ${endedColumns}`,
    [conversation, user],
  )
  await client.query('DELETE FROM invite_links WHERE conversation_id = $1 AND by_id = $2', [conversation, user])
  const forgot = (await forget(client, conversation, user)) ? user : undefined
  return { forgot, requests: asked.rows }
}

/** Whoever has left is asked before they are in it again, whoever wants them there. */
async function noteLeft(client: PoolClient, conversation: string, user: string): Promise<void> {
  await client.query(
    `INSERT INTO conversation_requests (id, conversation_id, user_id, state) VALUES ($1, $2, $3, $4)
         ON CONFLICT (conversation_id, user_id) DO UPDATE
        SET id = EXCLUDED.id, from_id = NULL, state = EXCLUDED.state, changed_at = now()`,
    [randomUUID(), conversation, user, requestStates.left],
  )
}

type Silencing = Pick<EntryOf<'member.silenced'>, 'user' | 'until'>

async function silence(client: PoolClient, conversation: string, { user, until }: Silencing): Promise<void> {
  if (until === null)
    await client.query('DELETE FROM group_silences WHERE conversation_id = $1 AND user_id = $2', [conversation, user])
  else
    await client.query(
      `INSERT INTO group_silences (conversation_id, user_id, until) VALUES ($1, $2, to_timestamp($3::float8 / 1000))
           ON CONFLICT (conversation_id, user_id) DO UPDATE SET until = EXCLUDED.until`,
      [conversation, user, until],
    )
}

/** What is left out stays. */
async function set(client: PoolClient, conversation: string, part: Change & { event: 'conversation.changed' }) {
  const { event: _, description, avatar, ...rules } = part
  await client.query(
    `UPDATE conversations
        SET description = coalesce($2, description), avatar = CASE WHEN $3 THEN $4::uuid ELSE avatar END,
            settings = settings || $5::jsonb
      WHERE id = $1`,
    [conversation, description ?? null, avatar !== undefined, avatar ?? null, JSON.stringify(rules)],
  )
}
