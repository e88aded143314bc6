/** Zones change their rules, sometimes with little notice: what was scheduled by the clock on a wall is sent by the new ones. */
import { momentOf, zoneRules } from '../../text/zones.ts'
import type { LogContext } from '../context.ts'
import { scheduledColumns, type ScheduledRow, tellScheduled, toScheduled } from './row.ts'

const rowsAtOnce = 500

/**
 * Reckons anew what was reckoned by older rules than this process knows. The older of two versions that run side by side
 * takes nothing back.
 */
export async function retime(ctx: LogContext, signal?: AbortSignal): Promise<void> {
  for (let isEnded = false; !isEnded; isEnded = signal?.aborted === true) {
    const { rows } = await ctx.pool.query<ScheduledRow>(
      `SELECT ${scheduledColumns} FROM scheduled_messages s
        WHERE s.rules < $1 COLLATE "C" AND s.claimed_at IS NULL AND s.failure IS NULL LIMIT ${rowsAtOnce}`,
      [zoneRules],
    )
    if (rows.length === 0) return
    const dues = rows.map(row => momentOf(row.wall ?? '', row.zone ?? '') ?? row.due)
    const moved = await ctx.pool.query<ScheduledRow & { before: number }>(
      `UPDATE scheduled_messages s SET due_at = g.at, attempt_at = g.at, rules = $1
         FROM (SELECT n.user_id, n.id, n.before, n.wall, n.zone, timestamptz 'epoch' + n.due * interval '1 millisecond' AS at
                 FROM unnest($2::uuid[], $3::uuid[], $4::int8[], $5::int8[], $6::text[], $7::text[])
                      n (user_id, id, due, before, wall, zone)) g
        WHERE s.user_id = g.user_id AND s.id = g.id AND s.wall = g.wall AND s.zone = g.zone
          AND s.claimed_at IS NULL AND s.failure IS NULL
    RETURNING ${scheduledColumns}, g.before`,
      [
        zoneRules,
        rows.map(row => row.user_id),
        rows.map(row => row.id),
        dues,
        rows.map(row => row.due),
        rows.map(row => row.wall),
        rows.map(row => row.zone),
      ],
    )
    const changed = moved.rows.filter(row => row.due !== row.before)
    const messages = await toScheduled(ctx, changed)
    for (const [nth, message] of messages.entries()) tellScheduled(ctx, changed[nth]!.user_id, message.id, message)
  }
}
