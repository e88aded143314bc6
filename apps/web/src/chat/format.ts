/** Times and numbers in the reader's language. Formatters are dear to make, and kept. */
import { isSameDay, startOfDay } from './timeline/arrange.ts'

const dayMs = 86_400_000

function keep<T>(make: (locale: string) => T): (locale: string) => T {
  const made = new Map<string, T>()
  return locale => {
    const known = made.get(locale)
    if (known !== undefined) return known
    const next = make(locale)
    made.set(locale, next)
    return next
  }
}

const format = (options: Intl.DateTimeFormatOptions) => keep(locale => new Intl.DateTimeFormat(locale, options))
const hours = format({ hour: 'numeric', minute: '2-digit' })
const weekday = format({ weekday: 'short' })
const dayOfYear = format({ day: 'numeric', month: 'short' })
const shortDate = format({ day: '2-digit', month: '2-digit', year: '2-digit' })
const longDay = format({ weekday: 'long', day: 'numeric', month: 'long' })
const longDate = format({ day: 'numeric', month: 'long', year: 'numeric' })
const whole = format({ dateStyle: 'full', timeStyle: 'short' })
const brief = format({ dateStyle: 'medium', timeStyle: 'short' })
const relative = keep(locale => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
const numbers = keep(locale => new Intl.NumberFormat(locale))

/** `14:05` */
export const timeOf = (at: number, locale: string): string => hours(locale).format(at)
/** For a tooltip: all of it. */
export const wholeTimeOf = (at: number, locale: string): string => whole(locale).format(at)
export const briefTimeOf = (at: number, locale: string): string => brief(locale).format(at)
export const numberOf = (number: number, locale: string): string => numbers(locale).format(number)

/** Calendar days from one time to another: a day of the change to summer time has 23 hours. */
const daysBetween = (from: number, to: number) => Math.round((startOfDay(to) - startOfDay(from)) / dayMs)

/** As a list has room for: `14:05`, `Tue`, `3 May`, `03/05/24`. */
export function listTimeOf(at: number, locale: string, now = Date.now()): string {
  if (isSameDay(at, now)) return timeOf(at, locale)
  const days = daysBetween(at, now)
  if (days > 0 && days < 7) return weekday(locale).format(at)
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return (isThisYear ? dayOfYear : shortDate)(locale).format(at)
}

/** Above the first message of a day: `Today`, `Yesterday`, `Tuesday, 3 May`, `3 May 2024`. */
export function dayOf(at: number, locale: string, now = Date.now()): string {
  const days = daysBetween(at, now)
  if (days === 0 || days === 1) return capital(relative(locale).format(-days, 'day'), locale)
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return (isThisYear ? longDay : longDate)(locale).format(at)
}

const capital = (text: string, locale: string) => `${text.charAt(0).toLocaleUpperCase(locale)}${text.slice(1)}`

/** How much is left or how long something lasts, in its largest unit: `5 minutes`, `7 days`. */
export function lengthOfTime(ms: number, locale: string): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size) ?? units.at(-1)!
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.round(ms / unitMs))
}
const units = [
  ['week', 7 * dayMs],
  ['day', dayMs],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** What is left, as a clock that runs down: `0:05`, `12:30`; of more than an hour, the hours: `3h`. */
export function countdownOf(ms: number, locale: string): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds >= 3_600)
    return new Intl.NumberFormat(locale, { style: 'unit', unit: 'hour', unitDisplay: 'narrow' }).format(
      Math.ceil(seconds / 3_600),
    )
  const twoDigits = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 })
  return `${numberOf(Math.floor(seconds / 60), locale)}:${twoDigits.format(seconds % 60)}`
}

/** A count in a badge. */
export const badgeOf = (count: number, locale: string): string =>
  count > 999 ? `${numberOf(999, locale)}+` : numberOf(count, locale)
