/**
 * How a lost envelope is noticed. Envelopes from one place to another are numbered from 1; after an envelope the sender
 * repeats its last number in a tally, at each of the next beats, so that a missing tail shows as well as a gap. Those
 * with signals are counted besides: what was lost may be known to hold none.
 *
 * Between two places the count never begins anew, also when one of them seems to be over: whoever has counted further would
 * take what comes for a repetition, and drop it without a word.
 */
import { setLatest } from './latest.ts'

interface Sent {
  n: number
  signals: number
  talliesLeft: number
}

interface Heard {
  n: number
  signals: number
  /** When something was last heard from there. */
  at: number
}

export interface Numbers {
  /** The number of the next envelope to a place, and how many up to it hold signals. */
  next(to: string, hasSignals: boolean): { readonly n: number; readonly signals: number }
  /** The tallies that are due at this beat. */
  tallies(): { readonly to: string; readonly n: number; readonly signals: number }[]
  heard(from: string, envelope: Counted, now: number): Finding
  /** A place is over: it gets no tallies. */
  quiet(place: string): void
  /** Begins anew, because the own place is another. */
  reset(now: number): void
}

/** What is counted of an envelope that came. */
export interface Counted {
  readonly n: number
  readonly isTally: boolean
  readonly hasSignals: boolean
  /** Missing from an older node. */
  readonly signals: number | undefined
}

export interface Finding {
  /** Since when something is missing, if anything is. */
  readonly missingSince: number | undefined
  /** Whether signals may be among it. */
  readonly areSignalsMissing: boolean
  /** Whether the envelope was heard already, as no tally is. */
  readonly isRepeated: boolean
}

/** Places whose counts are kept, those in use last: far more than a fleet has, with the generations of many roll-outs. */
const placesMax = 10_000

function latest<V>(counts: Map<string, V>, place: string, first: V): V {
  const count = counts.get(place) ?? first
  setLatest(counts, place, count, placesMax)
  return count
}

/** @param talliesMax for how many beats after an envelope its number is repeated */
export function createNumbers(talliesMax: number, startedAt: number): Numbers {
  const sent = new Map<string, Sent>()
  const heard = new Map<string, Heard>()
  let beganAt = startedAt

  return {
    next(to, hasSignals) {
      const peer = latest(sent, to, { n: 0, signals: 0, talliesLeft: 0 })
      peer.talliesLeft = talliesMax
      peer.n++
      if (hasSignals) peer.signals++
      return { n: peer.n, signals: peer.signals }
    },
    tallies() {
      const due = []
      for (const [to, peer] of sent) {
        if (peer.talliesLeft === 0) continue
        peer.talliesLeft--
        due.push({ to, n: peer.n, signals: peer.signals })
      }
      return due
    },
    heard(from, { n, isTally, hasSignals, signals }, now) {
      const peer = latest(heard, from, { n: 0, signals: 0, at: beganAt })
      const missingSince = n > peer.n + (isTally ? 0 : 1) ? peer.at : undefined
      const isRepeated = !isTally && n <= peer.n
      const areSignalsMissing = signals === undefined || signals > peer.signals + (hasSignals ? 1 : 0)
      peer.n = Math.max(peer.n, n)
      peer.signals = Math.max(peer.signals, signals ?? 0)
      peer.at = now
      return { missingSince, areSignalsMissing, isRepeated }
    },
    quiet(place) {
      const peer = sent.get(place)
      if (peer !== undefined) peer.talliesLeft = 0
    },
    reset(now) {
      sent.clear()
      heard.clear()
      beganAt = now
    },
  }
}
