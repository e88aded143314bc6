/** Changes a message before it is sent. From the moment the worker has claimed it, nothing changes it any more. */
import { Refusal, refuseBody, type ScheduledMessage, type PostedBody } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'
import { scheduledColumns, type ScheduledRow, sealBody, tellScheduled, toScheduled } from './row.ts'
import { readTime, type Time } from './time.ts'

export interface EditScheduledInput extends Time {
  readonly id: string
  readonly body?: PostedBody | undefined
}

/**
 * Puts another body or another time in its place. With another time, one that has failed is tried anew.
 * @throws Refusal field_invalid, data_too_deep, scheduled_unknown
 */
export async function edit(ctx: LogContext, by: string, input: EditScheduledInput): Promise<ScheduledMessage> {
  const { id, body } = input
  const refusal = body === undefined ? undefined : refuseBody(body)
  if (refusal !== undefined) throw refusal
  const time = readTime(input, ctx.clock())
  const sealed = body === undefined ? undefined : sealBody(ctx, by, id, body)
  const edited = await ctx.pool.query<ScheduledRow>(
    `UPDATE scheduled_messages s
        SET key_id = coalesce($3, key_id), body = coalesce($4, body),
            due_at = coalesce(d.at, due_at), attempt_at = coalesce(d.at, attempt_at),
            wall = CASE WHEN d.at IS NULL THEN wall ELSE $6 END, zone = CASE WHEN d.at IS NULL THEN zone ELSE $7 END,
            rules = CASE WHEN d.at IS NULL THEN rules ELSE $8 END, failure = CASE WHEN d.at IS NULL THEN failure END
       FROM (SELECT timestamptz 'epoch' + $5::int8 * interval '1 millisecond' AS at) d
      WHERE s.user_id = $1 AND s.id = $2 AND s.claimed_at IS NULL
  RETURNING ${scheduledColumns}`,
    [by, id, sealed?.keyId, sealed?.body, time?.due, time?.wall, time?.zone, time?.rules],
  )
  if (edited.rows.length === 0) throw new Refusal('scheduled_unknown')
  const [message] = (await toScheduled(ctx, edited.rows)) as [ScheduledMessage]
  tellScheduled(ctx, by, id, message)
  return message
}
