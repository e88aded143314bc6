/** The messages of a thread, and the threads that somebody follows. */
import { type EntryOf, limits } from '@flotilla/protocol'
import { decodePlace, encodePlace, fitting, placeOf } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { type EntryRow, entryBytes, entryColumns } from '../entries.ts'
import { asTheyStand } from './as-they-stand.ts'
import { demandThread, type ThreadInput } from './follow-thread.ts'
import { firstSeen, notHidden } from './hidden.ts'

type Message = EntryOf<'message.new'>

export interface ThreadRange extends ThreadInput {
  /** Messages with a higher seq, the lowest first. */
  readonly after?: number | undefined
  /** The last messages with a lower seq. Without `after` and `before`: the latest. */
  readonly before?: number | undefined
  readonly limit?: number | undefined
  readonly bytesMax?: number | undefined
}

export interface ThreadPage {
  readonly root: Message
  readonly messages: readonly Message[]
  readonly more?: true
}

const pageDefault = 50
/** What a reply takes besides its messages. */
const frameBytesMax = 256

/** The sum ends the page before the bodies are read. The message that the thread hangs on comes first, and counts. */
const pageText = (direction: 'ASC' | 'DESC') => `
WITH page AS MATERIALIZED (
  SELECT r.seq, row_number() OVER (ORDER BY r.seq ${direction}) AS nth FROM thread_replies r
   WHERE r.conversation_id = $1 AND r.root_seq = $2 AND r.seq > $3 AND r.seq < $4
     AND ${notHidden('r', '$7')} ORDER BY r.seq ${direction} LIMIT $5 + 1
)
SELECT * FROM (
  SELECT ${entryColumns}, g.nth, sum(${entryBytes}) OVER (ORDER BY g.nth) AS bytes, (SELECT count(*)::int FROM page) AS found
    FROM (SELECT $2::int8 AS seq, 0 AS nth UNION ALL SELECT seq, nth FROM page WHERE nth <= $5) g
    JOIN messages m ON m.conversation_id = $1 AND m.seq = g.seq
) e WHERE e.bytes <= $6 OR e.nth <= 1 ORDER BY e.nth`

const texts = { after: pageText('ASC'), before: pageText('DESC') }

/**
 * A page of a thread, in rising order.
 * @throws Refusal conversation_unknown, not_a_member, message_unknown
 */
export async function readThread(ctx: LogContext, by: string, input: ThreadRange): Promise<ThreadPage> {
  const head = await demandThread(ctx, by, input)
  const { conversation, thread, after = 0 } = input
  const before = Math.min(input.before ?? Number.MAX_SAFE_INTEGER, head + 1)
  const forward = input.after !== undefined
  const limit = Math.min(input.limit ?? pageDefault, limits.historyPageMax)
  const bytesMax = Math.min(input.bytesMax ?? limits.replyBytesMax, limits.replyBytesMax)
  const found = await ctx.pool.query<EntryRow & { found: number }>({
    name: forward ? 'thread-after' : 'thread-before',
    text: forward ? texts.after : texts.before,
    values: [conversation, thread, after, before, limit, bytesMax - frameBytesMax, by],
  })
  const [first, ...rest] = found.rows
  const rows = forward ? rest : rest.toReversed()
  const [root, ...messages] = (await asTheyStand(ctx, by, [first!, ...rows])) as [Message, ...Message[]]
  return { root, messages, ...(first!.found > messages.length ? { more: true } : {}) }
}

export interface ThreadList {
  /** The messages that they hang on. */
  readonly threads: readonly Message[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

const listMax = 50

/**
 * The threads that the caller follows, the one with the latest reply first.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function listThreads(
  ctx: LogContext,
  by: string,
  input: { readonly limit: number; readonly after?: string | undefined },
): Promise<ThreadList> {
  const limit = Math.min(input.limit, listMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const found = await ctx.pool.query<EntryRow & { place: number }>({
    name: 'threads-followed',
    text: `SELECT ${entryColumns}, ${placeOf('t.moved_at')} AS place
             FROM thread_follows f
             JOIN threads t ON t.conversation_id = f.conversation_id AND t.root_seq = f.root_seq
             JOIN members mb ON mb.conversation_id = f.conversation_id AND mb.user_id = $1 AND ${firstSeen('mb')} <= f.root_seq
             JOIN messages m ON m.conversation_id = f.conversation_id AND m.seq = f.root_seq AND ${notHidden('m', '$1')}
            WHERE f.user_id = $1 AND f.following
              AND ($2::int8 IS NULL OR (${placeOf('t.moved_at')}, t.conversation_id) < ($2::int8, $3::uuid))
            ORDER BY place DESC, t.conversation_id DESC LIMIT $4`,
    // One more than asked for tells whether there is a next page.
    values: [by, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  const threads = fitting((await asTheyStand(ctx, by, found.rows.slice(0, limit))) as Message[])
  const last = found.rows[threads.length - 1]
  if (last === undefined || threads.length === found.rows.length) return { threads }
  return { threads, next: encodePlace({ at: last.place, id: last.conversation_id }) }
}
