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

/**
 * One statement, so that one snapshot has both the head and the membership by which the page is bounded: somebody who is removed
 * meanwhile sees nothing that came after (P8). The sum ends the page before the bodies are read. One entry passes, whatever it takes.
 */
const pageText = (direction: 'ASC' | 'DESC') => `
SELECT b.head, b.joined, e.*
  FROM (SELECT c.head_seq AS head, ${firstSeen('m')} AS joined
          FROM conversations c LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1) b
  LEFT JOIN LATERAL (
    SELECT ${entryColumns}, row_number() OVER page AS nth, sum(${entryBytes}) OVER page AS bytes
      FROM (SELECT * FROM messages
             WHERE conversation_id = $1 AND seq BETWEEN greatest(b.joined, $3) AND least(b.head, $4) AND b.joined IS NOT NULL
             ORDER BY seq ${direction} LIMIT $5) m
    WINDOW page AS (ORDER BY m.seq ${direction})
  ) e ON e.bytes <= $6 OR e.nth = 1 ORDER BY e.nth`

const texts = { after: pageText('ASC'), before: pageText('DESC') }

interface Bounds {
  readonly head: number
  /** Null of somebody who is no member. */
  readonly joined: number | null
}

/**
 * The epoch is taken before it is read: what a store held that was restored meanwhile must not pass as what it holds now.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function history(ctx: LogContext, by: string, input: HistoryInput): Promise<ReplyOf<'history.page'>> {
  const epoch = ctx.epoch()
  const { conversation, after = 0, before = Number.MAX_SAFE_INTEGER } = input
  const forward = input.after !== undefined
  const limit = Math.min(input.limit ?? pageDefault, limits.historyPageMax)
  const bytesMax = Math.min(input.bytesMax ?? limits.replyBytesMax, limits.replyBytesMax)
  const page = await ctx.pool.query<(EntryRow | { readonly seq: null }) & Bounds>({
    name: forward ? 'history-after' : 'history-before',
    text: forward ? texts.after : texts.before,
    values: [conversation, by, after + 1, before - 1, limit, bytesMax - frameBytesMax],
  })
  const [bounds] = page.rows
  const from = bounds?.joined ?? undefined
  demandMember(bounds !== undefined, from)
  const { head } = bounds!
  const found = page.rows.filter(row => row.seq !== null)
  const last = found.at(-1)
  const more =
    last !== undefined && (forward ? last.seq < Math.min(head, before - 1) : last.seq > Math.max(from, after + 1))
  const entries = await asTheyStand(ctx, by, forward ? found : found.toReversed(), epoch)
  return { entries, head, from, epoch, ...(more ? { more } : {}) }
}
