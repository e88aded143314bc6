/** Times as they are typed and shown at a terminal. */

/** One of the two ways in which a time is told to the server. */
export type When = { readonly at: number; readonly local?: never } | { readonly at?: never; readonly local: LocalTime }
interface LocalTime {
  readonly time: string
  readonly zone: string
}

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `10m`, `2h`, `7d`, in milliseconds. */
export function readDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * unitsMs[unit as keyof typeof unitsMs]
}

const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/
const dayAndClock = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d$/

/**
 * In so long, or by the clock on the wall here: when it next shows this, or on that day.
 * @param now by the clock of this machine
 */
export function readWhen(text: string, now: Date): When | undefined {
  const { timeZone: zone } = new Intl.DateTimeFormat().resolvedOptions()
  const duration = readDuration(text)
  if (duration !== undefined) return { at: now.getTime() + duration }
  if (dayAndClock.test(text)) return { local: { time: text, zone } }
  const [, hour, minute] = clock.exec(text) ?? []
  if (hour === undefined) return undefined
  const next = new Date(now)
  next.setHours(Number(hour), Number(minute), 0, 0)
  if (next <= now) next.setDate(next.getDate() + 1)
  return { local: { time: isoOf(next), zone } }
}

const two = (number: number) => String(number).padStart(2, '0')
const isoOf = (at: Date) =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`

export const timeOf = (at: number) => isoOf(new Date(at)).replace('T', ' ')

export function durationOf(ms: number): string {
  const [count, unit] = ms % unitsMs.d === 0 ? [ms / unitsMs.d, 'day'] : [Math.round(ms / unitsMs.h), 'hour']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
