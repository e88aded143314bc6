/** Messages that somebody marks for themselves, to find them again. Nobody else hears of it. */
import { type EntryOf, limits, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { decodeNumber, type PageOf, type PageWanted, pageMax, toNumberedPage } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { entryColumns, type EntryRow } from '../entries.ts'
import { asTheyStand } from './as-they-stand.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { demandMessage } from './target.ts'

export interface StarInput {
  readonly conversation: string
  readonly seq: number
}

/** Two devices at the limit can pass it by one: it is there to keep the list from growing for ever. */
const insert = `
INSERT INTO stars (conversation_id, seq, user_id)
SELECT $1, $2, $3 WHERE (SELECT count(*) FROM stars WHERE user_id = $3) < $4
    ON CONFLICT DO NOTHING RETURNING id`

/** @throws Refusal conversation_unknown, not_a_member, message_unknown, limit_reached */
export async function star(ctx: LogContext, by: string, { conversation, seq }: StarInput): Promise<void> {
  await demandMessage(ctx, by, conversation, seq)
  const made = await ctx.pool.query(insert, [conversation, seq, by, limits.starsMax])
  if (made.rowCount !== 0) return tell(ctx, by, conversation, seq, true)
  const known = await ctx.pool.query('SELECT FROM stars WHERE conversation_id = $1 AND seq = $2 AND user_id = $3', [
    conversation,
    seq,
    by,
  ])
  if (known.rowCount === 0)
    throw new Refusal('limit_reached', 'as many messages are starred as may be', {
      rule: `maxItems ${limits.starsMax}`,
    })
}

/** To take away what is not there changes nothing. */
export async function unstar(ctx: LogContext, by: string, { conversation, seq }: StarInput): Promise<void> {
  const gone = await ctx.pool.query('DELETE FROM stars WHERE conversation_id = $1 AND seq = $2 AND user_id = $3', [
    conversation,
    seq,
    by,
  ])
  if (gone.rowCount !== 0) tell(ctx, by, conversation, seq, false)
}

function tell(ctx: LogContext, by: string, conversation: string, target: number, starred: boolean): void {
  ctx.emit({ class: 'signal', to: [by], event: { event: 'message.starred', conversation, target, starred } })
}

export interface Star {
  /** When it was starred. */
  readonly at: number
  readonly message: EntryOf<'message.new'>
}

/** A star ends with the membership; between the two, the membership decides. */
const page = `
SELECT s.id AS place, (extract(epoch FROM s.starred_at) * 1000)::int8 AS starred, ${entryColumns}
  FROM stars s
  JOIN members mb ON mb.conversation_id = s.conversation_id AND mb.user_id = s.user_id AND s.seq >= ${firstSeen('mb')}
  JOIN messages m ON m.conversation_id = s.conversation_id AND m.seq = s.seq AND m.kind = ${entries['message.new'].number}
   AND coalesce(m.expires_at > now(), true)
 WHERE s.user_id = $1 AND ${notHidden('s', '$1')} AND ($2::int8 IS NULL OR s.id < $2)
 ORDER BY s.id DESC LIMIT $3`

/** The caller's starred messages of all conversations, the one that was starred last first. */
export async function listStars(ctx: LogContext, by: string, wanted: PageWanted): Promise<PageOf<'stars', Star>> {
  const limit = Math.min(wanted.limit, pageMax)
  const found = await ctx.pool.query<EntryRow & { place: number; starred: number }>({
    name: 'stars-page',
    text: page,
    values: [by, wanted.after === undefined ? null : decodeNumber(wanted.after), limit + 1],
  })
  const messages = (await asTheyStand(ctx, by, found.rows)) as EntryOf<'message.new'>[]
  const stars = messages.map((message, at) => ({ at: found.rows[at]!.starred, message }))
  return toNumberedPage('stars', found.rows, stars, limit)
}
