/**
 * What goes from node to node: one line of JSON that says for whom, then one line for each frame, exactly as clients
 * will get it. Frames are never parsed on the way.
 */
export interface RoutedEntry {
  readonly conversation: string
  readonly seq: number
  /** The membership version that this entry made, when it changed the membership. */
  readonly membership?: number
  /** When it was committed, in ms by the clock of the store, for measuring how long its way took. */
  readonly at?: number
}

/** The membership that decided for whom a frame is, when that is no entry. */
export interface AsOf {
  readonly conversation: string
  readonly version: number
}

/** How a frame is treated when it cannot be delivered: by the class that the protocol declares its event to be of. */
export type Delivery =
  | { readonly class: 'entry'; readonly entry: RoutedEntry }
  | { readonly class: 'signal' }
  | { readonly class: 'ephemeral'; readonly asOf?: AsOf | undefined }

/** Whoever is here of a conversation at a version of its membership. */
export interface Interest {
  readonly conversation: string
  readonly version: number
}

/** For whom one frame of an envelope is, and what it is: an entry, or of the class that is named. */
export interface Item {
  readonly to: string[] | Interest
  readonly entry?: RoutedEntry | undefined
  readonly class?: string | undefined
  readonly asOf?: AsOf | undefined
}

/** Of a class that is not named, or not known here, another version sends: a `refresh` too many is better than one too few. */
export function deliveryOf({ entry, class: named, asOf }: Item): Delivery {
  if (entry !== undefined) return { class: 'entry', entry }
  return named === 'ephemeral' || asOf !== undefined ? { class: 'ephemeral', asOf } : { class: 'signal' }
}

export function itemOf(to: Item['to'], delivery: Delivery): Item {
  if (delivery.class === 'entry') return { to, entry: delivery.entry }
  // What is undefined is left out on the way.
  return { to, class: delivery.class, asOf: delivery.class === 'ephemeral' ? delivery.asOf : undefined }
}

/** `at` is of the clock of whoever looked, for nodes that still pass it on: nothing may go by it. */
export type PresenceLine = readonly [user: string, online: boolean, at: number]

export interface Header {
  readonly v: number
  /** The place that sends. */
  readonly from: string
  /** The place it is meant for. */
  readonly to: string
  /** Counts the envelopes from one place to another, from 1. A tally repeats the last number. */
  readonly n: number
  readonly tally?: true
  /** How many of these envelopes held signals, this one included. Missing from an older node. */
  readonly signals?: number
  /** One for each frame. */
  readonly items?: readonly Item[]
  /** The sender may have failed to send what was meant for this node, within so many ms until now. */
  readonly lostMs?: number
  /** Whose signals may be among it; missing: anybody's. */
  readonly signalsOf?: readonly string[]
  /** The same as a time of the sender's wall clock, for nodes that do not know `lostMs`. */
  readonly suspect?: number
  readonly presence?: readonly PresenceLine[]
}

/**
 * Raised when an older node would misread a newer envelope. A newer one is taken as far as its shape is known; what cannot
 * be read is suspected to be lost, and looked for.
 */
export const envelopeVersion = 1

export function encodeEnvelope(header: Header, frames: readonly string[] = []): string {
  let text = JSON.stringify(header)
  for (const frame of frames) text += `\n${frame}`
  return text
}

/** Takes an envelope apart; undefined when it is none, or one that this version cannot read. */
export function decodeEnvelope(text: string): { header: Header; frames: readonly string[] } | undefined {
  const end = text.indexOf('\n')
  let header: Header | null
  try {
    header = JSON.parse(end === -1 ? text : text.slice(0, end)) as Header | null
  } catch {
    return undefined
  }
  if (typeof header !== 'object' || header === null || !Number.isInteger(header.v)) return undefined
  if (header.v < envelopeVersion || !hasKnownShape(header)) return undefined
  const frames: string[] = []
  for (let at = end; at !== -1; ) {
    const next = text.indexOf('\n', at + 1)
    frames.push(next === -1 ? text.slice(at + 1) : text.slice(at + 1, next))
    at = next
  }
  return frames.length === (header.items?.length ?? 0) ? { header, frames } : undefined
}

/** Whether a header says for whom its frames are in the way that this version knows. A newer version may say more. */
function hasKnownShape({ from, to, n, signals, signalsOf, items, presence }: Header): boolean {
  const isNames = (names: unknown) => Array.isArray(names) && names.every(name => typeof name === 'string')
  const isPlace = (to: Item['to'] | null) =>
    Array.isArray(to) ? isNames(to) : typeof to?.conversation === 'string' && Number.isSafeInteger(to.version)
  const isEntry = (entry: RoutedEntry | null | undefined) =>
    entry === undefined || (typeof entry?.conversation === 'string' && Number.isSafeInteger(entry.seq))
  const isAsOf = (asOf: AsOf | null | undefined) =>
    asOf === undefined || (typeof asOf?.conversation === 'string' && Number.isSafeInteger(asOf.version))
  const isPresence = (line: PresenceLine | null) =>
    Array.isArray(line) && typeof line[0] === 'string' && typeof line[1] === 'boolean'
  return (
    typeof from === 'string' &&
    typeof to === 'string' &&
    Number.isSafeInteger(n) &&
    n >= 0 &&
    (signals === undefined || (Number.isSafeInteger(signals) && signals >= 0)) &&
    (signalsOf === undefined || isNames(signalsOf)) &&
    (items === undefined ||
      (Array.isArray(items) &&
        (items as readonly (Item | null)[]).every(
          item =>
            item !== null &&
            isPlace(item.to) &&
            isEntry(item.entry) &&
            isAsOf(item.asOf) &&
            // Only entries go to whoever is here.
            (Array.isArray(item.to) || item.entry !== undefined),
        ))) &&
    (presence === undefined || (Array.isArray(presence) && presence.every(isPresence)))
  )
}
