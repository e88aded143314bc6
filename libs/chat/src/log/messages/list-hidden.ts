/** What the caller has hidden, message by message, the latest first: for a device that was not there. */
import type { HiddenMessage } from '@flotilla/protocol'
import { notOurs } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'

const pageMax = 500

interface Row extends HiddenMessage {
  readonly place: string
}

const pageText = `
SELECT h.conversation_id AS conversation, h.seq, (extract(epoch FROM h.hidden_at) * 1000)::int8 AS at,
       (extract(epoch FROM h.hidden_at) * 1000000)::int8 || '/' || h.conversation_id || '/' || h.seq AS place
  FROM hidden_messages h
 WHERE h.user_id = $1
   AND ($2::int8 IS NULL OR (h.hidden_at, h.conversation_id, h.seq)
         < (timestamptz 'epoch' + $2::int8 * interval '1 microsecond', $3::uuid, $4::int8))
 ORDER BY h.hidden_at DESC, h.conversation_id DESC, h.seq DESC LIMIT $5`

const placePattern = /^(\d{1,16})\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(\d{1,16})$/

/** @throws Refusal field_invalid when `after` is none of ours */
export async function listHidden(
  ctx: LogContext,
  by: string,
  input: { readonly limit: number; readonly after?: string | undefined },
): Promise<{ messages: HiddenMessage[]; next?: string }> {
  const limit = Math.min(input.limit, pageMax)
  const { rows } = await ctx.pool.query<Row>({
    name: 'hidden-page',
    text: pageText,
    values: [by, ...decode(input.after), limit + 1],
  })
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const messages = page.map(({ conversation, seq, at }) => ({ conversation, seq, at }))
  if (last === undefined || rows.length === page.length) return { messages }
  return { messages, next: Buffer.from(last.place).toString('base64url') }
}

function decode(after: string | undefined): (string | null)[] {
  if (after === undefined) return [null, null, null]
  const [, at, conversation, seq] = placePattern.exec(Buffer.from(after, 'base64url').toString('latin1')) ?? []
  if (at === undefined || conversation === undefined || seq === undefined) throw notOurs()
  return [at, conversation, seq]
}
