import { limits } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { uuidArray } from '../../store/binary-arrays.ts'

const countText = `
SELECT u.id, n.unread FROM unnest($1::uuid[]) AS u (id)
 CROSS JOIN LATERAL (
   SELECT count(*)::int AS unread FROM (
     SELECT FROM notifications WHERE user_id = u.id AND read_at IS NULL LIMIT ${limits.unreadNotificationsMax}
   ) waiting
 ) n`

/** How many notifications wait for each of these people, each counted up to `unreadNotificationsMax`. */
export async function countUnread(
  ctx: Pick<NoticesContext, 'pool'>,
  users: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = await ctx.pool.query<{ id: string; unread: number }>({
    name: 'notifications-count',
    text: countText,
    values: [uuidArray(users)],
  })
  return new Map(found.rows.map(row => [row.id, row.unread]))
}

/** How many wait for the caller. */
export async function count(ctx: NoticesContext, by: string): Promise<number> {
  return (await countUnread(ctx, [by])).get(by) ?? 0
}
