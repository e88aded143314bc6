import { limits, type OpenReport, type ReportReason, type User } from '@flotilla/protocol'
import type { OperatorsContext } from '../context.ts'
import { mendPairs } from '../../log/entries.ts'
import { beyond, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../../store/paging.ts'
import { get } from '../../users/get.ts'
import { sealName } from './report.ts'

interface Row {
  id: string
  at: number
  place: number
  reporter_id: string | null
  user_id: string
  conversation_id: string | null
  seq: number | null
  reason: ReportReason
  comment: string
  key_id: number | null
  body: Buffer | null
}

/** Where the messages that were reported pass what an answer may take, no more of them are read. */
const pageText = `
SELECT * FROM (
  SELECT id, (extract(epoch FROM created_at) * 1000)::float8 AS at, ${placeOf('created_at')} AS place, reporter_id, user_id,
         conversation_id, seq, reason, comment, key_id, body, row_number() OVER page AS nth,
         sum(octet_length(body)) OVER page - coalesce(octet_length(body), 0) AS bytes_before
    FROM (
      SELECT * FROM reports
       WHERE decision IS NULL AND ($1::int8 IS NULL OR ${beyond('created_at', '$1', '$2')})
       ORDER BY created_at, id LIMIT $3
    ) open
  WINDOW page AS (ORDER BY created_at, id)
) r WHERE coalesce(bytes_before, 0) <= ${limits.replyBytesMax} ORDER BY nth`

/**
 * The open reports, the oldest first. For operators alone: the caller sees to that.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(ctx: OperatorsContext, input: PageWanted): Promise<PageOf<'reports', OpenReport>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { rows } = await ctx.pool.query<Row>({
    name: 'reports-open',
    text: pageText,
    values: [after?.at ?? null, after?.id ?? null, limit + 1],
  })
  await ctx.seal.ready(rows.flatMap(row => row.key_id ?? []))
  const ids = new Set(rows.flatMap(row => [row.user_id, ...(row.reporter_id === null ? [] : [row.reporter_id])]))
  const people = new Map((await get(ctx, [...ids])).map(user => [user.id, user]))
  return toPage('reports', rows, limit, row => toReport(ctx, row, people))
}

function toReport(ctx: OperatorsContext, row: Row, people: ReadonlyMap<string, User>): OpenReport {
  const { id, reason, comment } = row
  const reporter = row.reporter_id === null ? undefined : people.get(row.reporter_id)
  const message = messageOf(ctx, row)
  return {
    id,
    at: Math.round(row.at),
    ...(reporter === undefined ? {} : { reporter }),
    // The row of a report goes with the person's.
    user: people.get(row.user_id)!,
    reason,
    comment,
    ...(message === undefined ? {} : { message }),
  }
}

function messageOf(ctx: OperatorsContext, row: Row): OpenReport['message'] {
  const { id, conversation_id: conversation, seq, key_id, body } = row
  if (conversation === null || seq === null || key_id === null || body === null) return undefined
  const copy = JSON.parse(mendPairs(ctx.seal.open(sealName(id), key_id, body))) as Pick<
    NonNullable<OpenReport['message']>,
    'at' | 'body'
  >
  return { conversation, seq, ...copy }
}
