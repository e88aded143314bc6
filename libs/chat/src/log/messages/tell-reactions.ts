/**
 * Tells the members of a large conversation of reactions: one entry with the counts of many messages, at most every
 * `reactionsGatherMs`. When it is due stands in the store, so that it is told whoever dies: the process that opened the round
 * has a timer, whoever reacts after the time does it in its place, and so does the worker.
 */
import { randomUUID } from 'node:crypto'
import type { PoolClient } from 'pg'
import { transaction } from '../../store/transaction.ts'
import type { LogContext } from '../context.ts'
import { lock, write } from '../locked.ts'
import { toCounts } from './reactions.ts'

/** Messages that one entry tells of, so that it stays small; the others come with the next. */
const messagesAtOnceMax = 20
/** Whoever opened the round has so long to tell before others do. */
const lateMs = 1_000
const conversationsAtOnceMax = 50

const untilDue = '(extract(epoch FROM due_at - clock_timestamp()) * 1000)::float8'

/** When the members are told next. */
interface Round {
  readonly dueMs: number
  /** This process opened it, or whoever did is late. */
  readonly isOurs: boolean
}

/** Sees to it that the members are told of what this transaction has counted. The connection holds the conversation. */
export async function openRound(ctx: LogContext, client: PoolClient, conversation: string, by: string): Promise<Round> {
  const found = await client.query<{ due_ms: number; opened: boolean }>({
    name: 'reactions-round',
    text: `WITH before AS (SELECT due_at FROM reaction_rounds WHERE conversation_id = $1)
           INSERT INTO reaction_rounds AS r (conversation_id, last_by, due_at) VALUES ($1, $2, now())
               ON CONFLICT (conversation_id) DO UPDATE
              SET last_by = EXCLUDED.last_by,
                  due_at = coalesce(r.due_at, greatest(now(), r.told_at + $3 * interval '1 millisecond'))
           RETURNING ${untilDue} AS due_ms,
                     (SELECT b.due_at FROM before b) IS NULL AS opened`,
    values: [conversation, by, ctx.settings.reactionsGatherMs],
  })
  const { due_ms: dueMs, opened } = found.rows[0]!
  return { dueMs, isOurs: opened || dueMs < -lateMs }
}

/** Tells when it is time, in this process if it lives so long. */
export function tellOnTime(ctx: LogContext, conversation: string, dueMs: number): void {
  ctx.later(Math.max(0, dueMs), async () => {
    const nextMs = await tellReactions(ctx, conversation)
    if (nextMs !== undefined) tellOnTime(ctx, conversation, nextMs)
  })
}

/** Tells what others have left untold. @returns whether there may be more */
export async function tellOverdue(ctx: LogContext): Promise<boolean> {
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT conversation_id AS id FROM reaction_rounds WHERE due_at < now() - $1 * interval '1 millisecond'
      ORDER BY due_at LIMIT ${conversationsAtOnceMax}`,
    [lateMs],
  )
  for (const { id } of found.rows) await tellReactions(ctx, id)
  return found.rows.length === conversationsAtOnceMax
}

interface UntoldRow {
  seq: number
  version: number
  emojis: string[]
  counts: number[]
}

/** @returns in how many milliseconds there is more to tell */
async function tellReactions(ctx: LogContext, conversation: string): Promise<number | undefined> {
  const { reactionsGatherMs } = ctx.settings
  const told = await transaction(ctx, async client => {
    const row = await lock(ctx, client, conversation)
    const found = await client.query<{ last_by: string; due_ms: number }>(
      `SELECT last_by, ${untilDue} AS due_ms FROM reaction_rounds WHERE conversation_id = $1 AND due_at IS NOT NULL`,
      [conversation],
    )
    const round = found.rows[0]
    if (row === undefined || round === undefined) return undefined
    // Somebody else has told, or the timer was early.
    if (round.due_ms > 0) return { nextMs: round.due_ms }
    const untold = await client.query<UntoldRow>(
      `UPDATE reaction_counts SET untold = false WHERE conversation_id = $1 AND untold AND seq = ANY(ARRAY(
         SELECT seq FROM reaction_counts WHERE conversation_id = $1 AND untold ORDER BY seq LIMIT ${messagesAtOnceMax}))
       RETURNING seq, version, emojis, counts`,
      [conversation],
    )
    const isMore = untold.rows.length === messagesAtOnceMax
    await client.query(
      `UPDATE reaction_rounds
          SET told_at = now(), due_at = CASE WHEN $2 THEN now() + $3 * interval '1 millisecond' END
        WHERE conversation_id = $1`,
      [conversation, isMore, reactionsGatherMs],
    )
    // Their messages may have been removed meanwhile.
    const nextMs = isMore ? reactionsGatherMs : undefined
    if (untold.rows.length === 0) return undefined
    const messages = untold.rows.map(({ seq: target, version, emojis, counts }) => ({
      target,
      version,
      counts: toCounts(emojis, counts),
    }))
    const part = { event: 'reaction.counted' as const, messages }
    const written = await write(ctx, client, { conversation, by: round.last_by, clientId: randomUUID(), part })
    return { ...written, nextMs }
  })
  if (told !== undefined && 'entry' in told) {
    const { entry: event, version } = told
    const { seq, at } = event
    ctx.emit({ class: 'entry', to: { conversation, version }, event, entry: { conversation, seq, at } })
  }
  return told?.nextMs
}
