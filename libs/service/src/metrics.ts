/**
 * Metrics of one process for Prometheus. They are declared: a name, a type, a unit, labels, a sentence. What a process
 * exports is made from the declarations, and so is docs/metrics.md.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type Metric as Exported, Registry } from 'prom-client'

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

/** A histogram of one label at the most, kept in plain fields. */
export interface Tally {
  /** @param of the value of the label */
  observe(value: number, of?: string): void
  /** How many were observed, by the value of the label. */
  counts(): ReadonlyMap<string, number>
}

export interface Instruments<C extends Catalogue> {
  /** @param atScrape adds what was counted elsewhere */
  counter(name: Named<C, 'counter'>, atScrape?: (made: Counter) => void): Counter
  histogram(name: Named<C, 'histogram'>): Histogram
  /**
   * For what happens thousands of times a second: prom-client finds a series by a text of its labels, and a bucket by another,
   * each time anew. A command costs a gateway 0.07 µs by it instead of 0.75.
   */
  tally(name: Named<C, 'histogram'>): Tally
  /** Has the figure read when Prometheus asks, so that keeping it costs no more than a field. */
  read(name: Named<C, 'counter' | 'gauge'>, read: () => Reading | Promise<Reading>): void
}

/**
 * How often the event loop is looked at. At prom-client's 10 ms that was a quarter of what a gateway at rest takes of a core, 21
 * ms a second beside 16; from 100 ms on, where it matters, a lag is found all the same.
 */
const eventLoopLookMs = 50

/** A registry with the process's own figures (memory, CPU, event loop) already in it. */
export function createRegistry(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopLookMs })
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
    counter(name, atScrape) {
      const collect = atScrape === undefined ? {} : { collect: () => atScrape(made) }
      const made: Counter = new Counter({ ...optionsOf(name), ...collect })
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
    tally: name => openTally(registry, name, declared(name)),
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

function openTally(registry: Registry, name: string, { help, labels, buckets }: Metric): Tally {
  const [label] = Object.keys(labels)
  const series = new Map<string, { readonly within: number[]; sum: number; count: number }>()
  const begin = (of: string) => {
    const made = { within: buckets.map(() => 0), sum: 0, count: 0 }
    series.set(of, made)
    return made
  }
  if (label === undefined) begin('')
  else for (const known of everySeries(labels, seriesAtOnceMax.histogram)) begin(known[label]!)
  const linesOf = ([of, { within, sum, count }]: [string, ReturnType<typeof begin>]) => {
    const own = label === undefined ? {} : { [label]: of }
    let below = 0
    const upTo = buckets.map((le, at) => ({ le, value: (below += within[at]!) }))
    return [
      ...[...upTo, { le: '+Inf', value: count }].map(({ le, value }) => ({
        metricName: `${name}_bucket`,
        labels: { le, ...own },
        value,
      })),
      { metricName: `${name}_sum`, labels: own, value: sum },
      { metricName: `${name}_count`, labels: own, value: count },
    ]
  }
  const type = 'histogram'
  // Of a metric the registry asks no more than that; its type wants a class of prom-client.
  registry.registerMetric({
    name,
    get: async () => ({ name, help, type, values: [...series].flatMap(linesOf) }),
  } as unknown as Exported)
  return {
    observe(value, of = '') {
      const one = series.get(of) ?? begin(of)
      one.sum += value
      one.count++
      // What is above the last is in the count alone.
      let at = 0
      while (at < buckets.length && value > buckets[at]!) at++
      if (at < buckets.length) one.within[at]!++
    },
    counts: () => new Map([...series].map(([of, { count }]) => [of, count])),
  }
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
