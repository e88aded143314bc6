/** Direct messages for half an hour, at half of what the servers can do: whether anything grows. */
import { perCent, show, type Table } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import { serverCore } from '../placement.ts'
import { type Figures, openDirect, pairsOf, runSaturated } from '../run.ts'
import { type Defer, tidily } from '../tidy.ts'
import type { Weight } from '../weigh.ts'

const growthMax = 1.1
const slices = { count: 15, seconds: 120 }

export const soak: Scenario = {
  name: 'soak',
  title: 'Half an hour at half load',
  about:
    'The pairs and the work of `direct`, at half the rate that one in flight on each connection reached just before, ' +
    'arriving at random. PostgreSQL vacuums by itself, as it does in production. Every two minutes the flow is held for a few ' +
    'seconds and the memory of the servers is weighed after a garbage collection. The first third is compared with the last.',
  run: bench => tidily(defer => run(bench, defer)),
}

/** A stretch of the flow, and what the servers held after it. */
interface Stretch {
  readonly figures: Figures
  readonly weight: Weight
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const bed = await openBed(serverCore, { autovacuum: 'on' })
  defer(() => bed.close())
  const options = pairsOf(bench)
  const most = await runSaturated(bench, bed, options)
  const perSecond = Math.round(most.messagesPerSecond / 2)
  const measured = await openDirect(
    bed,
    bench.flotilla,
    { ...options, weighed: true, pace: { kind: 'open', perSecond } },
    defer,
  )
  await measured.warm(bench.warmSeconds)
  const { count, seconds } = bench.short ? { count: 3, seconds: bench.seconds } : slices
  const weights: Weight[] = []
  for (let nth = 0; nth < count; nth++) {
    await measured.measure(seconds)
    weights.push(await measured.weigh())
    bench.say(`  ${nth + 1} of ${count}: ${weights.at(-1)!.processes.map(megabytes).join(' and ')} MB`)
  }
  const figures = await measured.finish()
  return report(
    figures.map((one, at) => ({ figures: one, weight: weights[at]! })),
    perSecond,
  )
}

const megabytes = (bytes: number) => show(bytes / 1e6)

function report(stretches: readonly Stretch[], perSecond: number): Report {
  const third = Math.ceil(stretches.length / 3)
  const growth = (read: (stretch: Stretch) => number) => {
    const mean = (some: readonly Stretch[]) => some.reduce((sum, one) => sum + read(one), 0) / some.length
    return mean(stretches.slice(-third)) / mean(stretches.slice(0, third))
  }
  const target = (what: string, found: number) => ({
    promise: `${what} in the last third at most ${growthMax} times that in the first`,
    result: show(found),
    met: found <= growthMax,
  })
  const nodes = stretches[0]!.weight.processes.map((_, at) => at)
  return {
    targets: [
      ...nodes.map(at =>
        target(
          `the memory of gateway ${at + 1}`,
          growth(({ weight }) => weight.processes[at]!),
        ),
      ),
      target(
        'the memory of Redis',
        growth(({ weight }) => weight.redis),
      ),
      target(
        'the CPU time of a message',
        growth(({ figures }) => figures.cpuPerThousand),
      ),
    ],
    tables: [tableOf(stretches)],
    notes: [`${perSecond.toLocaleString('en-US')} messages a second were due.`],
    raw: stretches,
  }
}

const tableOf = (stretches: readonly Stretch[]): Table => ({
  caption: 'By stretches',
  head: [
    'after, s',
    'messages/s',
    'send to delivery p50 / p99 / p99.9, ms',
    'CPU s per 1,000 messages',
    'MB of the gateways',
    'MB of Redis',
    'load’s core',
  ],
  rows: stretches.map(({ figures, weight }, at) => [
    show(stretches.slice(0, at + 1).reduce((sum, one) => sum + one.figures.seconds, 0)),
    show(figures.messagesPerSecond),
    [figures.delivery.p50, figures.delivery.p99, figures.delivery.p999].map(show).join(' / '),
    show(figures.cpuPerThousand),
    weight.processes.map(megabytes).join(' / '),
    megabytes(weight.redis),
    perCent(figures.loadShare),
  ]),
})
