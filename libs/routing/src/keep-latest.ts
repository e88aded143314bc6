/**
 * Keeps a Map at so many entries: beyond them its first ones go, those that were set longest ago. A sixteenth goes at once.
 * V8 finds the first entry behind all that were deleted before it, so that to let them go one by one costs 8 µs for each that
 * comes, with 10,000 entries, and 57 µs with 100,000.
 * @returns how many went
 */
export function keepLatest(map: Map<unknown, unknown>, max: number): number {
  const { size } = map
  if (size <= max) return 0
  const kept = Math.min(max, size - (max >> 4))
  for (const key of map.keys()) {
    if (map.size <= kept) break
    map.delete(key)
  }
  return size - kept
}
