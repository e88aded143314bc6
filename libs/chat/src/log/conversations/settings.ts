/**
 * What a conversation is to one of its members: what tells them of it, whether it is muted, archived, pinned or marked. It is
 * their own affair: no entry, no new version of the membership, and only their other devices hear of it.
 *
 * Nothing of it costs a send anything. Whether a conversation that was put away has come back is not written down by the
 * message that brings it back; it follows from what came after it was put away.
 */
import { firstSeen } from '../messages/hidden.ts'
import { type ConversationSettings, limits, type NotifyRule, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandMember, notifyNumbers, notifyOf } from '../../access.ts'
import { transaction } from '../../store/transaction.ts'
import type { LogContext } from '../context.ts'
import { everybody } from '../messages/mentioned-by.ts'
import { countedKinds } from '../rules.ts'
import { notifyText } from './notify.ts'

export interface SettingsChange {
  readonly conversation: string
  /** Null is whatever the person has said of all conversations. */
  readonly notify?: NotifyRule | null | undefined
  /** Milliseconds since 1970; null, or a time that has passed, ends it. */
  readonly mutedUntil?: number | null | undefined
  readonly archived?: boolean | undefined
  /** Behind that conversation, or at the top where that is null or true. What is pinned stays where it is if it is true. */
  readonly pinned?: boolean | { readonly after: string | null } | undefined
  /** A seq, 0 for the whole, or null for no mark. */
  readonly unreadFrom?: number | null | undefined
  /** How far the device has read that marks it. */
  readonly readSeq?: number | undefined
}

// ── in SQL: of a member `m` of a conversation `c`, whose person is `u` ───────────────────────────────────────────────

/** Where what they have not read begins: a mark can lie before what they have read. */
export const unreadFromText = `greatest(least(m.read_seq + 1, nullif(m.marked_seq, 0)), ${firstSeen('m')})`

/** Whether it is put away, and nothing has come since that they are told of. */
export const archivedText = `(m.archived_seq IS NOT NULL AND CASE ${notifyText}
  WHEN ${notifyNumbers.all} THEN NOT EXISTS (
    SELECT FROM messages x WHERE x.conversation_id = m.conversation_id AND x.seq > m.archived_seq AND x.kind IN (${countedKinds}))
  WHEN ${notifyNumbers.mentions} THEN NOT EXISTS (
    SELECT FROM mentions x WHERE x.user_id IN (m.user_id, '${everybody}') AND x.conversation_id = m.conversation_id
       AND x.seq > m.archived_seq AND x.sender_id <> m.user_id) AND NOT EXISTS (
    SELECT FROM thread_follows f JOIN thread_replies x ON x.conversation_id = f.conversation_id AND x.root_seq = f.root_seq
     WHERE f.user_id = m.user_id AND f.conversation_id = m.conversation_id AND f.following
       AND x.seq > m.archived_seq AND x.sender_id <> m.user_id)
  ELSE true END)`

export const settingsColumns = `m.settings_version, m.notify, m.pin_rank, m.marked_seq, ${archivedText} AS archived,
  CASE WHEN m.muted_until > now() THEN (extract(epoch FROM m.muted_until) * 1000)::int8 END AS muted_until`

export interface SettingsRow {
  settings_version: number
  notify: number | null
  pin_rank: number | null
  marked_seq: number | null
  archived: boolean
  muted_until: number | null
}

export const toSettings = (row: SettingsRow): ConversationSettings => ({
  version: row.settings_version,
  notify: row.notify === null ? null : notifyOf(row.notify),
  mutedUntil: row.muted_until,
  archived: row.archived,
  pinned: row.pin_rank,
  unreadFrom: row.marked_seq,
})

/**
 * $1 the conversation, $2 the person; of $3 to $12 each pair whether it changes, and to what. $13 is how far the device has
 * read that marks it. What has come back is put away no more, so that muting it does not put it away again.
 */
const changeText = `
UPDATE members m
   SET muted_until = CASE WHEN $3 THEN CASE WHEN g.until > now() THEN g.until END ELSE m.muted_until END,
       notify = CASE WHEN $5 THEN $6::smallint ELSE m.notify END,
       archived_seq = CASE WHEN $7 THEN CASE WHEN $8 THEN c.head_seq END WHEN ${archivedText} THEN m.archived_seq END,
       pin_rank = CASE WHEN $9 THEN $10::float8 ELSE m.pin_rank END,
       marked_seq = CASE WHEN NOT $11 THEN m.marked_seq WHEN $12::int8 IS NOT NULL THEN least($12::int8, c.head_seq) END,
       marked_above = CASE WHEN NOT $11 THEN m.marked_above
                           WHEN $12::int8 IS NOT NULL THEN greatest(m.read_seq, least($13::int8, c.head_seq)) END,
       settings_version = m.settings_version + 1
  FROM conversations c, users u, (SELECT timestamptz 'epoch' + $4::int8 * interval '1 millisecond' AS until) g
 WHERE m.conversation_id = $1 AND m.user_id = $2 AND c.id = m.conversation_id AND u.id = m.user_id
RETURNING m.settings_version`

const readText = `
SELECT m.conversation_id AS conversation, m.user_id AS user, ${settingsColumns}
  FROM unnest($1::uuid[], $2::uuid[]) g (conversation_id, user_id)
  JOIN members m ON m.conversation_id = g.conversation_id AND m.user_id = g.user_id
  JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id`

interface Place {
  readonly conversation: string
  readonly user: string
}

/**
 * Changes what a conversation is to the caller. What is left out stays.
 * @throws Refusal conversation_unknown, not_a_member, limit_reached (pinned), field_invalid
 */
export async function changeSettings(
  ctx: LogContext,
  by: string,
  change: SettingsChange,
): Promise<ConversationSettings> {
  const { conversation } = change
  const { changed, moved } = await transaction(ctx, async client => {
    const pinning = change.pinned === undefined ? undefined : await place(client, by, conversation, change.pinned)
    const found = await client.query(changeText, valuesOf(by, change, pinning?.rank))
    return { changed: found.rowCount !== 0, moved: pinning?.moved ?? [] }
  })
  const exists = changed || (await ctx.memberships.of(conversation)) !== undefined
  demandMember(exists, changed ? true : undefined)
  const places = [conversation, ...moved].map(one => ({ conversation: one, user: by }))
  const settings = (await tellSettings(ctx, places)).get(conversation)
  demandMember(true, settings)
  if (change.mutedUntil !== undefined) {
    const event = { event: 'conversation.muted', conversation, until: settings.mutedUntil } as const
    ctx.emit({ class: 'signal', to: [by], event })
  }
  return settings
}

function valuesOf(by: string, change: SettingsChange, rank: number | null | undefined): unknown[] {
  const { conversation, mutedUntil, notify, archived, unreadFrom, readSeq } = change
  return [
    conversation,
    by,
    mutedUntil !== undefined,
    mutedUntil ?? null,
    notify !== undefined,
    notify === undefined || notify === null ? null : notifyNumbers[notify],
    archived !== undefined,
    archived ?? null,
    rank !== undefined,
    rank ?? null,
    unreadFrom !== undefined,
    unreadFrom ?? null,
    readSeq ?? null,
  ]
}

/**
 * Tells somebody's devices what conversations are to them now.
 * @returns the settings by conversation; of one that is theirs no more nothing
 */
async function tellSettings(
  ctx: LogContext,
  places: readonly Place[],
): Promise<ReadonlyMap<string, ConversationSettings>> {
  const found = await ctx.pool.query<SettingsRow & Place>({
    name: 'conversation-settings',
    text: readText,
    values: [places.map(place => place.conversation), places.map(place => place.user)],
  })
  return new Map(
    found.rows.map(row => {
      const { conversation, user } = row
      const settings = toSettings(row)
      ctx.emit({
        class: 'signal',
        to: [user],
        event: { event: 'conversation.settings_changed', conversation, settings },
      })
      return [conversation, settings] as const
    }),
  )
}

/** Tells of a mark that a receipt has ended. Never throws: the receipt is committed. */
export async function tellUnmarked(ctx: LogContext, place: Place): Promise<void> {
  try {
    await tellSettings(ctx, [place])
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to announce the end of a mark')
    ctx.emit({ class: 'signal', to: [place.user], event: { event: 'refresh' } })
  }
}

// ── pins ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Pin {
  readonly conversation: string
  readonly rank: number
}

/**
 * Where a conversation comes to stand among those that the person has pinned. Of two devices the second one sees what the
 * first has done: their row is locked.
 * @returns its rank, undefined where it stays; and those whose ranks had to be changed to make room
 */
async function place(
  client: PoolClient,
  by: string,
  conversation: string,
  wanted: boolean | { readonly after: string | null },
): Promise<{ readonly rank: number | null | undefined; readonly moved: readonly string[] }> {
  if (wanted === false) return { rank: null, moved: [] }
  await client.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [by])
  const found = await client.query<Pin>(
    `SELECT conversation_id AS conversation, pin_rank AS rank FROM members
      WHERE user_id = $1 AND pin_rank IS NOT NULL ORDER BY pin_rank, conversation_id`,
    [by],
  )
  const others = found.rows.filter(pin => pin.conversation !== conversation)
  const isPinned = others.length < found.rows.length
  if (isPinned && wanted === true) return { rank: undefined, moved: [] }
  if (!isPinned && others.length >= limits.pinnedConversationsMax)
    throw new Refusal('limit_reached', `unable to pin: ${others.length} conversations are pinned already`, {
      field: 'pinned',
      rule: `maxItems ${limits.pinnedConversationsMax}`,
    })
  const at = wanted === true || wanted.after === null ? 0 : behind(others, wanted.after)
  const rank = between(others[at - 1]?.rank, others[at]?.rank)
  if (rank !== undefined) return { rank, moved: [] }
  // No number lies between the two any more.
  await client.query(
    `UPDATE members m SET pin_rank = n.rank, settings_version = m.settings_version + 1
       FROM unnest($2::uuid[]) WITH ORDINALITY n (conversation_id, rank)
      WHERE m.user_id = $1 AND m.conversation_id = n.conversation_id`,
    [by, others.map(pin => pin.conversation)],
  )
  return { rank: at + 0.5, moved: others.map(pin => pin.conversation) }
}

function behind(others: readonly Pin[], after: string): number {
  const at = others.findIndex(pin => pin.conversation === after)
  if (at >= 0) return at + 1
  const rule = 'another pinned conversation'
  throw new Refusal('field_invalid', `pinned.after: must be ${rule}`, { field: 'pinned.after', rule })
}

/** A number between two neighbours, or beyond the one that there is; undefined where there is none between them. */
function between(low: number | undefined, high: number | undefined): number | undefined {
  if (low === undefined) return high === undefined ? 0 : high - 1
  if (high === undefined) return low + 1
  const middle = (low + high) / 2
  return middle > low && middle < high ? middle : undefined
}
