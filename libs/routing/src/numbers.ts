/**
 * How a lost envelope is noticed. Envelopes from one place to another are numbered from 1; after an envelope the sender
 * repeats its last number in a tally, at each of the next beats, so that a missing tail shows as well as a gap.
 */
interface Sent {
  n: number
  talliesLeft: number
}

interface Heard {
  n: number
  /** When something was last heard from there. */
  at: number
}

export interface Numbers {
  /** The number of the next envelope to a place. */
  next(to: string): number
  /** The tallies that are due at this beat. */
  tallies(): { readonly to: string; readonly n: number }[]
  /**
   * Takes note of an envelope that came.
   * @returns since when something is missing, if anything is; and whether the envelope was heard already, as no tally is
   */
  heard(
    from: string,
    n: number,
    isTally: boolean,
    now: number,
  ): { missingSince: number | undefined; isRepeated: boolean }
  /** Drops what is known about a place that is over. */
  drop(place: string): void
  /** Drops places that are not in the fleet and have been quiet since then. */
  prune(quietSince: number, isKnown: (place: string) => boolean): void
  /** Begins anew, because the own place is another. */
  reset(now: number): void
}

/** @param talliesMax for how many beats after an envelope its number is repeated */
export function createNumbers(talliesMax: number, startedAt: number): Numbers {
  const sent = new Map<string, Sent>()
  const heard = new Map<string, Heard>()
  let beganAt = startedAt

  return {
    next(to) {
      let peer = sent.get(to)
      if (peer === undefined) {
        peer = { n: 0, talliesLeft: 0 }
        sent.set(to, peer)
      }
      peer.talliesLeft = talliesMax
      return ++peer.n
    },
    tallies() {
      const due = []
      for (const [to, peer] of sent) {
        if (peer.talliesLeft === 0) continue
        peer.talliesLeft--
        due.push({ to, n: peer.n })
      }
      return due
    },
    heard(from, n, isTally, now) {
      let peer = heard.get(from)
      if (peer === undefined) {
        peer = { n: 0, at: beganAt }
        heard.set(from, peer)
      }
      const missingSince = n > peer.n + (isTally ? 0 : 1) ? peer.at : undefined
      const isRepeated = !isTally && n <= peer.n
      peer.n = Math.max(peer.n, n)
      peer.at = now
      return { missingSince, isRepeated }
    },
    drop(place) {
      sent.delete(place)
      heard.delete(place)
    },
    prune(quietSince, isKnown) {
      for (const [place, peer] of sent) if (peer.talliesLeft === 0 && !isKnown(place)) sent.delete(place)
      for (const [place, peer] of heard) if (peer.at < quietSince && !isKnown(place)) heard.delete(place)
    },
    reset(now) {
      sent.clear()
      heard.clear()
      beganAt = now
    },
  }
}
