/** Persist and acknowledge through one gateway, against the bare statement on the same PostgreSQL. */
import { chatDefaults } from '@flotilla/chat'
import { generateSecretKey } from '@flotilla/service'
import { perCent, show, showSpread, spreadOf } from '@flotilla/testing/load'
import { type Bed, openBed } from '../bed.ts'
import { alternate, type Bench, type Report, type Scenario } from '../bench.ts'
import type { BareCounts } from '../load/bare.ts'
import { startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import { type Figures, runDirect } from '../run.ts'
import { textLength } from '../sides/side.ts'
import { tidily } from '../tidy.ts'
import { entriesPerCommit, latencyTable } from './tables.ts'

const shareMin = 0.8
const people = 200
/** Enough to fill the batches: 200 times this much is under way. */
const inFlight = 8
const masterKeys = generateSecretKey('bench')
const plain = { connections: 4, batch: 200 }

export const persist: Scenario = {
  name: 'persist',
  title: 'Persist and acknowledge',
  about:
    `${people} connections to one gateway, each alone in a group of one with ${inFlight} messages in flight. Messages are encrypted, ` +
    'committed and acknowledged; there is nobody to deliver them to. PostgreSQL has core 1 to itself; the gateway, Redis ' +
    'and the load share core 0. The bare statement is the gateway’s own SQL with parameters prepared beforehand ' +
    `(batches of ${chatDefaults.commitEntriesMax}, encrypted bodies), sent from core 0 over one connection, one batch after the other.`,
  run: bench =>
    tidily(async defer => {
      const bed = await openBed(loadCore)
      defer(() => bed.close())
      const { gateway, bare } = await alternate<Figures | BareCounts, 'gateway' | 'bare'>(bench.runs, {
        gateway: () => runGateway(bench, bed),
        bare: () => runBare(bench, bed, async load => load.call('statement', bench.seconds, bench.warmSeconds)),
      })
      const unnest = await runBare(bench, bed, load =>
        load.call('unnest', bench.seconds, plain.connections, plain.batch),
      )
      return report(gateway as Figures[], bare as BareCounts[], unnest)
    }),
}

function runGateway(bench: Bench, bed: Bed): Promise<Figures> {
  return runDirect(bench, bed, bench.flotilla, {
    nodes: 1,
    connections: people,
    alone: true,
    told: false,
    receivers: 0,
    pace: { kind: 'closed', inFlight },
    population: { people, groups: { count: people, size: 1 } },
    counters: ['commit_seconds_count', 'commit_batch_entries_sum'],
    loadCore: serverCore,
  })
}

type BareLoad = Awaited<ReturnType<typeof startLoad<'bare'>>>

function runBare(bench: Bench, bed: Bed, work: (load: BareLoad) => Promise<BareCounts>): Promise<BareCounts> {
  return tidily(async defer => {
    const ground = await bed.open('bare')
    defer(() => ground.close())
    await bench.flotilla.populate(ground, { people, groups: { count: people, size: 1 } })
    await ground.checkpoint()
    const { databaseUrl } = ground
    const plan = { databaseUrl, masterKeys, people, batchEntries: chatDefaults.commitEntriesMax, textLength }
    const load = await startLoad('bare', plan, serverCore)
    defer(() => load.stop())
    const counts = await work(load)
    const [stored] = await ground.query<{ rows: number }>('SELECT count(*)::int AS rows FROM messages')
    const written = await load.call('rows')
    if (stored!.rows !== written)
      throw new Error(`the run of the bare statement does not count: ${stored!.rows} rows of ${written}`)
    bench.say(
      `  bare: ${Math.round(counts.rows / counts.seconds)} rows/s, load ${Math.round(counts.loadShare * 100)} %`,
    )
    return counts
  })
}

function report(gateway: Figures[], bare: BareCounts[], unnest: BareCounts): Report {
  const rateOf = (counts: BareCounts) => counts.rows / counts.seconds
  const shares = gateway.map((run, at) => run.messagesPerSecond / rateOf(bare[at]!))
  const busy = (run: Figures, name: string) => perCent(run.cpu[name]! / run.seconds)
  const batch = gateway.map(entriesPerCommit)
  const middle = gateway[gateway.length >> 1]!
  return {
    targets: [
      {
        promise: `at least ${perCent(shareMin)} of the rate of the bare statement`,
        result: `${showSpread(shares.map(share => share * 100))} %`,
        met: spreadOf(shares).median >= shareMin,
      },
    ],
    tables: [
      {
        caption: 'Rows a second',
        head: ['', 'rows/s', 'sender’s core'],
        rows: [
          [
            'through one gateway',
            showSpread(gateway.map(run => run.messagesPerSecond)),
            `load ${perCent(middle.loadShare)}, gateway ${busy(middle, 'gateway')}`,
          ],
          ['the bare statement', showSpread(bare.map(rateOf)), perCent(bare[0]!.loadShare)],
          [
            `plain rows, unnest of ${plain.batch} over ${plain.connections} connections`,
            show(rateOf(unnest)),
            perCent(unnest.loadShare),
          ],
        ],
      },
      latencyTable('Through one gateway', { Flotilla: gateway }),
    ],
    notes: [
      `A commit held ${showSpread(batch)} messages. PostgreSQL was busy for ${busy(middle, 'PostgreSQL')} of the time. ` +
        'The plain rows go into one table with one index, without partitions, versions, client ids or encrypted bodies: a ceiling, not a comparison.',
    ],
    raw: { gateway, bare, unnest },
  }
}
