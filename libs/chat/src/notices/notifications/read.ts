import { Refusal } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { toldOrRefreshed } from '../../store/told-or-refreshed.ts'
import { count } from './count.ts'

/**
 * The caller has seen one notification. To say it again changes nothing.
 * @returns how many still wait
 * @throws Refusal notification_unknown
 */
export async function read(ctx: NoticesContext, by: string, notification: string): Promise<number> {
  // The row as it was before tells whether the other devices have something to hear.
  const found = await ctx.pool.query<{ was_unread: boolean }>(
    `UPDATE notifications n SET read_at = coalesce(n.read_at, now())
       FROM (SELECT id, read_at IS NULL AS was_unread FROM notifications WHERE id = $1 AND user_id = $2 FOR UPDATE) was
      WHERE n.id = was.id RETURNING was.was_unread`,
    [notification, by],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('notification_unknown')
  const unread = await toldOrRefreshed(ctx, [by], () => count(ctx, by))
  if (row.was_unread)
    ctx.emit({ class: 'signal', to: [by], event: { event: 'notification.read', unread, notification } })
  return unread
}

/**
 * The caller has seen all that there are by now.
 * @returns how many still wait: those that came meanwhile
 */
export async function readAll(ctx: NoticesContext, by: string): Promise<number> {
  // Rows are locked in one order, so that two devices that do it at once cannot wait for each other.
  const found = await ctx.pool.query(
    `WITH held AS MATERIALIZED (
       SELECT id FROM notifications WHERE user_id = $1 AND read_at IS NULL ORDER BY id FOR UPDATE
     )
     UPDATE notifications n SET read_at = now() FROM held h WHERE n.id = h.id`,
    [by],
  )
  const unread = await toldOrRefreshed(ctx, [by], () => count(ctx, by))
  if (found.rowCount !== 0) ctx.emit({ class: 'signal', to: [by], event: { event: 'notification.read', unread } })
  return unread
}
