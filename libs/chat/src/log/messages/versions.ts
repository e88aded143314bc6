/** What messages said before they were edited, where the deployment keeps that: sealed as it was in their rows. */
import { type Body, type MessageVersion, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { fitting } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { mendPairs } from '../entries.ts'
import { firstSeen, notHidden } from './hidden.ts'

const pageMax = 50
const kind = entries['message.new'].number

interface Row {
  readonly conversation: string
  readonly seq: number
  readonly sender: string
  readonly client: string
  readonly said_seq: number
  readonly said_at: number
  readonly key_id: number
  readonly body: Buffer
}

/** As a row holds it, at whatever time. */
const version = (said: string, at: string, of: string) =>
  `m.conversation_id AS conversation, m.seq, m.sender_id AS sender, m.client_id AS client, ${said} AS said_seq,
   (extract(epoch FROM ${at}) * 1000)::float8 AS said_at, ${of}.key_id, ${of}.body`

/** $1 to $3: conversation, reader, seq; $4 whether versions are kept, $5 the last one read, $6 how many. */
const pageText = `
WITH message AS (
  SELECT m.* FROM members mb JOIN messages m ON m.conversation_id = mb.conversation_id
   WHERE mb.conversation_id = $1 AND mb.user_id = $2 AND m.seq = $3 AND m.kind = ${kind} AND m.removed_at IS NULL
     AND (m.expires_at IS NULL OR m.expires_at > now())
     AND m.seq >= ${firstSeen('mb')} AND ${notHidden('m', 'mb.user_id')}
)
SELECT * FROM (
  SELECT ${version('v.said_seq', 'v.said_at', 'v')}
    FROM message m JOIN message_versions v ON v.conversation_id = m.conversation_id AND v.seq = m.seq
   WHERE $4
   UNION ALL
  SELECT ${version('coalesce(m.changed_seq, m.seq)', 'coalesce(m.edited_at, m.created_at)', 'm')} FROM message m
) v ORDER BY said_seq <= $5, said_seq LIMIT $6`

/**
 * The versions of a message in rising order, the one that stands last. Where the deployment or the group keeps none, that is the only one.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown
 */
export async function versions(
  ctx: LogContext,
  by: string,
  input: {
    readonly conversation: string
    readonly seq: number
    readonly after?: number | undefined
    readonly limit: number
  },
): Promise<{ versions: readonly MessageVersion[]; next?: number }> {
  const { conversation, seq, after = 0 } = input
  const limit = Math.min(input.limit, pageMax)
  const { membership } = await ctx.memberships.demand(conversation, by)
  const isKept = ctx.settings.editHistory && membership.rules.editHistory
  const found = await ctx.pool.query<Row>({
    name: 'message-versions',
    text: pageText,
    values: [conversation, by, seq, isKept, after, limit + 1],
  })
  if (found.rows.length === 0) throw new Refusal('message_unknown', undefined, { field: 'seq' })
  const rows = found.rows.filter(row => row.said_seq > after)
  const page = fitting(await open(ctx, rows.slice(0, limit)))
  return page.length < rows.length ? { versions: page, next: page.at(-1)!.seq } : { versions: page }
}

async function open(ctx: LogContext, rows: readonly Row[]): Promise<MessageVersion[]> {
  await ctx.seal.ready(new Set(rows.map(row => row.key_id)))
  return rows.map(row => {
    const place = { conversation: row.conversation, sender: row.sender, clientId: row.client, kind }
    const { body } = JSON.parse(mendPairs(ctx.seal.open(place, row.key_id, row.body))) as { body: Body }
    return { seq: row.said_seq, at: Math.round(row.said_at), body }
  })
}

const kept = `
SELECT ${version('v.said_seq', 'v.said_at', 'v')}
  FROM message_versions v JOIN messages m ON m.conversation_id = v.conversation_id AND m.seq = v.seq
 WHERE v.user_id = $1
   AND ($2::uuid IS NULL OR (v.conversation_id, v.seq, v.said_seq) > ($2::uuid, $3::int8, $4::int8))
 ORDER BY v.conversation_id, v.seq, v.said_seq LIMIT ${pageMax}`

/** Of somebody's own messages, what is kept of before, page by page. */
export async function* versionsOf(ctx: LogContext, user: string): AsyncGenerator<object[]> {
  for (let last: Row | undefined; ; ) {
    const place = [last?.conversation ?? null, last?.seq ?? null, last?.said_seq ?? null]
    const { rows } = await ctx.pool.query<Row>(kept, [user, ...place])
    const opened = await open(ctx, rows)
    yield opened.map((one, nth) => ({ conversation: rows[nth]!.conversation, message: rows[nth]!.seq, ...one }))
    if (rows.length < pageMax) return
    last = rows.at(-1)
  }
}
