/**
 * How polls stand. A poll is a message; its row here begins with the first vote, and is read and written under the lock of
 * the conversation, so that its totals are exact. What the log says of it may be older where votes are told as totals.
 */
import type { PollBody } from '@flotilla/protocol'
import { bodyAs, Refusal } from '@flotilla/protocol'
import type { Pool, PoolClient } from 'pg'
import type { Sealer } from '../../store/seal.ts'
import { keyOf, markPart, type MessagePart, placeArrays } from './part.ts'
import { readTarget } from './target.ts'

interface PartRow {
  conversation: string
  seq: number
  told_seq: number
  told_counts: number[]
  told_voters: number
  closed: boolean
  has_voted: boolean
  options: number[] | null
}

export const pollPart: MessagePart<'poll'> = {
  field: 'poll',
  bit: 8,
  async read(ctx, viewer, places) {
    const found = await ctx.pool.query<PartRow>({
      name: 'polls-read',
      text: `SELECT p.conversation_id AS conversation, p.seq, p.told_seq, p.told_counts, p.told_voters,
                    p.closed_seq IS NOT NULL AS closed, v.options, v.user_id IS NOT NULL AND v.options IS DISTINCT FROM '{}' AS has_voted
               FROM generate_series(1, cardinality($1::uuid[])) r
               JOIN polls p ON p.conversation_id = ($1::uuid[])[r] AND p.seq = ($2::int8[])[r]
               LEFT JOIN poll_votes v ON v.conversation_id = p.conversation_id AND v.seq = p.seq AND v.user_id = $3`,
      values: [...placeArrays(places), viewer],
    })
    return new Map(
      found.rows.map(row => [
        keyOf(row),
        {
          seq: row.told_seq,
          counts: row.told_counts,
          voters: row.told_voters,
          ...(row.closed ? { closed: true as const } : {}),
          ...(row.has_voted ? { mine: row.options ?? [] } : {}),
        },
      ]),
    )
  },
}

/** The message that a poll is. */
export interface Asked {
  readonly poll: PollBody
  readonly sender: string
}

/** @param joinedSeq from which seq on the caller sees the conversation */
export async function demandPoll(
  client: Pool | PoolClient,
  seal: Sealer,
  at: { readonly conversation: string; readonly target: number; readonly joinedSeq: number },
): Promise<Asked> {
  const message = at.target < at.joinedSeq ? undefined : await readTarget(client, seal, at.conversation, at.target)
  const poll = message === undefined || message.removed !== undefined ? undefined : bodyAs('poll', message.body)
  if (poll === undefined) throw new Refusal('message_unknown', 'there is no such poll', { field: 'target' })
  return { poll, sender: message!.sender }
}

/** A poll as it stands under the lock of its conversation. */
export interface Standing {
  readonly counts: readonly number[]
  readonly voters: number
  /** What the log says: the last entry that said so, and how long ago that was. */
  readonly told: {
    readonly seq: number
    readonly counts: readonly number[]
    readonly voters: number
    readonly ageMs: number
  }
  /** A job is to tell the totals, soon or a moment ago. */
  readonly isTellDue: boolean
  /** Nobody has voted yet, not even to take it back. */
  readonly isNew: boolean
  readonly closedSeq: number | undefined
  /** Its closing time has come. */
  readonly isOver: boolean
  /** What one person has voted for: undefined before they have, and null where that is not kept. */
  readonly mine: readonly number[] | null | undefined
  /** Their votes that are no entries. */
  readonly clientIds: readonly string[]
}

interface Row {
  counts: number[] | null
  voters: number
  told_seq: number
  told_counts: number[]
  told_voters: number
  told_age: number
  is_tell_due: boolean
  closed_seq: number | null
  is_over: boolean
  has_vote: boolean
  options: number[] | null
  client_ids: string[] | null
}

export interface PollPlace {
  readonly conversation: string
  readonly target: number
}

/** A job that was lost, to a worker of the version before for instance, is not waited for longer than this. */
const tellLateMsMax = 60_000

export async function readStanding(
  client: PoolClient,
  { conversation, target }: PollPlace,
  { options, closesAt }: PollBody,
  user: string | null = null,
): Promise<Standing> {
  const found = await client.query<Row>({
    name: 'polls-standing',
    text: `SELECT p.counts, p.voters, p.told_seq, p.told_counts, p.told_voters, p.closed_seq,
                  (extract(epoch FROM clock_timestamp() - p.told_at) * 1000)::float8 AS told_age,
                  coalesce(p.tell_due > clock_timestamp() - $5 * interval '1 millisecond', false) AS is_tell_due,
                  coalesce(clock_timestamp() >= timestamptz 'epoch' + $4::int8 * interval '1 millisecond', false) AS is_over,
                  v.user_id IS NOT NULL AS has_vote, v.options, v.client_ids
             FROM (SELECT) one
             LEFT JOIN polls p ON p.conversation_id = $1 AND p.seq = $2
             LEFT JOIN poll_votes v ON v.conversation_id = $1 AND v.seq = $2 AND v.user_id = $3`,
    values: [conversation, target, user, closesAt ?? null, tellLateMsMax],
  })
  const row = found.rows[0]!
  const { is_over: isOver } = row
  if (row.counts === null) {
    const none = { counts: options.map(() => 0), voters: 0 }
    const told = { ...none, seq: target, ageMs: Number.POSITIVE_INFINITY }
    return {
      ...none,
      told,
      isTellDue: false,
      isNew: true,
      closedSeq: undefined,
      isOver,
      mine: undefined,
      clientIds: [],
    }
  }
  return {
    counts: row.counts,
    voters: row.voters,
    told: { seq: row.told_seq, counts: row.told_counts, voters: row.told_voters, ageMs: row.told_age },
    isTellDue: row.is_tell_due,
    isNew: false,
    closedSeq: row.closed_seq ?? undefined,
    isOver,
    mine: row.has_vote ? row.options : undefined,
    clientIds: row.client_ids ?? [],
  }
}

/** Whether somebody has voted, and has not taken it back. */
export const hasVoted = (mine: Standing['mine']): boolean => mine === null || (mine?.length ?? 0) > 0

/** What becomes of a poll. */
export interface Change {
  readonly counts: readonly number[]
  readonly voters: number
  /** The entry that says so. Without it the log says what it said, and a job tells the totals at a time. */
  readonly toldSeq?: number
  readonly tellDueAfterMs?: number
  readonly closedSeq?: number
}

export async function writeStanding(
  client: PoolClient,
  { conversation, target }: PollPlace,
  { options, anonymous = false }: PollBody,
  change: Change,
): Promise<void> {
  const { rows } = await client.query<{ is_new: boolean }>({
    name: 'polls-write',
    text: `INSERT INTO polls AS p (conversation_id, seq, anonymous, counts, voters, told_seq, told_counts, told_voters, told_at,
                                   tell_due, closed_seq)
           VALUES ($1, $2, $3, $4::int[], $5::int, coalesce($6::int8, $2::int8), CASE WHEN $6::int8 IS NULL THEN $7::int[] ELSE $4::int[] END,
                   CASE WHEN $6::int8 IS NULL THEN 0 ELSE $5::int END, clock_timestamp(),
                   clock_timestamp() + $8::float8 * interval '1 millisecond', $9)
               ON CONFLICT (conversation_id, seq) DO UPDATE
              SET counts = EXCLUDED.counts, voters = EXCLUDED.voters,
                  told_seq = coalesce($6::int8, p.told_seq),
                  told_counts = CASE WHEN $6::int8 IS NULL THEN p.told_counts ELSE EXCLUDED.counts END,
                  told_voters = CASE WHEN $6::int8 IS NULL THEN p.told_voters ELSE EXCLUDED.voters END,
                  told_at = CASE WHEN $6::int8 IS NULL THEN p.told_at ELSE EXCLUDED.told_at END,
                  tell_due = CASE WHEN $6::int8 IS NULL THEN coalesce(EXCLUDED.tell_due, p.tell_due) END,
                  closed_seq = coalesce(p.closed_seq, EXCLUDED.closed_seq)
           RETURNING xmax = 0 AS is_new`,
    values: [
      conversation,
      target,
      anonymous,
      change.counts,
      change.voters,
      change.toldSeq ?? null,
      options.map(() => 0),
      change.tellDueAfterMs ?? null,
      change.closedSeq ?? null,
    ],
  })
  if (rows[0]!.is_new) await markPart(client, { conversation, seq: target }, pollPart)
}

/**
 * From now on nobody can find out who voted for what in an anonymous poll: no vote can change any more, so none is kept. That
 * somebody has voted is.
 */
export async function forgetVotes(client: PoolClient, { conversation, target }: PollPlace): Promise<void> {
  await client.query(
    `UPDATE poll_votes SET options = NULL WHERE conversation_id = $1 AND seq = $2 AND options <> '{}'`,
    [conversation, target],
  )
}

/** Messages whose content is taken away are no polls any more, and nothing is kept of their votes. */
export async function dropPolls(client: PoolClient, conversation: string, targets: readonly number[]): Promise<void> {
  for (const table of ['poll_votes', 'polls'])
    await client.query(`DELETE FROM ${table} WHERE conversation_id = $1 AND seq = ANY($2::int8[])`, [
      conversation,
      targets,
    ])
}
