/**
 * Deliveries on their way out. A claim is a lease of two sends and a collapse window: if the worker dies, nobody knows
 * whether the push was sent, and another may send it only when a second one would not be too soon.
 */
import { badge } from '../log/conversations/badge.ts'
import type { PushContext } from './context.ts'
import { goodSession } from './devices/device.ts'
import { type Facts, findFactsOf, judge, type SkipReason } from './facts.ts'
import type { Provider } from './prepare.ts'

/** What a push says. Never what somebody wrote. */
export interface PushContent {
  readonly conversation: string
  readonly uptoSeq: number
  /** `reminder`: of the message `uptoSeq`, and nothing else waits there. `reply`: in `thread`, and nothing else either. */
  readonly kind: 'message' | 'reply' | 'reminder'
  readonly thread?: number
  /** Messages that wait in the conversation; 100 stands for more too. */
  readonly count: number
  /** Everything unread, for the icon. */
  readonly badge: number
  /** Left out when the person or the deployment wants no names in it. */
  readonly names?: { readonly senders: readonly string[]; readonly group?: string }
}

export interface Target {
  readonly device: string
  readonly platform: string
  /** Of FCM, or the endpoint of a Web Push subscription. */
  readonly token: string
  readonly tokenHash: Buffer
  readonly webKeys: unknown
}

export interface Delivery {
  readonly id: string
  /** With this one. */
  readonly attempt: number
  readonly provider: Provider
  /** When the first of the messages was written, in milliseconds since 1970. */
  readonly messageAt: number
  readonly target: Target
  readonly content: PushContent
}

interface Row {
  id: string
  attempt_count: number
  user_id: string
  conversation_id: string
  device_id: string
  provider: Provider
  upto_seq: number
  message_at: number
  platform: string | null
  token: string | null
  token_hash: Buffer | null
  web_keys: unknown
}

/**
 * $1 the provider, $2 how many, $3 the lease, $4 the window. A device that was sent something about the conversation
 * less than a window ago is passed over. A claim that was never answered leaves its line in the trace.
 */
const claimDue = `
WITH picked AS MATERIALIZED (
  SELECT d.id, d.device_id FROM push_deliveries d
   WHERE d.provider = $1 AND d.due_at <= now() AND d.state = 'waiting'
     AND NOT EXISTS (SELECT FROM push_deliveries x
                      WHERE x.conversation_id = d.conversation_id AND x.device_id = d.device_id
                        AND x.attempt_count > 0 AND x.finished_at > now() - $4 * interval '1 millisecond')
   ORDER BY d.due_at LIMIT $2 FOR UPDATE OF d SKIP LOCKED
)
UPDATE push_deliveries d
   SET attempt_count = d.attempt_count + 1, due_at = now() + $3 * interval '1 millisecond',
       claimed_until = now() + $3 * interval '1 millisecond',
       attempts = d.attempts || CASE WHEN d.claimed_until IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(jsonb_build_object(
         'at', round(extract(epoch FROM now()) * 1000), 'answer', 'unanswered')) END
  FROM picked p
  LEFT JOIN (devices v JOIN sessions s ON s.id = v.session_id AND ${goodSession})
    ON v.id = p.device_id
 WHERE d.id = p.id
RETURNING d.id, d.attempt_count, d.user_id, d.conversation_id, d.device_id, d.provider, d.upto_seq,
          (extract(epoch FROM d.message_at) * 1000)::float8 AS message_at, v.platform, v.token, v.token_hash, v.web_keys`

/** $1 ids, $2 their attempts, $3 their states, $4 the reasons. These were not sent, so it was no attempt. */
const finishUnsent = `
UPDATE push_deliveries d
   SET state = g.state, attempt_count = d.attempt_count - 1, due_at = NULL, claimed_until = NULL, finished_at = now(),
       attempts = d.attempts || jsonb_build_array(jsonb_build_object(
         'at', round(extract(epoch FROM now()) * 1000), 'answer', g.state, 'reason', g.reason))
  FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) g (id, attempt, state, reason)
 WHERE d.id = g.id AND d.attempt_count = g.attempt AND d.state = 'waiting'`

interface Unsent {
  readonly row: Row
  readonly state: 'skipped' | 'dead'
  readonly reason: SkipReason | 'attempts'
}

export interface Claimed {
  readonly deliveries: readonly Delivery[]
  /** Those that were not to be sent any more, by what became of them. */
  readonly unsent: readonly ('skipped' | 'dead')[]
  /** All that were taken; as many as `max` when there may be more. */
  readonly looked: number
}

/** Takes deliveries of one provider that are due, the longest due first. Send each within `pushSendMs`. */
export async function claim(
  ctx: PushContext,
  options: { readonly provider: Provider; readonly max: number },
): Promise<Claimed> {
  const { pushSendMs, pushCollapseMs, pushAttemptsMax } = ctx.settings
  const { rows } = await ctx.pool.query<Row>({
    name: 'push-claim',
    text: claimDue,
    values: [options.provider, options.max, 2 * pushSendMs + pushCollapseMs, pushCollapseMs],
  })
  if (rows.length === 0) return { deliveries: [], unsent: [], looked: 0 }
  const facts = await findFactsOf(
    ctx.pool,
    rows.map(row => ({
      user: row.user_id,
      conversation: row.conversation_id,
      uptoSeq: row.upto_seq,
      since: row.message_at,
    })),
  )
  const unsent: Unsent[] = []
  const toSend: { row: Row; target: Target; facts: Facts }[] = []
  for (const [n, row] of rows.entries()) {
    const target = targetOf(row)
    const verdict = judge(facts[n]!, ctx.clock())
    if (row.attempt_count > pushAttemptsMax) unsent.push({ row, state: 'dead', reason: 'attempts' })
    else if (target === undefined) unsent.push({ row, state: 'skipped', reason: 'no_device' })
    else if (verdict === 'push') toSend.push({ row, target, facts: facts[n]! })
    else if ('skip' in verdict) unsent.push({ row, state: 'skipped', reason: verdict.skip })
    else await putBack(ctx, { id: row.id, attempt: row.attempt_count }, verdict.waitMs)
  }
  if (unsent.length > 0) await finish(ctx, unsent)
  const badges = await badgesOf(ctx, [...new Set(toSend.map(({ row }) => row.user_id))])
  const deliveries = toSend.map(({ row, target, facts }) => ({
    id: row.id,
    attempt: row.attempt_count,
    provider: row.provider,
    messageAt: row.message_at,
    target,
    content: contentOf(ctx, row, facts, badges.get(row.user_id) ?? 0),
  }))
  return { deliveries, unsent: unsent.map(one => one.state), looked: rows.length }
}

/** Gives a claimed delivery back without an attempt, for so long. */
export async function putBack(
  ctx: PushContext,
  delivery: Pick<Delivery, 'id' | 'attempt'>,
  waitMs: number,
): Promise<void> {
  await ctx.pool.query({
    name: 'push-put-back',
    text: `UPDATE push_deliveries SET due_at = now() + $3 * interval '1 millisecond', claimed_until = NULL,
                  attempt_count = attempt_count - 1
            WHERE id = $1 AND attempt_count = $2 AND state = 'waiting'`,
    values: [delivery.id, delivery.attempt, waitMs],
  })
}

async function finish(ctx: PushContext, unsent: readonly Unsent[]): Promise<void> {
  await ctx.pool.query({
    name: 'push-finish-unsent',
    text: finishUnsent,
    values: [
      unsent.map(({ row }) => row.id),
      unsent.map(({ row }) => row.attempt_count),
      unsent.map(({ state }) => state),
      unsent.map(({ reason }) => reason),
    ],
  })
}

function targetOf(row: Row): Target | undefined {
  const { platform, token, token_hash: tokenHash } = row
  if (platform === null || token === null || tokenHash === null) return undefined
  return { device: row.device_id, platform, token, tokenHash, webKeys: row.web_keys }
}

async function badgesOf(ctx: PushContext, users: readonly string[]): Promise<Map<string, number>> {
  const badges = new Map<string, number>()
  for (const user of users) badges.set(user, await badge(ctx, user))
  return badges
}

function contentOf(ctx: PushContext, row: Row, facts: Facts, badge: number): PushContent {
  const { groupName: group, senders, thread } = facts
  const named = ctx.settings.pushNames && facts.names
  return {
    conversation: row.conversation_id,
    uptoSeq: row.upto_seq,
    kind: facts.count === 0 ? 'reminder' : thread === undefined ? 'message' : 'reply',
    ...(thread === undefined ? {} : { thread }),
    count: facts.count,
    badge,
    ...(named ? { names: { senders, ...(group === undefined ? {} : { group }) } } : {}),
  }
}
