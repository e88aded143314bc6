/**
 * Reminds people of messages at the time that they have chosen. A claim is a lease; the notification has the name of its
 * reminder, so that it comes once although the worker is killed, and a push follows it. It carries no content: what the message says, the person
 * reads where it stands. Where it stands no more, or they may not read it, the reminder says just that.
 */
import { firstSeen, notHidden } from '../log/messages/hidden.ts'
import { readTarget } from '../log/messages/target.ts'
import { tellReminder } from '../log/reminders/set.ts'
import { addOrThrow } from '../notices/notifications/add.ts'
import type { PushContext } from './context.ts'
import { hasDevice, joined } from './upsert.ts'

const leaseMs = 30_000

interface Row {
  user: string
  conversation: string
  seq: number
  /** Microseconds since 1970. */
  created: number
  /** They are a member, and see what lies there. */
  sees: boolean
}

/** $1 how many, $2 the lease. */
const claimDue = `
WITH due AS MATERIALIZED (
  SELECT user_id, conversation_id, seq FROM reminders WHERE due_at <= now() ORDER BY due_at LIMIT $1
     FOR UPDATE SKIP LOCKED
)
UPDATE reminders r SET due_at = now() + $2 * interval '1 millisecond'
  FROM due LEFT JOIN members m ON m.conversation_id = due.conversation_id AND m.user_id = due.user_id
 WHERE r.user_id = due.user_id AND r.conversation_id = due.conversation_id AND r.seq = due.seq
RETURNING r.user_id AS user, r.conversation_id AS conversation, r.seq, coalesce(r.seq >= ${firstSeen('m')}, false) AND ${notHidden('r', 'r.user_id')} AS sees,
          (extract(epoch FROM r.created_at) * 1000000)::int8 AS created`

/** $4 the name of the notification. `facts.ts` finds it by its time, so that one which lies unread pushes nothing later. */
const pushReminder = `
INSERT INTO pushes AS p (user_id, conversation_id, from_seq, upto_seq, first_at, due_at)
SELECT n.user_id, $2, $3, $3, n.at, now() FROM notifications n
 WHERE n.user_id = $1 AND n.dedup = $4 AND n.read_at IS NULL
   AND ${hasDevice('n.user_id')}
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET
       ${joined('from_seq', 'least')}, ${joined('upto_seq', 'greatest')}, ${joined('first_at', 'least')},
       due_at = least(p.due_at, excluded.due_at)`

/** @returns how many were due; as many as `max` when there may be more */
export async function remindDue(ctx: PushContext, max: number): Promise<number> {
  const { rows } = await ctx.pool.query<Row>({ name: 'reminders-claim', text: claimDue, values: [max, leaseMs] })
  // The lease ends by itself, and it is tried again.
  for (const row of rows)
    await remind(ctx, row).catch((error: unknown) => ctx.logger.warn({ err: error }, 'unable to remind somebody'))
  return rows.length
}

async function remind(ctx: PushContext, { user, conversation, seq, created, sees }: Row): Promise<void> {
  const message = sees ? await readTarget(ctx.pool, ctx.seal, conversation, seq) : undefined
  const isGone = message === undefined || message.removed !== undefined
  const dedup = `reminder:${conversation}:${seq}:${created}`
  await addOrThrow(ctx, [user], {
    kind: 'reminder',
    dedup,
    detail: { conversation, seq: String(seq), ...(isGone ? { gone: 'true' } : {}) },
  })
  if (!isGone)
    await ctx.pool.query({ name: 'push-reminder', text: pushReminder, values: [user, conversation, seq, dedup] })
  // One that was set again meanwhile is another.
  const done = await ctx.pool.query(
    `DELETE FROM reminders WHERE user_id = $1 AND conversation_id = $2 AND seq = $3
        AND created_at = timestamptz 'epoch' + $4::int8 * interval '1 microsecond'`,
    [user, conversation, seq, created],
  )
  if (done.rowCount !== 0) tellReminder(ctx, user, { conversation, seq, at: null })
}
