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
 * When the quiet hours end that hold at this moment: the first moment at which the clock on the wall shows none of them.
 * A clock that is put forward over their end ends them, one that is put back into them begins them again.
 * @returns undefined when none hold. A zone that this process does not know holds nothing back
 */
export function quietUntil(quiet: QuietHours | undefined, at: number): number | undefined {
  if (quiet === undefined || quiet.from === quiet.until) return undefined
  const { zone, until } = quiet
  try {
    let moment = Math.floor(at / minuteMs) * minuteMs
    let wall = wallMinutes(zone, moment)
    if (!isBetween(wall, quiet)) return undefined
    while (isBetween(wall, quiet)) {
      const end = moment + ((until - wall + dayMinutes) % dayMinutes) * minuteMs
      moment = findMove(zone, moment, end) ?? end
      wall = wallMinutes(zone, moment)
    }
    return moment
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** By how many minutes the wall is ahead of UTC, without whole days. */
const aheadOf = (zone: string, at: number) => (wallMinutes(zone, at) - at / minuteMs) % dayMinutes

const isMoved = (zone: string, one: number, other: number) =>
  (aheadOf(zone, one) - aheadOf(zone, other)) % dayMinutes !== 0

/** The minute in which a clock is put forward or back, after one moment and up to another less than a day later. */
function findMove(zone: string, after: number, upTo: number): number | undefined {
  if (!isMoved(zone, after, upTo)) return undefined
  let [before, moved] = [after, upTo]
  while (moved - before > minuteMs) {
    const middle = Math.floor((before + moved) / 2 / minuteMs) * minuteMs
    if (isMoved(zone, after, middle)) moved = middle
    else before = middle
  }
  return moved
}
