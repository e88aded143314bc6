/**
 * From one list of rows to the next, by steps that each change one end: what keeps rows in their places needs to know which end
 * it was. Pure.
 */
import type { Placed } from './arrange.ts'

export interface Step {
  readonly shown: readonly Placed[]
  /** It has grown or shrunk at its beginning: places are counted from the end. */
  readonly shift: boolean
}

/** @returns `next`, or a step before it: ask again until it is `next` */
export function stepTo(shown: readonly Placed[], next: readonly Placed[]): Step {
  const kept = keptOf(shown, next)
  // Nothing is left of it: it begins anew.
  if (kept === undefined) return { shown: next, shift: false }
  const { from, to, nextFrom, nextTo } = kept
  const removedBefore = from
  const removedBehind = shown.length - 1 - to
  const addedBefore = nextFrom
  const addedBehind = next.length - 1 - nextTo
  const changesBefore = removedBefore > 0 || addedBefore > 0
  const changesBehind = removedBehind > 0 || addedBehind > 0
  if (!changesBefore || !changesBehind) return { shown: next, shift: changesBefore }
  // First behind: the beginning of what was shown, with the end of what comes.
  return { shown: [...shown.slice(0, from), ...next.slice(nextFrom)], shift: false }
}

/** The rows that are in both, by the first and the last of them. */
function keptOf(shown: readonly Placed[], next: readonly Placed[]) {
  const places = new Map(next.map(({ key }, nth) => [key, nth]))
  const from = shown.findIndex(({ key }) => places.has(key))
  if (from < 0) return undefined
  const to = shown.findLastIndex(({ key }) => places.has(key))
  return { from, to, nextFrom: places.get(shown[from]!.key)!, nextTo: places.get(shown[to]!.key)! }
}
