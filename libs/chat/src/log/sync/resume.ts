/**
 * A device says where it stands and gets everything that it missed, or a verdict that says so (P5). The heads and the
 * memberships are read in one statement; whatever is committed later comes live, because the device was registered
 * before it asked. An answer is bounded: what is named is always answered, what is not named in the order of its ids, page
 * by page, since no new message changes that order.
 */
import { limits, type ReplyOf, type Verdict } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'
import { type EntryRow, entryBytes, entryBytesMin, entryColumns } from '../entries.ts'
import { asTheyStand } from '../messages/as-they-stand.ts'
import { firstSeen } from '../messages/hidden.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'

export interface ResumeInput {
  readonly epoch?: number | undefined
  readonly cursors: readonly { readonly conversation: string; readonly seq: number }[]
  /** Only the conversations named, not those that the device does not know yet. */
  readonly only?: boolean | undefined
  /** Where conversations begin that are not named; with the first entry when left out. */
  readonly start?: 'latest' | 'unread' | undefined
  /** Of those that are not named, the ones with ids after this, and up to that. */
  readonly after?: string | undefined
  readonly upto?: string | undefined
  readonly bytesMax?: number | undefined
}

/** What an answer takes besides its verdicts, and a verdict without its entries. */
const frameBytesMax = 256
const verdictBytesMax = 150

const firstId = '00000000-0000-0000-0000-000000000000'
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

interface Standing {
  conversation: string
  head: number
  joined: number
  read: number
  /** When the head was written, as a number that orders. */
  moved: number
  named: boolean
}

interface Gap extends Standing {
  /** The first seq that is missing; one beyond the head when nothing is. */
  readonly from: number
  /** The device asked where this conversation begins, so it must hear it. */
  readonly begins: boolean
}

export async function resume(ctx: LogContext, by: string, input: ResumeInput): Promise<ReplyOf<'sync.resume'>> {
  const epoch = ctx.epoch()
  const cursors = new Map(input.cursors.map(cursor => [cursor.conversation, cursor.seq]))
  const room = Math.min(input.bytesMax ?? limits.replyBytesMax, limits.replyBytesMax) - frameBytesMax
  const { standings, next } = await readStandings(ctx, by, input, room)
  const verdicts: Verdict[] = []
  const gaps: Gap[] = []
  const sameEpoch = input.epoch === undefined || input.epoch === epoch
  for (const standing of standings) {
    const { conversation, head, joined } = standing
    const cursor = cursors.get(conversation)
    cursors.delete(conversation)
    if (sameEpoch && cursor === head) continue
    const from = cursor === undefined ? beginning(standing, input.start) : Math.max(cursor + 1, joined)
    const begins = cursor === undefined && input.start !== undefined
    const lost = cursor !== undefined && (!sameEpoch || cursor > head)
    if (lost || head - from + 1 > limits.resumeGapMax)
      verdicts.push({ conversation, verdict: 'resync', head, from: joined })
    else if (cursor !== undefined || from <= head || begins) gaps.push({ ...standing, from, begins })
  }
  for (const conversation of cursors.keys()) verdicts.push({ conversation, verdict: 'left' })
  // What the device holds goes on before anything new begins, and what moved last before what is quiet.
  gaps.sort((a, b) => Number(b.named) - Number(a.named) || b.moved - a.moved)
  const left = room - verdictBytesMax * (verdicts.length + gaps.length)
  verdicts.push(...(await fill(ctx, by, gaps, epoch, left)))
  return { epoch, verdicts, ...(next === undefined ? {} : { next }) }
}

/** The first seq that a device gets of a conversation that it does not know. */
function beginning({ head, joined, read }: Standing, start: ResumeInput['start']): number {
  if (start === 'latest') return Math.max(joined, head - limits.resumeLatestMax + 1)
  return start === 'unread' ? Math.max(joined, Math.min(read, head) + 1) : joined
}

/** One statement, so that heads and memberships are of one moment. Those not named come in the order of an index. */
async function readStandings(
  ctx: LogContext,
  by: string,
  { cursors, only, after, upto }: ResumeInput,
  bytesMax: number,
): Promise<{ standings: Standing[]; next?: string }> {
  const verdictsMax = Math.floor(bytesMax / verdictBytesMax) - cursors.length
  const max = Math.max(1, Math.min(limits.resumeConversationsMax, verdictsMax))
  const found = await ctx.pool.query<Standing>({
    name: 'resume-standings',
    text: `SELECT s.conversation_id AS conversation, c.head_seq AS head, s.joined_seq AS joined, s.read_seq AS read,
                  extract(epoch FROM c.head_at)::float8 AS moved, s.named
             FROM (
               SELECT m.conversation_id, ${firstSeen('m')} AS joined_seq, m.read_seq, true AS named
                 FROM members m WHERE m.user_id = $1 AND m.conversation_id = ANY($2)
                UNION ALL
               (SELECT m.conversation_id, ${firstSeen('m')}, m.read_seq, false
                  FROM members m
                 WHERE m.user_id = $1 AND m.conversation_id > $3 AND m.conversation_id <= $4
                   AND m.conversation_id <> ALL($2)
                 ORDER BY m.conversation_id LIMIT $5)
             ) s JOIN conversations c ON c.id = s.conversation_id`,
    values: [
      by,
      uuidArray(cursors.map(cursor => cursor.conversation)),
      after ?? firstId,
      upto ?? lastId,
      // One more than is answered tells whether there is a next page.
      only === true ? 0 : max + 1,
    ],
  })
  const others = found.rows.filter(row => !row.named)
  if (others.length <= max) return { standings: found.rows }
  const [next, over] = others
    .map(row => row.conversation)
    .sort()
    .slice(-2) as [string, string]
  return { standings: found.rows.filter(row => row.conversation !== over), next }
}

/** Replays gaps whole while they fit into one answer, in their order; the others are paged. */
async function fill(
  ctx: LogContext,
  by: string,
  gaps: readonly Gap[],
  epoch: number,
  bytesMax: number,
): Promise<Verdict[]> {
  let left = Math.min(limits.resumeEntriesMax, Math.floor(bytesMax / entryBytesMin))
  const replayed = gaps.filter(gap => {
    const size = gap.head - gap.from + 1
    if (size > left) return false
    left -= size
    return true
  })
  const rows = await readGaps(ctx, replayed, bytesMax)
  const entries = Map.groupBy(await asTheyStand(ctx, by, rows, epoch), entry => entry.conversation)
  return gaps.map(({ conversation, head, joined, from, begins }) => {
    const whole = entries.get(conversation) ?? []
    // Fewer than the gap holds: the answer had grown too large before this conversation's turn came to its end.
    return whole.length === head - from + 1
      ? { conversation, verdict: 'replayed', head, entries: whole }
      : { conversation, verdict: 'behind', head, from: joined, ...(begins ? { after: from - 1 } : {}) }
  })
}

/** The entries of all gaps in one statement; where their bytes pass the limit, no bodies are read any more. */
async function readGaps(ctx: LogContext, gaps: readonly Gap[], bytesMax: number): Promise<EntryRow[]> {
  const missing = gaps.filter(gap => gap.from <= gap.head)
  if (missing.length === 0 || bytesMax <= 0) return []
  const found = await ctx.pool.query<EntryRow>({
    name: 'resume-gaps',
    text: `SELECT * FROM (
             SELECT ${entryColumns}, g.g, sum(${entryBytes}) OVER (ORDER BY g.g, m.seq) AS bytes
               FROM generate_series(1, cardinality($1::uuid[])) g
               JOIN messages m ON m.conversation_id = ($1::uuid[])[g.g] AND m.seq BETWEEN ($2::int8[])[g.g] AND ($3::int8[])[g.g]
           ) e WHERE e.bytes <= $4 ORDER BY e.g, e.seq`,
    values: [
      uuidArray(missing.map(gap => gap.conversation)),
      int8Array(missing.map(gap => gap.from)),
      int8Array(missing.map(gap => gap.head)),
      bytesMax,
    ],
  })
  return found.rows
}
