/**
 * A device says where it stands and gets everything that it missed, or a verdict that says so (P5). The heads and the
 * memberships are read in one statement; whatever is committed later comes live, because the device was registered
 * before it asked.
 */
import { limits, type ReplyOf, type Verdict } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import { type EntryRow, entryColumns, toEntries } from '../entries.ts'
import { int8Array, uuidArray } from '../store/binary-arrays.ts'

export interface ResumeInput {
  readonly epoch?: number | undefined
  readonly cursors: readonly { readonly conversation: string; readonly seq: number }[]
  /** Only the conversations named, not those that the device does not know yet. */
  readonly only?: boolean | undefined
  /** Where conversations begin that are not named; with the first entry when left out. */
  readonly start?: 'latest' | 'unread' | undefined
}

/** Sealed bytes replayed in one answer; what does not fit is paged. */
const replayBytesMax = 262_144

interface Standing {
  conversation: string
  head: number
  joined: number
  read: number
}

interface Gap extends Standing {
  /** The first seq that is missing; one beyond the head when nothing is. */
  readonly from: number
  /** The device asked where this conversation begins, so it must hear it. */
  readonly begins: boolean
}

export async function resume(ctx: ChatContext, by: string, input: ResumeInput): Promise<ReplyOf<'sync.resume'>> {
  const epoch = ctx.epoch()
  const cursors = new Map(input.cursors.map(cursor => [cursor.conversation, cursor.seq]))
  const standings = await readStandings(ctx, by, input.only === true ? [...cursors.keys()] : null)
  const verdicts: Verdict[] = []
  const gaps: Gap[] = []
  const fresh: Gap[] = []
  const sameEpoch = input.epoch === undefined || input.epoch === epoch
  for (const standing of standings) {
    const { conversation, head, joined } = standing
    const cursor = cursors.get(conversation)
    cursors.delete(conversation)
    if (sameEpoch && cursor === head) continue
    const from = cursor === undefined ? beginning(standing, input.start) : Math.max(cursor + 1, joined)
    const lost = cursor !== undefined && (!sameEpoch || cursor > head)
    if (lost || head - from + 1 > limits.resumeGapMax)
      verdicts.push({ conversation, verdict: 'resync', head, from: joined })
    else if (cursor !== undefined) gaps.push({ ...standing, from, begins: false })
    else if (from <= head || input.start !== undefined)
      fresh.push({ ...standing, from, begins: input.start !== undefined })
  }
  for (const conversation of cursors.keys()) verdicts.push({ conversation, verdict: 'left' })
  // What the device holds goes on before anything new begins.
  verdicts.push(...(await fill(ctx, [...gaps, ...fresh], epoch)))
  return { epoch, verdicts }
}

/** The first seq that a device gets of a conversation that it does not know. */
function beginning({ head, joined, read }: Standing, start: ResumeInput['start']): number {
  if (start === 'latest') return Math.max(joined, head - limits.resumeLatestMax + 1)
  return start === 'unread' ? Math.max(joined, Math.min(read, head) + 1) : joined
}

async function readStandings(ctx: ChatContext, by: string, only: string[] | null): Promise<Standing[]> {
  const found = await ctx.pool.query<Standing>({
    name: 'resume-standings',
    text: `SELECT c.id AS conversation, c.head_seq AS head, m.joined_seq AS joined, m.read_seq AS read
             FROM members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = $1 AND ($2::uuid[] IS NULL OR m.conversation_id = ANY($2))
            ORDER BY c.head_at DESC`,
    values: [by, only],
  })
  return found.rows
}

/** Replays the gaps whole while they fit into one answer, the most recent conversations first; the others are paged. */
async function fill(ctx: ChatContext, gaps: readonly Gap[], epoch: number): Promise<Verdict[]> {
  let left: number = limits.resumeEntriesMax
  const replayed = gaps.filter(gap => {
    const size = gap.head - gap.from + 1
    if (size > left) return false
    left -= size
    return true
  })
  const rows = await readGaps(ctx, replayed)
  const entries = Map.groupBy(await toEntries(ctx.seal, rows.rows, epoch), entry => entry.conversation)
  return gaps.map(({ conversation, head, joined, from, begins }) => {
    const whole = entries.get(conversation) ?? []
    // Fewer than the gap holds: the answer had grown too large before this conversation's turn came to its end.
    return whole.length === head - from + 1
      ? { conversation, verdict: 'replayed', head, entries: whole }
      : { conversation, verdict: 'behind', head, from: joined, ...(begins ? { after: from - 1 } : {}) }
  })
}

/** The entries of all gaps in one statement, cut where their bytes pass the limit. */
async function readGaps(ctx: ChatContext, gaps: readonly Gap[]): Promise<{ rows: EntryRow[] }> {
  if (gaps.length === 0) return { rows: [] }
  return ctx.pool.query<EntryRow>({
    name: 'resume-gaps',
    text: `SELECT * FROM (
             SELECT ${entryColumns}, g.g, sum(length(m.body)) OVER (ORDER BY g.g, m.seq) AS bytes
               FROM generate_series(1, cardinality($1::uuid[])) g
               JOIN messages m ON m.conversation_id = ($1::uuid[])[g.g] AND m.seq BETWEEN ($2::int8[])[g.g] AND ($3::int8[])[g.g]
           ) e WHERE e.bytes <= $4 ORDER BY e.g, e.seq`,
    values: [
      uuidArray(gaps.map(gap => gap.conversation)),
      int8Array(gaps.map(gap => gap.from)),
      int8Array(gaps.map(gap => gap.head)),
      replayBytesMax,
    ],
  })
}
