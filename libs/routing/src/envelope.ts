/**
 * What goes from node to node: one line of JSON that says for whom, then one line for each frame, exactly as clients
 * will get it. Frames are never parsed on the way.
 */
export interface Entry {
  readonly conversation: string
  readonly seq: number
  /** The membership version that this entry made, when it changed the membership. */
  readonly membership?: number
  /** When it was committed, in ms by the clock of the store, for measuring how long its way took. */
  readonly at?: number
}

/** For whom one frame of an envelope is: people, or whoever is here of a conversation at a version of its membership. */
export interface Item {
  readonly to: string[] | { readonly conversation: string; readonly version: number }
  readonly entry?: Entry
}

export type PresenceLine = readonly [user: string, online: boolean, at: number]

export interface Header {
  readonly v: typeof envelopeVersion
  /** The place that sends. */
  readonly from: string
  /** The place it is meant for. */
  readonly to: string
  /** Counts the envelopes from one place to another, from 1. A tally repeats the last number. */
  readonly n: number
  readonly tally?: true
  /** One for each frame. */
  readonly items?: readonly Item[]
  /** The sender may have failed to send what was meant for this node, since then (wall clock, ms). */
  readonly suspect?: number
  readonly presence?: readonly PresenceLine[]
}

/** Raised when an older node would misread a newer envelope. What it cannot read it suspects to be lost, and looks for. */
export const envelopeVersion = 1

export function encodeEnvelope(header: Header, frames: readonly string[] = []): string {
  let text = JSON.stringify(header)
  for (const frame of frames) text += `\n${frame}`
  return text
}

/** Takes an envelope apart; undefined when it is none, or one of another version. */
export function decodeEnvelope(text: string): { header: Header; frames: readonly string[] } | undefined {
  const end = text.indexOf('\n')
  let header: Header | null
  try {
    header = JSON.parse(end === -1 ? text : text.slice(0, end)) as Header | null
  } catch {
    return undefined
  }
  if (typeof header !== 'object' || header?.v !== envelopeVersion) return undefined
  if (typeof header.from !== 'string' || typeof header.to !== 'string' || !Number.isInteger(header.n)) return undefined
  const frames: string[] = []
  for (let at = end; at !== -1; ) {
    const next = text.indexOf('\n', at + 1)
    frames.push(next === -1 ? text.slice(at + 1) : text.slice(at + 1, next))
    at = next
  }
  return frames.length === (header.items?.length ?? 0) ? { header, frames } : undefined
}
