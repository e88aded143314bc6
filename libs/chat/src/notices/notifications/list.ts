import type { Notification, NotificationKind } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { behind, decodePlace, encodePlace, fitting, placeOf } from '../../store/paging.ts'
import { get } from '../../users/get.ts'

export interface NotificationPage {
  readonly notifications: readonly Notification[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

interface Row {
  id: string
  kind: NotificationKind
  /** Microseconds since 1970, so that a place is exact. */
  place: number
  read: boolean
  actor_id: string | null
  conversation_id: string | null
  seq: number | null
  detail: Readonly<Record<string, string>>
}

const pageMax = 50

const pageText = `
SELECT id, kind, ${placeOf('at')} AS place, read_at IS NOT NULL AS read, actor_id, conversation_id,
       seq, detail
  FROM notifications
 WHERE user_id = $1 AND (NOT $2::boolean OR read_at IS NULL)
   AND ($3::int8 IS NULL OR ${behind('at', '$3', '$4')})
 ORDER BY at DESC, id DESC LIMIT $5`

/**
 * The caller's notifications, the latest first.
 * @param input.unread only those that are not read
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: NoticesContext,
  by: string,
  input: { limit: number; after?: string | undefined; unread?: boolean | undefined },
): Promise<NotificationPage> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  // One more than asked for tells whether there is a next page.
  const found = await ctx.pool.query<Row>({
    name: 'notifications-page',
    text: pageText,
    values: [by, input.unread ?? false, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  const notifications = fitting(await toNotifications(ctx, by, found.rows.slice(0, limit)))
  const last = found.rows[notifications.length - 1]
  if (found.rows.length === notifications.length || last === undefined) return { notifications }
  return { notifications, next: encodePlace({ at: last.place, id: last.id }) }
}

async function toNotifications(ctx: NoticesContext, by: string, rows: readonly Row[]): Promise<Notification[]> {
  const actors = [...new Set(rows.flatMap(row => row.actor_id ?? []))]
  const people = new Map((await get(ctx, actors, by)).map(user => [user.id, user]))
  return rows.map(row => {
    const actor = row.actor_id === null ? undefined : people.get(row.actor_id)
    return {
      id: row.id,
      kind: row.kind,
      at: Math.round(row.place / 1_000),
      read: row.read,
      ...(actor === undefined ? {} : { actor }),
      ...(row.conversation_id === null ? {} : { conversation: row.conversation_id }),
      ...(row.seq === null ? {} : { seq: row.seq }),
      detail: row.detail,
    }
  })
}
