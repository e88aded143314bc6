/** Who wrote first what was forwarded: named to whoever may know. */
import type { Entry, EntryOf } from '@flotilla/protocol'
import { between } from '../../privacy/between.ts'
import type { LogContext } from '../context.ts'
import type { Membership } from '../memberships.ts'

type Message = EntryOf<'message.new'>

/** Of this entry, the person who wrote it first. */
const originOf = (entry: Entry): string | undefined => (entry.event === 'message.new' ? entry.forwarded?.by : undefined)

const unnamed = (entry: Entry): Entry => {
  const { forwarded, ...message } = entry as Message
  return { ...message, forwarded: { at: forwarded!.at } }
}

/** As one reader may see them: a block hides people from each other. */
export async function asReaderMaySee(ctx: LogContext, viewer: string, entries: readonly Entry[]) {
  const origins = new Set(entries.flatMap(entry => originOf(entry) ?? []))
  const blocked = await between(ctx, viewer, [...origins])
  return (entry: Entry): Entry => (blocked.has(originOf(entry) ?? '') ? unnamed(entry) : entry)
}

/**
 * As all members may see it who are told of it live. Of many nobody asks: they read the name with the page.
 */
export async function asAllMaySee(ctx: LogContext, membership: Membership, entry: Entry): Promise<Entry> {
  const origin = originOf(entry)
  if (origin === undefined) return entry
  if (membership.large) return unnamed(entry)
  return (await between(ctx, origin, membership.users)).size > 0 ? unnamed(entry) : entry
}

/** As whoever said it may see it in the answer. */
export async function asSenderMaySee(ctx: LogContext, by: string, entry: Entry): Promise<Entry> {
  return (await asReaderMaySee(ctx, by, [entry]))(entry)
}
