/**
 * Tells people something that waits until they have seen it: stored first, then told to their devices. One statement
 * decides who is told, so that neither a block, nor a removal, nor a receipt can slip in between:
 * nobody is told of what somebody did who has a block with them, of a conversation that they are not in (P8), or of a
 * message that was deleted, and nothing is new that they have read already.
 */
import { randomUUID } from 'node:crypto'
import type { NotificationKind } from '@flotilla/protocol'
import type { NoticesContext } from '../context.ts'
import { uuidArray } from '../../store/binary-arrays.ts'
import { get } from '../../users/get.ts'
import { countUnread } from './count.ts'

/** What is told. */
export interface Note {
  readonly kind: NotificationKind
  /** Names what has happened: of one name a person gets one notification, however often it is added. */
  readonly dedup: string
  /** Who did it; never told to themselves. */
  readonly actor?: string | undefined
  /** With its seq: an entry of the conversation. */
  readonly conversation?: string | undefined
  readonly seq?: number | undefined
  /** Short facts, never a secret. */
  readonly detail?: Readonly<Record<string, string>> | undefined
}

/** A person's notifications beyond this go, the oldest first. */
export const notificationsKeptMax = 1_000

/** The member's row is held against a receipt that would pass the entry meanwhile, and against a removal. */
const insert = `
WITH present AS MATERIALIZED (
  SELECT m.user_id FROM members m
   WHERE m.conversation_id = $6::uuid AND m.user_id = ANY($2::uuid[])
     AND ($7::int8 IS NULL OR (m.joined_seq <= $7::int8 AND m.cleared_seq < $7::int8 AND m.read_seq < $7::int8))
   ORDER BY m.user_id
     FOR SHARE
)
INSERT INTO notifications (id, user_id, kind, dedup, actor_id, conversation_id, seq, detail)
SELECT u.id, u.user_id, $3, $4, $5::uuid, $6::uuid, $7::int8, $8
  FROM unnest($1::uuid[], $2::uuid[]) AS u (id, user_id)
 WHERE ($6::uuid IS NULL OR u.user_id IN (SELECT user_id FROM present))
   AND NOT EXISTS (SELECT FROM messages x WHERE x.conversation_id = $6::uuid AND x.seq = $7::int8 AND x.removed_at IS NOT NULL)
   AND ($5::uuid IS NULL OR (u.user_id <> $5::uuid AND NOT EXISTS (
         SELECT FROM blocks b
          WHERE (b.user_id = u.user_id AND b.blocked_id = $5::uuid) OR (b.user_id = $5::uuid AND b.blocked_id = u.user_id)
       )))
 ORDER BY u.user_id
    ON CONFLICT (user_id, dedup) DO NOTHING
RETURNING id, user_id, (extract(epoch FROM at) * 1000)::float8 AS at`

/** Whatever comes after as many as are kept. What somebody else has in hand goes the next time: nobody is waited for. */
const trim = `
DELETE FROM notifications WHERE id IN (
  SELECT id FROM notifications WHERE id IN (
    SELECT n.id FROM unnest($1::uuid[]) AS u (id)
     CROSS JOIN LATERAL (
       SELECT id FROM notifications WHERE user_id = u.id ORDER BY at DESC, id DESC OFFSET ${notificationsKeptMax}
     ) n
  ) FOR UPDATE SKIP LOCKED
)`

/** Tells one person; see addMany. */
export function add(ctx: NoticesContext, note: Note & { readonly user: string }): Promise<void> {
  return addMany(ctx, [note.user], note)
}

/**
 * Tells people, after what it is about was committed. It never throws, since that cannot be undone any more: what the
 * store did not take is in the log, and whoever adds it again heals it; and it may have taken it without an answer.
 */
export async function addMany(ctx: NoticesContext, users: readonly string[], note: Note): Promise<void> {
  if (users.length === 0) return
  try {
    await addOrThrow(ctx, users, note)
  } catch (error) {
    ctx.logger.warn({ err: error, kind: note.kind, people: users.length }, 'unable to notify users')
    ctx.emit({ class: 'signal', to: users, event: { event: 'refresh' } })
  }
}

/** The same for whoever adds it again until it was taken. @throws what the store does */
export async function addOrThrow(ctx: NoticesContext, to: readonly string[], note: Note): Promise<void> {
  const users = [...new Set(to)]
  const { kind, dedup, actor, conversation, seq, detail = {} } = note
  const added = await ctx.pool.query<Told>({
    name: 'notifications-add',
    text: insert,
    values: [
      uuidArray(users.map(() => randomUUID())),
      uuidArray(users),
      kind,
      dedup,
      actor ?? null,
      conversation ?? null,
      seq ?? null,
      JSON.stringify(detail),
    ],
  })
  await tell(
    ctx,
    added.rows.map(row => ({ ...note, ...row })),
  )
}

/** A notification that was stored, and whose it is. */
export interface Told {
  readonly id: string
  readonly user_id: string
  readonly at: number
}

/** What was stored, for each whom it is for. */
export type Announced = Omit<Note, 'dedup'> & Told

/** Tells of what was stored in a transaction, after it. It never throws, as addMany does not. */
export async function announce(ctx: NoticesContext, stored: readonly Announced[]): Promise<void> {
  try {
    await tell(ctx, stored)
  } catch (error) {
    ctx.logger.warn({ err: error, people: stored.length }, 'unable to announce notifications')
    ctx.emit({ class: 'signal', to: stored.map(row => row.user_id), event: { event: 'refresh' } })
  }
}

async function tell(ctx: NoticesContext, stored: readonly Announced[]): Promise<void> {
  if (stored.length === 0) return
  const told = [...new Set(stored.map(row => row.user_id))]
  await ctx.pool.query({ name: 'notifications-trim', text: trim, values: [uuidArray(told)] })
  const actors = [...new Set(stored.flatMap(({ actor }) => actor ?? []))]
  const [unread, people] = await Promise.all([countUnread(ctx, told), get(ctx, actors)])
  const byId = new Map(people.map(person => [person.id, person]))
  for (const { id, user_id: user, at, kind, actor = '', conversation, seq, detail = {} } of stored) {
    const by = byId.get(actor)
    ctx.emit({
      class: 'signal',
      to: [user],
      event: {
        event: 'notification.new',
        notification: {
          id,
          kind,
          at: Math.round(at),
          read: false,
          ...(by === undefined ? {} : { actor: by }),
          ...(conversation === undefined ? {} : { conversation }),
          ...(seq === undefined ? {} : { seq }),
          detail,
        },
        unread: unread.get(user) ?? 0,
      },
    })
  }
}
