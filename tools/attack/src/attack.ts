/** What an attack is: who tries what, and what must hold meanwhile and after it. */
import { until, type UntilOptions } from '@flotilla/testing'
import type { Stand } from './stand.ts'

/** What the attacker has. */
export type Attacker =
  | 'an outsider'
  | 'somebody with an account'
  | 'a member'
  | 'an admin of a group'
  | 'a session that was revoked'
  | 'somebody who knows a password'
  | 'somebody with a foot in Redis'

export interface Attack {
  /** For the command line and the table: `many-sockets`. */
  readonly name: string
  readonly by: Attacker
  /** A sentence without a full stop. */
  readonly tries: string
  /**
   * Whether it is a flood. Only then do bystanders notice anything: their latencies are measured before it and meanwhile.
   */
  readonly isFlood?: boolean
  /**
   * Tries it, through doors that the attacker has, and looks at the effects alone.
   * @param begins a flood calls it when all that it needs is there: what was made for it by SQL is no part of it
   */
  run(stand: Stand, begins: () => Promise<void>): Promise<readonly Check[]>
}

/** One thing that must hold, and what was found. */
export interface Check {
  readonly holds: string
  readonly held: boolean
  readonly found: string
}

export const check = (holds: string, held: boolean, found: unknown): Check => ({
  holds,
  held,
  found: typeof found === 'string' ? found : JSON.stringify(found),
})

/** Nothing of the kind was found. */
export const none = (holds: string, found: readonly unknown[]): Check =>
  check(holds, found.length === 0, found.length === 0 ? 'none' : `${found.length}, such as ${JSON.stringify(found[0])}`)

/** At most so many, with its unit for whoever reads it. */
export const atMost = (holds: string, max: number, found: number, unit = ''): Check =>
  check(
    `${holds}: at most ${max.toLocaleString('en-US')}${unit}`,
    found <= max,
    `${found.toLocaleString('en-US')}${unit}`,
  )

/** Whether something comes to be in time. */
export const happens = (ask: () => boolean | Promise<boolean>, options: UntilOptions): Promise<boolean> =>
  until(ask, options).then(
    () => true,
    () => false,
  )

/** A long flood: as long as bystanders were watched before it. */
const floodMs = 10_000

/** Once in a short run; in a long one again and again, so that bystanders have the time to notice it. */
export async function again(stand: Stand, round: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + stand.size(0, floodMs)
  do await round()
  while (performance.now() < end)
}

/** How many a second, of what went on since then (by performance.now()): of a flood that was held, how strong it was. */
export const rate = (count: number, since: number) =>
  `${Math.round((count * 1_000) / (performance.now() - since)).toLocaleString('en-US')} a second`

/** So many at once, and no more. @returns the answers in the order of the items */
export async function inBatches<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const answers: R[] = []
  for (let from = 0; from < items.length; from += atOnce)
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))))
  return answers
}
