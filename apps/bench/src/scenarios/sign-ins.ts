/** A burst of sign-ins, and what those notice who are talking. */
import { Histogram, type Quantiles, quantilesOf, show } from '@flotilla/testing/load'
import { openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import { startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import { textLength } from '../sides/side.ts'
import { apiPassword, populatePasswords, startApi } from '../sides/flotilla.ts'
import { type Defer, tidily } from '../tidy.ts'

const talkers = 40
const messagesPerSecond = 200
const p99MsMax = 100

export const signIns: Scenario = {
  name: 'sign-ins',
  title: 'A burst of sign-ins',
  about:
    '2,000 people sign in by name and password at the same moment, through one API that shares its core with two gateways, ' +
    'PostgreSQL and Redis. Those who are told to come back (503) do so after the time named plus a random part of it. Meanwhile ' +
    `${talkers} others exchange ${messagesPerSecond} messages a second across the gateways. Passwords are hashed by argon2id at its production cost.`,
  run: bench => tidily(defer => run(bench, defer)),
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const people = bench.short ? 60 : 2_000
  const side = bench.flotilla
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open(side.name)
  defer(() => ground.close())
  await side.populate(ground, { people: talkers + people, directs: talkers / 2 })
  await populatePasswords(ground)
  await ground.checkpoint()
  const stand = await side.start(ground, { nodes: 2, core: serverCore })
  defer(() => stand.stop())
  const api = await startApi(ground, { core: serverCore, fromSource: bench.fromSource })
  defer(() => api.stop())
  const flow = await startLoad(
    'direct',
    { fleet: stand.fleet, connections: talkers, alone: false, textLength },
    loadCore,
  )
  defer(() => flow.stop())
  const plan = { url: api.url, first: talkers, people, password: apiPassword }
  const crowd = await startLoad('signIns', plan, loadCore)
  defer(() => crowd.stop())
  await flow.call('connect')
  await flow.call('start', { kind: 'open', perSecond: messagesPerSecond })
  await flow.call('window', bench.warmSeconds)
  const quiet = await flow.call('window', bench.seconds)
  await flow.call('beginWindow')
  const counts = await crowd.call('burst')
  const meanwhile = await flow.call('endWindow')
  const ending = await flow.call('finish')
  const problems = Object.entries(ending.violations).flatMap(([name, count]) => (count > 0 ? [`${count} ${name}`] : []))
  problems.push(...(await side.verify(ground, stand, ending, true)))
  if (counts.wrong > 0) problems.push(`${counts.wrong} sign-ins failed: ${counts.example}`)
  if (problems.length > 0) throw new Error(`the burst does not count: ${problems.join(', ')}`)
  bench.say(
    `  all ${people} in after ${counts.seconds.toFixed(1)} s, ${(counts.attempts / people).toFixed(2)} attempts each`,
  )
  return report(people, counts.seconds, counts.attempts, quantilesOf(new Histogram(counts.inMs)), {
    'before the burst': quantilesOf(new Histogram(quiet.deliveryMs)),
    'until all were in': quantilesOf(new Histogram(meanwhile.deliveryMs)),
  })
}

function report(
  people: number,
  seconds: number,
  attempts: number,
  inside: Quantiles,
  talk: Readonly<Record<'before the burst' | 'until all were in', Quantiles>>,
): Report {
  const p99 = talk['until all were in'].p99
  return {
    targets: [
      {
        promise: `${people.toLocaleString('en-US')} sign-ins at once, and a p99 from send to delivery below ${p99MsMax} ms for the others`,
        result: `${show(p99)} ms`,
        met: p99 < p99MsMax,
      },
    ],
    tables: [
      {
        caption: `${people.toLocaleString('en-US')} people sign in`,
        head: ['all in after', 'half in after', '99 % in after', 'sign-ins/s', 'attempts each'],
        rows: [
          [
            `${show(seconds)} s`,
            `${show(inside.p50 / 1_000)} s`,
            `${show(inside.p99 / 1_000)} s`,
            show(people / seconds),
            show(attempts / people),
          ],
        ],
      },
      {
        caption: 'Messages of the others, send to delivery',
        head: ['', 'messages', 'p50, ms', 'p99, ms', 'p99.9, ms'],
        rows: Object.entries(talk).map(([when, { count, p50, p99: slow, p999 }]) => [
          when,
          count.toLocaleString('en-US'),
          show(p50),
          show(slow),
          show(p999),
        ]),
      },
    ],
    notes: [],
    raw: { seconds, attempts, inside, talk },
  }
}
