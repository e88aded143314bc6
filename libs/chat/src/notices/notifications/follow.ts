/**
 * What happens elsewhere takes its notifications along: reading a conversation reads them, leaving it removes them, and
 * so does the end of what somebody was told of.
 */
import type { NoticesContext } from '../context.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { count, countUnread } from './count.ts'

export interface ReadTo {
  readonly user: string
  readonly conversation: string
  /** Everything up to this seq has been read. */
  readonly read: number
}

const readText = `
WITH held AS MATERIALIZED (
  SELECT n.id, n.user_id, n.conversation_id
    FROM unnest($1::uuid[], $2::uuid[], $3::int8[]) AS g (user_id, conversation_id, read)
    JOIN notifications n ON n.user_id = g.user_id AND n.conversation_id = g.conversation_id AND n.seq <= g.read
   WHERE n.read_at IS NULL
   ORDER BY n.id
     FOR UPDATE OF n
)
UPDATE notifications n SET read_at = now() FROM held h WHERE n.id = h.id
RETURNING h.user_id, h.conversation_id`

/**
 * The cursors of these people rose. A statement of its own after theirs, one for all whose receipts were written
 * together: within theirs it would see the time before it waited for their rows, and miss a notification that was
 * added meanwhile; and the statement that every receipt goes through stays as it is. For nearly everybody it ends in
 * a look into the index of the unread.
 */
export async function readAlong(
  ctx: Pick<NoticesContext, 'pool' | 'logger' | 'emit'>,
  risen: readonly ReadTo[],
): Promise<void> {
  if (risen.length === 0) return
  try {
    const found = await ctx.pool.query<{ user_id: string; conversation_id: string }>({
      name: 'notifications-read-along',
      text: readText,
      values: [
        uuidArray(risen.map(one => one.user)),
        uuidArray(risen.map(one => one.conversation)),
        int8Array(risen.map(one => one.read)),
      ],
    })
    if (found.rows.length === 0) return
    const changed = new Set(found.rows.map(row => row.user_id + row.conversation_id))
    const unread = await countUnread(ctx, [...new Set(found.rows.map(row => row.user_id))])
    for (const { user, conversation, read } of risen.filter(one => changed.has(one.user + one.conversation)))
      ctx.emit({
        class: 'signal',
        to: [user],
        event: { event: 'notification.read', unread: unread.get(user) ?? 0, conversation, seq: read },
      })
  } catch (error) {
    // The receipts are committed. What stays unread is read with the next message of the conversation, or by hand.
    ctx.logger.warn({ err: error, receipts: risen.length }, 'unable to mark notifications as read')
    ctx.emit({ class: 'signal', to: risen.map(one => one.user), event: { event: 'refresh' } })
  }
}

/**
 * The person's membership ends in this transaction, and what they were told of the conversation with it (P8).
 * @returns whether there was anything
 */
export async function forget(
  client: { query(text: string, values: unknown[]): Promise<{ rowCount: number | null }> },
  conversation: string,
  user: string,
): Promise<boolean> {
  const gone = await client.query(
    `DELETE FROM notifications WHERE id IN (
       SELECT id FROM notifications WHERE user_id = $2 AND conversation_id = $1 ORDER BY id FOR UPDATE
     )`,
    [conversation, user],
  )
  return gone.rowCount !== 0
}

/** After that transaction, when there was something. Never throws: the change is committed. */
export async function tellForgotten(ctx: NoticesContext, conversation: string, user: string): Promise<void> {
  try {
    const unread = await count(ctx, user)
    ctx.emit({ class: 'signal', to: [user], event: { event: 'notification.removed', conversation, unread } })
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to announce removed notifications')
    ctx.emit({ class: 'signal', to: [user], event: { event: 'refresh' } })
  }
}

/**
 * What somebody was told of is over, and waits for them no more: for their devices it is as if they had read it.
 * After the commit; never throws.
 * @param dedup its name, see add.ts
 */
export async function withdraw(ctx: NoticesContext, user: string, dedup: string): Promise<void> {
  try {
    const gone = await ctx.pool.query<{ id: string; was_unread: boolean }>(
      'DELETE FROM notifications WHERE user_id = $1 AND dedup = $2 RETURNING id, read_at IS NULL AS was_unread',
      [user, dedup],
    )
    await tellWithdrawn(ctx, user, gone.rows)
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to remove an obsolete notification')
    ctx.emit({ class: 'signal', to: [user], event: { event: 'refresh' } })
  }
}

/** After what took it away; never throws. */
export async function tellWithdrawn(
  ctx: NoticesContext,
  user: string,
  gone: readonly { readonly id: string; readonly was_unread: boolean }[],
): Promise<void> {
  const notification = gone[0]?.was_unread === true ? gone[0].id : undefined
  if (notification === undefined) return
  try {
    const unread = await count(ctx, user)
    ctx.emit({ class: 'signal', to: [user], event: { event: 'notification.read', notification, unread } })
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to announce a removed notification')
    ctx.emit({ class: 'signal', to: [user], event: { event: 'refresh' } })
  }
}
