/** Hours in which a person wants no push, by the clock on their wall. */

export interface QuietHours {
  /** Minutes after midnight; past `until` they go over midnight. */
  readonly from: number
  readonly until: number
  /** `Europe/Berlin` */
  readonly zone: string
}

const dayMinutes = 24 * 60
const minuteMs = 60_000

/** Formatters are costly to make, and people share few zones: there are some 600. */
const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    const options = { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' } as const
    formatter = new Intl.DateTimeFormat('en-GB', options)
    formatters.set(zone, formatter)
  }
  return formatter
}

/** Minutes after midnight on the wall. */
function wallMinutes(zone: string, at: number): number {
  const parts = formatterOf(zone).formatToParts(at)
  const read = (type: 'hour' | 'minute') => Number(parts.find(part => part.type === type)?.value)
  return read('hour') * 60 + read('minute')
}

const isBetween = (minutes: number, { from, until }: QuietHours) =>
  from < until ? minutes >= from && minutes < until : minutes >= from || minutes < until

/**
 * When the quiet hours end that hold at this moment.
 * @returns undefined when none hold. A zone that this process does not know holds nothing back
 */
export function quietUntil(quiet: QuietHours | undefined, at: number): number | undefined {
  if (quiet === undefined || quiet.from === quiet.until) return undefined
  try {
    const now = wallMinutes(quiet.zone, at)
    if (!isBetween(now, quiet)) return undefined
    const wholeMinute = Math.floor(at / minuteMs) * minuteMs
    const end = wholeMinute + ((quiet.until - now + dayMinutes) % dayMinutes) * minuteMs
    // Clocks that are put forward or back in between move the end by as much.
    const shift = ((wallMinutes(quiet.zone, end) - quiet.until + dayMinutes * 1.5) % dayMinutes) - dayMinutes / 2
    const corrected = end - shift * minuteMs
    return corrected > at ? corrected : end
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
