/** From what is to be pushed to one delivery for each device. */
import type { PoolClient } from 'pg'
import type { PushContext } from './context.ts'
import { goodSession } from './devices/device.ts'
import { transaction } from '../store/transaction.ts'
import { findFactsOf, judge, type PushTarget } from './facts.ts'

export type Provider = 'fcm' | 'webpush'

interface DueRow {
  user_id: string
  conversation_id: string
  from_seq: number
  upto_seq: number
  first: number
}

type Due = PushTarget & { readonly fromSeq: number }

const claimDue = `
SELECT user_id, conversation_id, from_seq, upto_seq, (extract(epoch FROM first_at) * 1000)::float8 AS first FROM pushes
 WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED`

/**
 * $1 people, $2 conversations, $3 the providers that there are. A device that still waits for an earlier push about the
 * conversation gets that one, which now reaches further; a device that had one less than a window ago waits for its end.
 */
const makeDeliveries = `
WITH given AS (
  SELECT p.* FROM unnest($1::uuid[], $2::uuid[]) g (user_id, conversation_id)
    JOIN pushes p ON p.user_id = g.user_id AND p.conversation_id = g.conversation_id
), settled AS (
  UPDATE pushes p SET due_at = NULL, pushed_at = now() FROM given g
   WHERE p.user_id = g.user_id AND p.conversation_id = g.conversation_id
), made AS (
  INSERT INTO push_deliveries AS d
         (id, user_id, conversation_id, device_id, provider, from_seq, upto_seq, message_at, state, due_at)
  SELECT gen_random_uuid(), g.user_id, g.conversation_id, v.id, v.provider, g.from_seq, g.upto_seq, g.first_at, 'waiting', now()
    FROM given g
    JOIN devices v ON v.user_id = g.user_id AND v.provider = ANY($3)
    JOIN sessions s ON s.id = v.session_id AND ${goodSession}
   ORDER BY v.id, g.conversation_id
      ON CONFLICT (device_id, conversation_id) WHERE state = 'waiting'
         DO UPDATE SET upto_seq = greatest(d.upto_seq, excluded.upto_seq)
  RETURNING 1
)
SELECT count(*)::int AS made FROM made`

/** $1 people, $2 conversations, $3 for how long, in milliseconds; without that for ever. */
const putOff = `
UPDATE pushes p SET due_at = now() + g.wait_ms * interval '1 millisecond'
  FROM unnest($1::uuid[], $2::uuid[], $3::float8[]) g (user_id, conversation_id, wait_ms)
 WHERE p.user_id = g.user_id AND p.conversation_id = g.conversation_id`

export interface Prepared {
  /** Pushes that were looked at; as many as `max` when there may be more. */
  readonly looked: number
  readonly deliveries: number
}

/**
 * Takes pushes that are due and decides about each: a delivery to every device with a live session, later (quiet hours),
 * or not at all. One transaction: a worker that dies in it leaves everything as it was.
 * @param providers those that this deployment can push through
 */
export async function prepare(
  ctx: PushContext,
  options: { readonly max: number; readonly providers: readonly Provider[] },
): Promise<Prepared> {
  return transaction(ctx, async client => {
    const found = await client.query<DueRow>({ name: 'push-claim-due', text: claimDue, values: [options.max] })
    if (found.rows.length === 0) return { looked: 0, deliveries: 0 }
    const due: Due[] = found.rows.map(row => ({
      user: row.user_id,
      conversation: row.conversation_id,
      fromSeq: row.from_seq,
      uptoSeq: row.upto_seq,
      since: row.first,
    }))
    return { looked: due.length, deliveries: await decide(ctx, client, due, options.providers) }
  })
}

async function decide(
  ctx: PushContext,
  client: PoolClient,
  due: readonly Due[],
  providers: readonly Provider[],
): Promise<number> {
  const facts = await findFactsOf(client, due)
  const toPush: Due[] = []
  const later: { one: Due; waitMs: number | null }[] = []
  for (const [n, one] of due.entries()) {
    const verdict = judge(facts[n]!, ctx.clock())
    if (verdict === 'push') toPush.push(one)
    else later.push({ one, waitMs: 'waitMs' in verdict ? verdict.waitMs : null })
  }
  if (later.length > 0)
    await client.query({
      name: 'push-put-off',
      text: putOff,
      values: [...idsOf(later.map(({ one }) => one)), later.map(({ waitMs }) => waitMs)],
    })
  if (toPush.length === 0) return 0
  const made = await client.query<{ made: number }>({
    name: 'push-make-deliveries',
    text: makeDeliveries,
    values: [...idsOf(toPush), providers],
  })
  return made.rows[0]!.made
}

const idsOf = (places: readonly PushTarget[]) => [
  places.map(place => place.user),
  places.map(place => place.conversation),
]
