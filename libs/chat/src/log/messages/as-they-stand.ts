/**
 * Messages as one reader sees them: with all that they have beside their rows (part.ts), with what they answer, and without
 * what the reader has hidden.
 */
import type { Entry } from '@flotilla/protocol'
import type { LogContext } from '../context.ts'
import { type EntryRow, toEntries } from '../entries.ts'
import { asReaderMaySee } from './forwarded.ts'
import { withoutHidden } from './hidden.ts'
import { keyOf } from './part.ts'
import { pinPart } from './pins.ts'
import { pollPart } from './polls.ts'
import { withQuotes } from './quotes.ts'
import { reactionPart } from './reactions.ts'
import { repliesPart } from './threads.ts'

const parts = [pinPart, reactionPart, repliesPart, pollPart] as const

/** Opens rows into entries, in their order, with all that their messages have. What else is to be read is read at once. */
export async function asTheyStand(
  ctx: LogContext,
  viewer: string,
  rows: readonly EntryRow[],
  epoch = ctx.epoch(),
): Promise<Entry[]> {
  const reading = parts.flatMap(part => {
    const places = rows
      // Of what has expired nothing is left but its thread, though the worker may be late.
      .filter(row => (row.expired !== true || part === repliesPart) && ((row.parts ?? 0) & part.bit) !== 0)
      .map(row => ({ conversation: row.conversation_id, seq: row.seq }))
    return places.length === 0 ? [] : [part.read(ctx, viewer, places).then(found => ({ field: part.field, found }))]
  })
  // Awaited together from the start: one that failed before it is awaited would be a rejection that nobody handles.
  const [entries, ...read] = await Promise.all([toEntries(ctx.seal, rows, epoch), ...reading])
  const [hide, quote, name] = await Promise.all([
    withoutHidden(ctx, viewer, entries),
    withQuotes(ctx, viewer, entries, epoch),
    asReaderMaySee(ctx, viewer, entries),
  ])
  const whole = entries.map(entry => {
    const has = read.flatMap(({ field, found }) => {
      const value = found.get(keyOf(entry))
      return value === undefined ? [] : [[field, value] as const]
    })
    return has.length === 0 ? entry : { ...entry, ...Object.fromEntries(has) }
  })
  return quote(whole.map(entry => hide(name(entry))))
}
