/** Time zones by their IANA names, and the moment at which the clock of one shows a time. */

/** Names only: of offsets like +02:00 Intl and PostgreSQL disagree about which way they go. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][\w/+-]*$/.test(zone)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat
  } catch {
    return false
  }
}

/** The version of the rules that this process knows: `2026a`. A later one orders after it. */
export const zoneRules = process.versions['tz'] ?? ''

const dayMs = 86_400_000

/** What the clock of the zone shows, as if it stood in Greenwich. */
function wallOf(format: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const read = (type: Intl.DateTimeFormatPartTypes) => parts.get(type)!
  return Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'))
}

/**
 * The moment at which the clock of a zone shows a time. What comes twice is taken the first time; what a clock that is put
 * forward skips is taken as that much later, as calendars do.
 * @param wall `2027-03-28T09:00`
 * @returns milliseconds since 1970; undefined when there is no such time or no such zone
 */
export function momentOf(wall: string, zone: string): number | undefined {
  const shown = Date.parse(`${wall}:00Z`)
  // A day that a month has not is no later day.
  if (!Number.isFinite(shown) || new Date(shown).toISOString().slice(0, 16) !== wall || !isZone(zone)) return undefined
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  // A zone does not move its clocks twice within two days.
  const [before, after] = [shown - dayMs, shown + dayMs].map(near => shown - (wallOf(format, near) - near)) as [
    number,
    number,
  ]
  const moments = [before, after].filter(moment => wallOf(format, moment) === shown)
  return moments.length === 0 ? before : Math.min(...moments)
}
