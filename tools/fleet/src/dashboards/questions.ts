/** What several dashboards ask in the same words. */
import { chosen } from './grafana.ts'

const over = '[$__rate_interval]'
const matching = (more: string) => `{${[more, chosen].filter(part => part !== '').join(', ')}}`

/** How often a counter counts each second, over all that is chosen or by a label. */
export const perSecond = (counter: string, more = '', by = '') =>
  `sum${by === '' ? '' : ` by (${by}) `}(rate(${counter}${matching(more)}${over}))`

/** How often each minute, for what is too rare to be counted by the second. */
export const perMinute = (counter: string, more = '', by = '') => `60 * ${perSecond(counter, more, by)}`

/** For bars: what did not happen is left out, since a counter is there with 0 for every value of its labels. */
export const happened = (counter: string, by: string, more = '') => `${perMinute(counter, more, by)} > 0`

/** Commands that failed through our fault and not the client's. */
export const ourFault = 'outcome=~"unavailable|internal|overloaded"'
/** Tries of people to sign in that came to nothing. */
export const failedSignIn = 'outcome=~"refused|limited|failed"'
export const failedSends = perSecond('flotilla_commands_total', `op="message.send", ${ourFault}`)
/** Answers of the API whose status fits, each second. */
export const answered = (status: string, by = '') =>
  perSecond('flotilla_api_request_duration_seconds_count', `status=~"${status}"`, by)

export interface Histogram {
  readonly name: string
  readonly more?: string
}
export const acknowledgement: Histogram = { name: 'flotilla_command_seconds', more: 'op="message.send"' }
export const delivery: Histogram = { name: 'flotilla_delivery_seconds' }

/** Leaves out what was divided by nothing, so that a quiet night shows "none" and not "NaN". */
export const known = (ask: string) => `${ask} >= 0`

/** The time, or the size, that this share stays below. */
export const quantile = (share: number, { name, more = '' }: Histogram, by = '') =>
  known(
    `histogram_quantile(${share}, sum by (${by === '' ? 'le' : `${by}, le`}) (rate(${name}_bucket${matching(more)}${over})))`,
  )

/** The mean of what a histogram saw. */
export const mean = (name: string) => known(`${perSecond(`${name}_sum`)} / ${perSecond(`${name}_count`)}`)

export const buckets = ({ name, more = '' }: Histogram) =>
  `sum by (le) (increase(${name}_bucket${matching(more)}${over}))`
