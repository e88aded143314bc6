/**
 * Metrics of one process for Prometheus. They are declared: a name, a type, a unit, labels, a sentence. What a process
 * exports is made from the declarations, and so is docs/metrics.md.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Histogram, Registry }

/** Bounds for what a person waits for: from a quarter of a millisecond to ten seconds. */
export const latencyBucketsSeconds = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** By label: every value that it can have or, where only a deployment knows them, a sentence on what bounds them. */
export type Labels = Readonly<Record<string, readonly string[] | string>>

/** One declared metric. `T` is its type, so that nothing is counted on a gauge. */
export interface Metric<T extends 'counter' | 'gauge' | 'histogram' = 'counter' | 'gauge' | 'histogram'> {
  readonly type: T
  readonly unit: string
  readonly help: string
  readonly labels: Labels
  readonly buckets: readonly number[]
}

/** By full name, as Prometheus has it: counters end in `_total`, units come last. */
export type Catalogue = Readonly<Record<`flotilla_${string}`, Metric>>

export const counter = (unit: string, help: string, labels: Labels = {}): Metric<'counter'> => ({
  type: 'counter',
  unit,
  help,
  labels,
  buckets: [],
})
export const gauge = (unit: string, help: string, labels: Labels = {}): Metric<'gauge'> => ({
  type: 'gauge',
  unit,
  help,
  labels,
  buckets: [],
})
export const histogram = (
  unit: string,
  buckets: readonly number[],
  help: string,
  labels: Labels = {},
): Metric<'histogram'> => ({ type: 'histogram', unit, help, labels, buckets })

type Named<C extends Catalogue, T extends Metric['type']> = {
  [N in keyof C]: C[N] extends Metric<T> ? N : never
}[keyof C] &
  string

/** A figure; with one label, a figure for each of its values; undefined leaves what was read before. */
export type Reading = number | Readonly<Record<string, number>> | undefined

export interface Instruments<C extends Catalogue> {
  counter(name: Named<C, 'counter'>): Counter
  histogram(name: Named<C, 'histogram'>): Histogram
  /** Has the figure read when Prometheus asks, so that keeping it costs no more than a field. */
  read(name: Named<C, 'counter' | 'gauge'>, read: () => Reading | Promise<Reading>): void
}

/** A registry with the process's own figures (memory, CPU, event loop) already in it. */
export function createRegistry(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  collectDefaultMetrics({ register: registry })
  // Gauges that are named like counters. Others of prom-client say the same, by type.
  for (const name of ['resources', 'handles', 'requests']) registry.removeSingleMetric(`nodejs_active_${name}_total`)
  return registry
}

/** Opens the declared metrics on a registry, each when it is first asked for. */
export function openMetrics<const C extends Catalogue>(registry: Registry, catalogue: C): Instruments<C> {
  const declared = (name: string): Metric => (catalogue as Catalogue)[name as keyof Catalogue]!
  const optionsOf = (name: string) => {
    const { help, labels } = declared(name)
    return { name, help, labelNames: Object.keys(labels), registers: [registry] }
  }
  return {
    counter(name) {
      const made = new Counter(optionsOf(name))
      // A series that begins at its first event hides it: what rises from nothing has no rate.
      for (const labels of everySeries(declared(name).labels, seriesAtOnceMax.counter)) made.inc(labels, 0)
      return made
    },
    histogram(name) {
      const { labels, buckets } = declared(name)
      const made = new Histogram({ ...optionsOf(name), buckets: [...buckets] })
      for (const series of everySeries(labels, seriesAtOnceMax.histogram)) made.zero(series)
      return made
    },
    read(name, read) {
      const [label = ''] = Object.keys(declared(name).labels)
      if (declared(name).type === 'gauge') {
        const made: Gauge = new Gauge({
          ...optionsOf(name),
          collect: () => take(read(), label, made, (labels, value) => made.set(labels, value)),
        })
      } else {
        const made: Counter = new Counter({
          ...optionsOf(name),
          collect: () => take(read(), label, made, (labels, value) => made.inc(labels, value)),
        })
      }
    },
  }
}

function take(
  reading: Reading | Promise<Reading>,
  label: string,
  made: { reset(): void },
  put: (labels: Record<string, string>, value: number) => void,
): Promise<void> | void {
  if (reading instanceof Promise) return reading.then(read => take(read, label, made, put))
  if (reading === undefined) return
  made.reset()
  if (typeof reading === 'number') put({}, reading)
  else for (const [value, figure] of Object.entries(reading)) put({ [label]: value }, figure)
}

const seriesAtOnceMax = { counter: 64, histogram: 4 }

/** Every combination of the labels' values, unless they are not known or are too many to be there from the start. */
function everySeries(labels: Labels, max: number): Record<string, string>[] {
  let series: Record<string, string>[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    if (typeof values === 'string' || series.length * values.length > max) return []
    series = series.flatMap(one => values.map(value => ({ ...one, [label]: value })))
  }
  return Object.keys(labels).length === 0 ? [] : series
}

/** For figures that are found together: whoever asks within one scrape gets the same answer. */
export function readTogether<T>(read: () => T): () => T {
  let held: { readonly answer: T } | undefined
  return () => {
    if (held === undefined) {
      held = { answer: read() }
      setImmediate(() => (held = undefined))
    }
    return held.answer
  }
}

const valuesShownMax = 12

/** The rows of docs/metrics.md for one process. */
export function describeMetrics(catalogue: Catalogue): string {
  const shown = (values: readonly string[] | string) => {
    if (typeof values === 'string') return values
    const more = values.length - valuesShownMax
    const named = values.slice(0, more > 1 ? valuesShownMax : values.length).map(value => `\`${value}\``)
    return more > 1 ? `${named.join(', ')} and ${more} more` : named.join(', ')
  }
  const rows = Object.entries(catalogue).map(([name, { type, unit, labels, help }]) => {
    const listed = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${shown(values)}`)
    return `| \`${name}\` | ${type} | ${unit} | ${listed.join('; ')} | ${help} |`
  })
  return ['| metric | type | unit | labels | what it tells |', '|---|---|---|---|---|', ...rows].join('\n')
}
