/** A reconnect storm: how soon all are back, and what those notice who were not cut. */
import { Histogram, type Quantiles, quantilesOf, show } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import { startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import { textLength } from '../sides/side.ts'
import { type Defer, tidily } from '../tidy.ts'

const bystanders = 40
const bystanderMessagesPerSecond = 200
/** The defaults of a gateway: what an operator gets who turns nothing. */
const connectsPerSecond = 500
const policy = { baseMs: 500, maxMs: 30_000 }

export const storm: Scenario = {
  name: 'storm',
  title: 'Reconnect storm',
  about:
    '5,000 clients on two nodes are cut at the same moment and reconnect as the SDK does: full jitter, doubling from 0.5 s to 30 s, ' +
    `and never before the time the server names. A client is back when it has been greeted and has resumed from its cursor. Each node accepts ${connectsPerSecond} ` +
    `connections a second, its default. Meanwhile ${bystanders} bystanders, who are not cut, exchange ${bystanderMessagesPerSecond} messages a second across the nodes. ` +
    'The load signs the tickets itself: the storm on the API is not part of this.',
  run: bench => tidily(defer => run(bench, defer)),
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const clients = bench.short ? 300 : 5_000
  const side = bench.flotilla
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open(side.name)
  defer(() => ground.close())
  const people = bystanders + clients
  await side.populate(ground, { people, directs: people / 2 })
  await ground.checkpoint()
  const env = { CONNECTS_PER_SECOND: String(connectsPerSecond) }
  const stand = await side.start(ground, { nodes: 2, core: serverCore, env })
  defer(() => stand.stop())
  const { fleet } = stand
  const flow = await startLoad('direct', { fleet, connections: bystanders, alone: false, textLength }, loadCore)
  defer(() => flow.stop())
  const crowd = await startLoad('storm', { fleet, first: bystanders, clients, policy }, loadCore)
  defer(() => crowd.stop())
  await flow.call('connect')
  await crowd.call('connect')
  await flow.call('start', { kind: 'open', perSecond: bystanderMessagesPerSecond })
  await flow.call('window', bench.warmSeconds)
  const quiet = await flow.call('window', bench.seconds)
  await flow.call('beginWindow')
  const counts = await crowd.call('cutAll')
  const meanwhile = await flow.call('endWindow')
  const ending = await flow.call('finish')
  const problems = Object.entries(ending.violations).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  problems.push(...(await side.verify(ground, stand, ending, true)))
  if (counts.wrong > 0) problems.push(`${counts.wrong} clients resumed to something that was never written`)
  if (problems.length > 0) throw new Error(`the storm does not count: ${problems.join(', ')}`)
  const back = quantilesOf(new Histogram(counts.backMs))
  bench.say(
    `  all ${clients} back after ${counts.seconds.toFixed(1)} s, ${(counts.attempts / clients).toFixed(2)} attempts each`,
  )
  return report(clients, counts.seconds, counts.attempts, back, {
    'before the cut': quantilesOf(new Histogram(quiet.deliveryMs)),
    'until all were back': quantilesOf(new Histogram(meanwhile.deliveryMs)),
  })
}

function report(
  clients: number,
  seconds: number,
  attempts: number,
  back: Quantiles,
  bystander: Record<string, Quantiles>,
): Report {
  return {
    targets: [],
    tables: [
      {
        caption: `${clients.toLocaleString('en-US')} clients come back`,
        head: ['all back after', 'half back after', '99 % back after', 'attempts each'],
        rows: [
          [
            `${show(seconds)} s`,
            `${show(back.p50 / 1_000)} s`,
            `${show(back.p99 / 1_000)} s`,
            show(attempts / clients),
          ],
        ],
      },
      {
        caption: 'Messages of the bystanders, send to delivery',
        head: ['', 'messages', 'p50, ms', 'p99, ms', 'p99.9, ms'],
        rows: Object.entries(bystander).map(([when, { count, p50, p99, p999 }]) => [
          when,
          count.toLocaleString('en-US'),
          show(p50),
          show(p99),
          show(p999),
        ]),
      },
    ],
    notes: [],
    raw: { seconds, attempts, back, bystander },
  }
}
