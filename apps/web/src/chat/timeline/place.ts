/** Where a list stands, by its rows. */
import type { VirtualizerHandle } from 'virtua'
import type { Placed } from './arrange.ts'

/** Where a list stands: at the bottom, or with a row so many pixels below its upper edge. */
export type Place = 'bottom' | { readonly key: string; readonly offset: number }

export function placeOf(handle: VirtualizerHandle, shown: readonly Placed[], isAtBottom: boolean): Place {
  if (isAtBottom) return 'bottom'
  const nth = handle.findItemIndex(handle.scrollOffset)
  const row = shown[nth]
  return row === undefined ? 'bottom' : { key: row.key, offset: handle.getItemOffset(nth) - handle.scrollOffset }
}

/** The last row whose end is above `bottom`. */
export function lastSeen(handle: VirtualizerHandle, shown: readonly Placed[], bottom: number): Placed | undefined {
  let nth = Math.min(shown.length - 1, handle.findItemIndex(bottom))
  while (nth >= 0 && handle.getItemOffset(nth) + handle.getItemSize(nth) > bottom + 1) nth--
  return shown[nth]
}

/** The last row of which anything is in view. */
export function lastInView(handle: VirtualizerHandle, shown: readonly Placed[]): Placed | undefined {
  return shown[Math.max(0, handle.findItemIndex(handle.scrollOffset + handle.viewportSize - 1))]
}
