/**
 * Receipts in a conversation of many: who wrote the last messages is told how many have received and read them, and never
 * who. At most once in a while, whatever the members do and however many processes serve them: the round stands in the store.
 */
import { entries } from '@flotilla/protocol/schemas'
import { audienceNumbers } from '../../access.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import type { LogContext } from '../context.ts'
import type { Membership } from '../memberships.ts'

/** Of the last messages, those are looked at, and so many of their senders are told. */
const messagesMax = 100
const sendersMax = 20
/**
 * Counting reads every membership. With that much time for each of them, a conversation that is never still takes a
 * hundredth of a core of the store: 100,000 memberships take some 180 ms, and are counted every 20 s.
 */
const perMemberMs = 0.2

/** Somebody's last message. */
interface Last {
  readonly user: string
  readonly seq: number
}

/** Receipts of members were written. What the others of this process write until then goes with it. */
export function noteInCrowd(ctx: LogContext, { size }: Membership, conversation: string): void {
  const isPlanned = ctx.receiptRounds.has(conversation)
  ctx.receiptRounds.set(conversation, performance.now())
  if (!isPlanned) plan(ctx, conversation, Math.max(ctx.settings.receiptsGatherMs, size * perMemberMs))
}

function plan(ctx: LogContext, conversation: string, gatherMs: number): void {
  ctx.later(gatherMs, async () => {
    const notedAt = ctx.receiptRounds.get(conversation) ?? 0
    ctx.receiptRounds.delete(conversation)
    const { isOurs, agoMs } = await claim(ctx, conversation, gatherMs)
    if (isOurs) return tellCounts(ctx, conversation)
    // Another process has told lately. Where that was before what was noted here, it is to be told once more.
    if (agoMs < performance.now() - notedAt || ctx.receiptRounds.has(conversation)) return
    ctx.receiptRounds.set(conversation, notedAt)
    plan(ctx, conversation, gatherMs)
  })
}

async function claim(ctx: LogContext, conversation: string, gatherMs: number) {
  const { rows } = await ctx.pool.query<{ isOurs: boolean; agoMs: number }>({
    name: 'receipt-round',
    text: `INSERT INTO receipt_rounds AS r (conversation_id, told_at) SELECT id, now() FROM conversations WHERE id = $1
               ON CONFLICT (conversation_id) DO UPDATE
              SET told_at = CASE WHEN r.told_at > now() - $2 * interval '1 millisecond' THEN r.told_at ELSE now() END
           RETURNING told_at = now() AS "isOurs", (extract(epoch FROM now() - told_at) * 1000)::float8 AS "agoMs"`,
    // Those who planned at one time must not find one another a moment too early.
    values: [conversation, gatherMs * 0.9],
  })
  return rows[0] ?? { isOurs: false, agoMs: 0 }
}

async function tellCounts(ctx: LogContext, conversation: string): Promise<void> {
  const last = await readLast(ctx, conversation)
  if (last.length === 0) return
  const counts = await count(ctx, conversation, last)
  for (const { user, seq, delivered, read } of counts)
    ctx.emit({
      class: 'ephemeral',
      to: [user],
      event: { event: 'receipts.counted', conversation, seq, delivered, read },
    })
}

/** Only of those who are still members. */
async function readLast(ctx: LogContext, conversation: string): Promise<readonly Last[]> {
  const { rows } = await ctx.pool.query<Last>({
    name: 'receipt-round-senders',
    text: `SELECT l.sender_id AS user, max(l.seq) AS seq
             FROM (SELECT sender_id, seq FROM messages
                    WHERE conversation_id = $1 AND kind = ${entries['message.new'].number} AND aside_of IS NULL AND removed_at IS NULL
                      AND seq > (SELECT head_seq FROM conversations WHERE id = $1) - ${messagesMax}) l
             JOIN members m ON m.conversation_id = $1 AND m.user_id = l.sender_id
            GROUP BY 1 ORDER BY 2 DESC LIMIT ${sendersMax}`,
    values: [conversation],
  })
  return rows
}

/** As far as members show it to everybody. What was read has arrived; else an arrival tells when somebody was here. */
const shownRead = `CASE WHEN u.read_receipts_to = ${audienceNumbers.everyone} THEN m.read_seq ELSE 0 END`
const shownDelivered = `CASE WHEN ${audienceNumbers.everyone} IN (u.read_receipts_to, u.last_seen_to) THEN m.delivered_seq ELSE 0 END`

/** How many others have received and read each of these messages. */
async function count(ctx: LogContext, conversation: string, last: readonly Last[]) {
  const seqs = last.map(({ seq }) => seq).sort((one, other) => one - other)
  const [all, own] = await Promise.all([
    ctx.pool.query<{ delivered: number; read: number; count: number }>({
      name: 'receipt-round-counts',
      text: `SELECT width_bucket(${shownDelivered}, $2::int8[]) AS delivered, width_bucket(${shownRead}, $2::int8[]) AS read,
                    count(*)::int AS count
               FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = $1 GROUP BY 1, 2`,
      values: [conversation, int8Array(seqs)],
    }),
    ctx.pool.query<{ id: string; delivered: number; read: number }>({
      name: 'receipt-round-own',
      text: `SELECT m.user_id AS id, ${shownDelivered} AS delivered, ${shownRead} AS read
               FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = $1 AND m.user_id = ANY($2::uuid[])`,
      values: [conversation, uuidArray(last.map(({ user }) => user))],
    }),
  ])
  const ownOf = new Map(own.rows.map(row => [row.id, row]))
  return last.map(({ user, seq }) => {
    const place = seqs.indexOf(seq) + 1
    const reached = (what: 'delivered' | 'read') => {
      const everybody = all.rows.reduce((sum, row) => sum + (row[what] >= place ? row.count : 0), 0)
      return everybody - ((ownOf.get(user)?.[what] ?? 0) >= seq ? 1 : 0)
    }
    return { user, seq, delivered: reached('delivered'), read: reached('read') }
  })
}
