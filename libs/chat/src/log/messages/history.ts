/** Reads a page of a conversation's log, in rising order. */
import { limits, type ReplyOf } from '@flotilla/protocol'
import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type EntryRow, entryBytes, entryColumns } from '../entries.ts'
import { asTheyStand } from './as-they-stand.ts'
import { firstSeen } from './hidden.ts'

export interface HistoryInput {
  readonly conversation: string
  /** Entries with a higher seq, the lowest first. */
  readonly after?: number | undefined
  /** The last entries with a lower seq. Without `after` and `before`: the latest. */
  readonly before?: number | undefined
  readonly limit?: number | undefined
  readonly bytesMax?: number | undefined
}

const pageDefault = 50
/** What a reply takes besides its entries. */
const frameBytesMax = 256

/** The sum ends the page before the bodies are read. One entry passes, whatever it takes. */
const pageText = (direction: 'ASC' | 'DESC') => `
SELECT * FROM (
  SELECT ${entryColumns}, row_number() OVER page AS nth, sum(${entryBytes}) OVER page AS bytes
    FROM (SELECT * FROM messages WHERE conversation_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq ${direction} LIMIT $4) m
  WINDOW page AS (ORDER BY m.seq ${direction})
) e WHERE e.bytes <= $5 OR e.nth = 1 ORDER BY e.nth`

const texts = { after: pageText('ASC'), before: pageText('DESC') }

/**
 * The head is read first and bounds the page, so that somebody who is removed between the two queries sees nothing
 * that came after (P8). And the epoch before it: what a store held that was restored meanwhile must not pass as what it holds now.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function history(ctx: LogContext, by: string, input: HistoryInput): Promise<ReplyOf<'history.page'>> {
  const epoch = ctx.epoch()
  const found = await ctx.pool.query<{ head: number; joined: number | null }>({
    name: 'history-bounds',
    text: `SELECT c.head_seq AS head, ${firstSeen('m')} AS joined
             FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1`,
    values: [input.conversation, by],
  })
  const bounds = found.rows[0]
  const from = bounds?.joined ?? undefined
  demandMember(bounds !== undefined, from)
  const head = bounds!.head
  const forward = input.after !== undefined
  const low = Math.max(from, (input.after ?? 0) + 1)
  const high = Math.min(head, (input.before ?? Number.MAX_SAFE_INTEGER) - 1)
  const limit = Math.min(input.limit ?? pageDefault, limits.historyPageMax)
  const bytesMax = Math.min(input.bytesMax ?? limits.replyBytesMax, limits.replyBytesMax)
  const page = await ctx.pool.query<EntryRow>({
    name: forward ? 'history-after' : 'history-before',
    text: forward ? texts.after : texts.before,
    values: [input.conversation, low, high, limit, bytesMax - frameBytesMax],
  })
  const last = page.rows.at(-1)
  const more = last !== undefined && (forward ? last.seq < high : last.seq > low)
  const rows = forward ? page.rows : page.rows.toReversed()
  const entries = await asTheyStand(ctx, by, rows, epoch)
  return { entries, head, from, epoch, ...(more ? { more } : {}) }
}
