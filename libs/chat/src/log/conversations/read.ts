/** Conversations as one of their members sees them: with cursors, unread count, last message and the people. */
import { type Conversation, type EntryOf, limits, type Role, type User } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { asc, eq, inArray } from 'drizzle-orm'
import { kindOf, roleOf, rulesOf, type StoredRules } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type EntryRow, entryColumns } from '../entries.ts'
import { pendingText, withOneselfText } from '../memberships.ts'
import { firstSeen, notHidden } from '../messages/hidden.ts'
import { asTheyStand } from '../messages/as-they-stand.ts'
import { archivedText, settingsColumns, type SettingsRow, toSettings, unreadFromText } from './settings.ts'
import { countsOf } from './waiting.ts'
import { fitting } from '../../store/paging.ts'
import * as tables from '../../store/schema.ts'
import { get } from '../../users/get.ts'
import { userColumnsFor } from '../../users/user.ts'

/** Where a conversation stands in the list. The time is seconds since 1970 as PostgreSQL writes them, so it is exact. */
export interface PagePosition {
  readonly headAt: string
  readonly id: string
}

/** Which of them: all, where nothing is said. */
export interface ListFilter {
  readonly archived?: boolean | undefined
  readonly pinned?: boolean | undefined
}

interface Row extends EntryRow, SettingsRow {
  id: string
  conversation_kind: number
  name: string | null
  description: string
  avatar: string | null
  settings: StoredRules
  silenced_until: number | null
  head_seq: number
  head_at: string
  member_count: number
  other: string | null
  pending: boolean
  with_oneself: boolean
  role: number
  joined_seq: number
  cleared_seq: number
  delivered_seq: number
  read_seq: number
  unread: number
  mentions: number
  timer_ms: number | null
}

const membersInlineMax = 50
/** How many members are read at once: they are what an answer is full of first. */
const peopleAtOnceMax = 1_000
/** So many of the last entries are looked at for the last message: a list must not walk logs of joins and leaves. */
const lastEntriesMax = 20

/** The page is cut before the logs are looked at, and where the last messages alone pass what an answer may take. */
const readConversations = (where: string, limit: string) => `
WITH page AS MATERIALIZED (
  SELECT c.id, c.kind AS conversation_kind, c.name, c.description, c.avatar, c.settings, c.head_seq, extract(epoch FROM c.head_at) AS head_at,
         c.member_count, m.role,
         CASE WHEN c.direct_low = $1 THEN c.direct_high ELSE c.direct_low END AS other, ${pendingText('c')} AS pending,
         ${withOneselfText('c')} AS with_oneself, m.joined_seq, m.cleared_seq,
         m.delivered_seq, m.read_seq,
         c.timer_ms, ${unreadFromText} AS first, ${settingsColumns}
    FROM members m JOIN conversations c ON c.id = m.conversation_id JOIN users u ON u.id = m.user_id
   WHERE m.user_id = $1 AND ${where}
   ORDER BY c.head_at DESC, c.id DESC LIMIT ${limit}
)
SELECT * FROM (
  SELECT p.id, p.conversation_kind, p.name, p.description, p.avatar, p.settings, p.head_seq, p.head_at::text AS head_at, p.member_count, p.other,
         p.pending, p.with_oneself, p.role,
         p.joined_seq, p.cleared_seq,
         p.delivered_seq, p.read_seq, p.timer_ms, unread.unread, mentions.mentions, p.settings_version, p.notify, p.pin_rank, p.marked_seq,
         p.archived, p.muted_until,
         (SELECT (extract(epoch FROM s.until) * 1000)::float8 FROM group_silences s
           WHERE s.conversation_id = p.id AND s.user_id = $1 AND s.until > now()) AS silenced_until, l.*,
         row_number() OVER page AS nth,
         sum(octet_length(l.body)) OVER page - coalesce(octet_length(l.body), 0) AS bytes_before
    FROM page p ${countsOf('p')}
    LEFT JOIN LATERAL (
      SELECT ${entryColumns} FROM messages m
       WHERE m.conversation_id = p.id AND m.kind = ${entries['message.new'].number} AND m.aside_of IS NULL
         AND m.seq BETWEEN greatest(${firstSeen('p')}, p.head_seq - ${lastEntriesMax - 1}) AND p.head_seq AND ${notHidden('m', '$1')}
       ORDER BY m.seq DESC LIMIT 1
    ) l ON true
  WINDOW page AS (ORDER BY p.head_at DESC, p.id DESC)
) c WHERE coalesce(bytes_before, 0) <= ${limits.replyBytesMax} ORDER BY nth`

const pageText = readConversations(
  `($2::numeric IS NULL OR (extract(epoch FROM c.head_at), c.id) < ($2::numeric, $3::uuid))
   AND ($5::boolean IS NULL OR ${archivedText} = $5) AND ($6::boolean IS NULL OR (m.pin_rank IS NOT NULL) = $6)`,
  '$4',
)
const oneText = readConversations('c.id = $2', '1')

/** Those of the caller's conversations that come after a place, the most recent first, and where the next page begins. */
export async function readPage(
  ctx: LogContext,
  by: string,
  after: PagePosition | undefined,
  limit: number,
  { archived, pinned }: ListFilter = {},
): Promise<{ conversations: readonly Conversation[]; next?: PagePosition }> {
  const epoch = ctx.epoch()
  const { rows } = await ctx.pool.query<Row>({
    name: 'conversations-page',
    text: pageText,
    // One more than asked for tells whether there is a next page.
    values: [by, after?.headAt, after?.id, limit + 1, archived, pinned],
  })
  let conversations: readonly Conversation[] = []
  for (const part of partsOf(rows.slice(0, limit))) {
    const all = [...conversations, ...(await toConversations(ctx, by, part, epoch))]
    conversations = fitting(all)
    if (conversations.length < all.length) break
  }
  const last = rows[conversations.length - 1]
  if (last === undefined || conversations.length === rows.length) return { conversations }
  return { conversations, next: { headAt: last.head_at, id: last.id } }
}

/** Parts whose members can be read at once. */
function* partsOf(rows: readonly Row[]): Generator<Row[]> {
  let part: Row[] = []
  let people = 0
  for (const row of rows) {
    people += isSmall(row) ? row.member_count : 0
    if (people > peopleAtOnceMax && part.length > 0) {
      yield part
      part = []
      people = isSmall(row) ? row.member_count : 0
    }
    part.push(row)
  }
  if (part.length > 0) yield part
}

/** One conversation of the caller's; undefined when they are no member or it does not exist. */
export async function readOne(ctx: LogContext, by: string, id: string): Promise<Conversation | undefined> {
  const epoch = ctx.epoch()
  const found = await ctx.pool.query<Row>({ name: 'conversations-one', text: oneText, values: [by, id] })
  return (await toConversations(ctx, by, found.rows, epoch))[0]
}

/** @param epoch as it was before they were read: of a store that was restored meanwhile, nothing passes as what it holds now */
async function toConversations(
  ctx: LogContext,
  by: string,
  rows: readonly Row[],
  epoch: number,
): Promise<Conversation[]> {
  const small = rows.filter(isSmall).map(row => row.id)
  const awaited = rows.flatMap(row => (row.pending && row.other !== null ? [row.other] : []))
  const [people, asked, entries] = await Promise.all([
    readPeople(ctx, by, small),
    get(ctx, awaited, by),
    // Without a message, the columns of the entry are null.
    asTheyStand(
      ctx,
      by,
      rows.filter(row => row.conversation_id !== null),
      epoch,
    ),
  ])
  const lastMessages = new Map(entries.map(entry => [entry.conversation, entry as EntryOf<'message.new'>]))
  const others = new Map(asked.map(user => [user.id, { user, role: 'member' as const }]))
  return rows.map(row => {
    const other = row.pending ? others.get(row.other ?? '') : undefined
    const present = people.get(row.id)
    // They may have accepted between the two reads.
    const joined = present?.some(({ user }) => user.id === other?.user.id) === true
    const members = other === undefined || joined ? present : [...(present ?? []), other]
    const lastMessage = lastMessages.get(row.id)
    return {
      id: row.id,
      kind: kindOf(row.conversation_kind),
      ...(row.name === null ? {} : { name: row.name }),
      ...(isDirect(row) ? {} : { group: groupOf(row) }),
      ...(row.silenced_until === null ? {} : { silencedUntil: Math.round(row.silenced_until) }),
      epoch,
      head: row.head_seq,
      // As its last entry says it.
      headAt: Math.round(Number(row.head_at) * 1000),
      role: roleOf(row.role),
      joinedSeq: row.joined_seq,
      ...(row.cleared_seq < row.joined_seq ? {} : { clearedSeq: row.cleared_seq }),
      deliveredSeq: row.delivered_seq,
      readSeq: row.read_seq,
      unread: row.unread,
      mentions: row.mentions,
      settings: toSettings(row),
      ...(row.muted_until === null ? {} : { mutedUntil: row.muted_until }),
      ...(row.timer_ms === null ? {} : { timerMs: row.timer_ms }),
      memberCount: joined ? 2 : row.member_count,
      ...(row.pending && !joined ? { pending: true } : {}),
      ...(row.with_oneself ? { self: true } : {}),
      ...(members === undefined ? {} : { members }),
      ...(lastMessage === undefined ? {} : { lastMessage }),
    }
  })
}

const isDirect = (row: Row) => kindOf(row.conversation_kind) === 'direct'
const isSmall = (row: Row) => isDirect(row) || row.member_count <= membersInlineMax

const groupOf = ({ description, avatar, settings }: Row) => {
  const rules = rulesOf('group', settings)
  const { permissions, slowModeMs, newcomerHistory, forwarding, editWindowMs, deleteWindowMs, editHistory } = rules
  const windows = { editWindowMs, deleteWindowMs, editHistory }
  return { description, avatar, permissions, slowModeMs, newcomerHistory, forwarding, ...windows }
}

/** The members of these conversations, in the order of their ids, as the caller sees them. */
async function readPeople(ctx: LogContext, by: string, conversations: readonly string[]) {
  const people = new Map<string, { user: User; role: Role }[]>(conversations.map(id => [id, []]))
  if (conversations.length === 0) return people
  const { members, users } = tables
  const found = await ctx.db
    .select({ conversation: members.conversationId, role: members.role, user: userColumnsFor(by) })
    .from(members)
    .innerJoin(users, eq(users.id, members.userId))
    .where(inArray(members.conversationId, [...conversations]))
    .orderBy(asc(members.userId))
  for (const { conversation, role, user } of found) people.get(conversation)?.push({ user, role: roleOf(role) })
  return people
}
