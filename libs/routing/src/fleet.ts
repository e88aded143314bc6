/** The fleet as the last beat showed it, corrected by what was learned since: which places can be counted on. */
import { type Beat, type NodeView, placeOf, splitPlace } from './leases.ts'
import type { Places } from './whereabouts.ts'

/** Places that are over and in no view any more, kept at most. */
const forgottenMax = 10_000

/** A place that is over, and when it was last alive. */
export interface Death {
  readonly place: string
  readonly lastSeen: number
}

export interface Fleet {
  /** A beat is about to be sent: its answer will know every place that was met until now. */
  beginBeat(steady: number): void
  /**
   * Takes the view of the beat that began last.
   * @returns places that ended since the view before without a goodbye, and all that ended in whatever way
   */
  update(beat: Beat, now: number): { readonly died: readonly Death[]; readonly ended: readonly string[] }
  /**
   * Whether the place has lost its lease. One that is in no view counts as new, not as over, until a beat shows that it
   * is not: better an envelope too many than one too few.
   */
  isOver(place: string): boolean
  /** Nobody listened there, or somebody did again. Envelopes are sent there all the same: it may just be coming back. */
  mark(place: string, isGone: boolean, steady: number): void
  /** Whether the place is not over, and was heard of since nobody listened there. */
  isReachable(place: string): boolean
  isLiveAny(places: Places): boolean
  /** Whether places were met that no beat has shown yet. */
  hasStrangers(): boolean
  /** The places that hold a lease. */
  live(): readonly string[]
  /** The places that are over and wait to be swept. */
  unswept(): readonly string[]
  nodes(): readonly NodeView[]
}

/** @param onStranger a place was met that is not in the view: time for another beat */
export function createFleet(onStranger: () => void): Fleet {
  let views = new Map<string, NodeView>()
  /** When each was last seen alive, by the clock of this node. */
  let lastSeen = new Map<string, number>()
  let newest = new Map<string, number>()
  /** Where nobody listened, and when that was (steady ms). */
  const gone = new Map<string, number>()
  /** Places that were met and are not in the view, before and since the last beat was sent. */
  let met = new Set<string>()
  let metSince = new Set<string>()
  /** Places that were met and that a later view did not know. */
  const forgotten = new Set<string>()
  let beatBegan = 0
  let isFirst = true

  function revise() {
    for (const place of met) if (!views.has(place)) forgotten.add(place)
    met = new Set()
    for (const place of forgotten) {
      if (forgotten.size <= forgottenMax) break
      forgotten.delete(place)
    }
    for (const [place, markedAt] of gone) {
      const view = views.get(place)
      // Only a beat after the mark says anything against it.
      if (view === undefined || beatBegan - view.beatAgeMs > markedAt) gone.delete(place)
    }
  }

  function meet(place: string) {
    if (metSince.has(place) || met.has(place)) return
    metSince.add(place)
    onStranger()
  }

  const fleet: Fleet = {
    beginBeat(steady) {
      beatBegan = steady
      for (const place of metSince) met.add(place)
      metSince = new Set()
    },
    update(beat, now) {
      const before = views
      const seenBefore = lastSeen
      views = new Map(beat.nodes.map(view => [placeOf(view.node, view.generation), view]))
      lastSeen = new Map()
      newest = new Map()
      for (const [place, view] of views) {
        lastSeen.set(place, now - view.beatAgeMs)
        if (view.state === 'live') newest.set(view.node, Math.max(newest.get(view.node) ?? 0, view.generation))
      }
      // In the first view the dead are history: whoever connects from here on reads what they wrote.
      const ends = endsBetween(
        before,
        isFirst ? new Map() : views,
        place => lastSeen.get(place) ?? seenBefore.get(place) ?? now,
      )
      isFirst = false
      revise()
      return ends
    },
    isOver(place) {
      const view = views.get(place)
      if (view !== undefined) return view.state !== 'live'
      if (forgotten.has(place)) return true
      const { node, generation } = splitPlace(place)
      if ((newest.get(node) ?? 0) > generation) return true
      meet(place)
      return false
    },
    mark(place, isGone, steady) {
      if (isGone) gone.set(place, steady)
      else gone.delete(place)
    },
    isReachable: place => !gone.has(place) && !fleet.isOver(place),
    isLiveAny: places => places.some(place => !fleet.isOver(place)),
    hasStrangers: () => met.size + metSince.size > 0,
    live: () => [...views].filter(([, view]) => view.state === 'live').map(([place]) => place),
    unswept: () => [...views].filter(([, view]) => view.state !== 'live' && !view.swept).map(([place]) => place),
    nodes: () => [...views.values()],
  }
  return fleet
}

/** Who ended from one view to the next, and who of them without saying so. */
function endsBetween(
  before: ReadonlyMap<string, NodeView>,
  after: ReadonlyMap<string, NodeView>,
  lastSeen: (place: string) => number,
): { died: Death[]; ended: string[] } {
  const died: Death[] = []
  const ended: string[] = []
  for (const [place, view] of after) {
    if (view.state === 'live' || before.get(place)?.state === view.state) continue
    ended.push(place)
    if (view.state === 'expired') died.push({ place, lastSeen: lastSeen(place) })
  }
  for (const [place, view] of before) {
    if (after.has(place)) continue
    ended.push(place)
    if (view.state === 'live') died.push({ place, lastSeen: lastSeen(place) })
  }
  return { died, ended }
}
