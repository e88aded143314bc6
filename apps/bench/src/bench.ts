/** What every scenario works with, and what it answers. */
import type { Table, Target } from '@flotilla/testing/load'
import type { Side } from './sides/side.ts'

export interface Bench {
  /** The measured time of a slice. */
  readonly seconds: number
  /** The time before the first one that does not count. */
  readonly warmSeconds: number
  /** Slices of each side; the sides take turns. */
  readonly runs: number
  /** A trial that everything works: small numbers, no figures worth keeping. */
  readonly short: boolean
  /** Servers run from their sources, without a build. */
  readonly fromSource: boolean
  readonly flotilla: Side
  /** Tells whoever waits how far it has come. */
  say(line: string): void
}

export interface Report {
  readonly targets: readonly Target[]
  readonly tables: readonly Table[]
  readonly notes: readonly string[]
  /** All that was measured, for those who want to work with it. */
  readonly raw: unknown
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** What is done, in a few sentences, for the page. */
  readonly about: string
  run(bench: Bench): Promise<Report>
}

/** Lets sides that cannot stand at the same time take turns, A B A B, each from a fresh start. */
export async function alternate<R, K extends string>(
  runs: number,
  sides: Readonly<Record<K, () => Promise<R>>>,
): Promise<Record<K, R[]>> {
  const names = Object.keys(sides) as K[]
  const results = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<K, R[]>
  for (let run = 0; run < runs; run++) for (const name of names) results[name].push(await sides[name]())
  return results
}

/** The ratio of each slice to the slice of the other side beside it. */
export function ratios<R>(of: readonly R[], to: readonly R[], read: (run: R) => number): number[] {
  return of.map((run, at) => read(run) / read(to[at]!))
}
