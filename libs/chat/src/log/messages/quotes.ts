/**
 * What messages answer, as their reader may see it today: read for all messages of an answer at once, and never live, since
 * whoever joined between the two messages is told of the second and may not see the first (P8).
 */
import { type Entry, type EntryOf, type Quote, quoted } from '@flotilla/protocol'
import { entries as kinds } from '@flotilla/protocol/schemas'
import { type EntryRow, entryColumns, toEntries } from '../entries.ts'
import type { LogContext } from '../context.ts'
import { firstSeen, notHidden } from './hidden.ts'
import { keyOf, type MessagePlace, placeArrays } from './part.ts'

const originals = `
SELECT ${entryColumns}
  FROM generate_series(1, cardinality($1::uuid[])) r
  JOIN members mb ON mb.conversation_id = ($1::uuid[])[r] AND mb.user_id = $3
  JOIN messages m ON m.conversation_id = ($1::uuid[])[r] AND m.seq = ($2::int8[])[r]
 WHERE m.kind = ${kinds['message.new'].number} AND m.seq >= ${firstSeen('mb')} AND ${notHidden('m', 'mb.user_id')}`

/**
 * @param entries of one answer: what they hold themselves is not read again
 * @returns adds to the messages what they answer; given the same entries as the reader gets them
 */
export async function withQuotes(
  ctx: LogContext,
  viewer: string,
  entries: readonly Entry[],
  epoch: number,
): Promise<(entries: readonly Entry[]) => Entry[]> {
  const here = new Map(entries.map(entry => [keyOf(entry), entry]))
  const missing = new Map<string, MessagePlace>()
  for (const entry of entries) {
    const place = answeredBy(entry)
    if (place !== undefined && !here.has(keyOf(place))) missing.set(keyOf(place), place)
  }
  if (missing.size > 0) {
    const { rows } = await ctx.pool.query<EntryRow>({
      name: 'quotes-read',
      text: originals,
      values: [...placeArrays([...missing.values()]), viewer],
    })
    for (const entry of await toEntries(ctx.seal, rows, epoch)) here.set(keyOf(entry), entry)
  }
  return shown => {
    for (const entry of shown) here.set(keyOf(entry), entry)
    return shown.map(entry => {
      const place = answeredBy(entry)
      return place === undefined ? entry : { ...entry, quote: toQuote(place.seq, here.get(keyOf(place))) }
    })
  }
}

function answeredBy(entry: Entry): MessagePlace | undefined {
  if (entry.event !== 'message.new' || entry.replyTo === undefined || entry.removed !== undefined) return undefined
  return { conversation: entry.conversation, seq: entry.replyTo }
}

function toQuote(seq: number, original: Entry | undefined): Quote {
  if (original?.event !== 'message.new') return { seq, state: 'unavailable' }
  const { by, body, removed }: EntryOf<'message.new'> = original
  return removed === undefined ? { seq, state: 'shown', by, body: quoted(body) } : { seq, state: 'deleted', by }
}
