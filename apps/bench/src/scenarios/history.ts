/** Pages of history as messages stand, from a store that is full. */
import { Histogram, show } from '@flotilla/testing/load'
import { type Ground, openBed } from '../bed.ts'
import type { Bench, Report, Scenario } from '../bench.ts'
import type { PageCounts } from '../load/pages.ts'
import { startLoad } from '../load/remote.ts'
import { loadCore, serverCore } from '../placement.ts'
import { untouched } from '../sides/filled.ts'
import { fillFlotilla } from '../sides/flotilla.ts'
import { type Defer, tidily } from '../tidy.ts'

const pageEntries = 200
const p95MsMax = 20
/** One whom nobody is in the way of, and so many that they use up the core. */
const readersAtOnce = [1, 4]

export const history: Scenario = {
  name: 'history',
  title: 'Pages of history',
  about:
    `Ten million messages in 50,000 conversations. ${readersAtOnce.join(' or ')} people at a time each read the ${pageEntries} latest entries of a conversation of theirs, ` +
    'of 10,000 by turns, over the socket, one page after the other. In each a tenth of the messages was edited, every sixth has reactions, and some are pinned. ' +
    'PostgreSQL, Redis and one gateway share a core.',
  run: bench => tidily(defer => run(bench, defer)),
}

async function run(bench: Bench, defer: Defer): Promise<Report> {
  const conversations = bench.short ? 100 : 50_000
  const readers = bench.short ? 50 : 10_000
  const bed = await openBed()
  defer(() => bed.close())
  const ground = await bed.open('history')
  defer(() => ground.close())
  await bench.flotilla.populate(ground, { people: conversations * 2, directs: conversations })
  const filledAt = performance.now()
  await fillFlotilla(ground, {
    conversations,
    messagesEach: pageEntries,
    standing: (conversation, seq) => (conversation < readers ? standingOf(seq) : untouched),
  })
  await addParts(ground, readers)
  bench.say(`  ${conversations * pageEntries} messages in ${Math.round((performance.now() - filledAt) / 1_000)} s`)
  await ground.checkpoint()
  const stand = await bench.flotilla.start(ground, { nodes: 1, core: serverCore })
  defer(() => stand.stop())
  const load = await startLoad('pages', { fleet: stand.fleet, readers, entries: pageEntries }, loadCore)
  defer(() => load.stop())
  await load.call('connect')
  const readings: Reading[] = []
  for (const atOnce of readersAtOnce) {
    await load.call('read', bench.warmSeconds, atOnce)
    const reading = readingOf(atOnce, await load.call('read', bench.seconds * bench.runs, atOnce))
    bench.say(`  ${atOnce} at a time: ${show(reading.pagesPerSecond)} pages/s, p95 ${show(reading.ms[1])} ms`)
    readings.push(reading)
  }
  return {
    targets: readings.map(({ atOnce, entriesEach, ms: [, p95] }) => ({
      promise: `a p95 of at most ${p95MsMax} ms for a page of ${pageEntries} entries, ${atOnce} at a time`,
      result: `${show(p95)} ms for ${show(entriesEach)} entries`,
      met: p95 <= p95MsMax && entriesEach === pageEntries,
    })),
    tables: [
      {
        caption: 'Pages',
        head: ['readers at a time', 'pages/s', 'entries a page', 'p50 / p95 / p99, ms'],
        rows: readings.map(({ atOnce, pagesPerSecond, entriesEach, ms }) => [
          `${atOnce}`,
          show(pagesPerSecond),
          show(entriesEach),
          ms.map(show).join(' / '),
        ]),
      },
    ],
    notes: [],
    raw: readings.map(({ raw }) => raw),
  }
}

interface Reading {
  readonly atOnce: number
  readonly pagesPerSecond: number
  readonly entriesEach: number
  /** p50, p95, p99. */
  readonly ms: readonly [number, number, number]
  readonly raw: PageCounts
}

function readingOf(atOnce: number, counts: PageCounts): Reading {
  const problems = (['closed', 'refused'] as const).flatMap(what =>
    counts[what] > 0 ? [`${counts[what]} ${what}`] : [],
  )
  if (problems.length > 0) throw new Error(`the pages do not count: ${problems.join(', ')}`)
  const readMs = new Histogram(counts.readMs)
  return {
    atOnce,
    pagesPerSecond: counts.pages / counts.seconds,
    entriesEach: counts.entries / counts.pages,
    ms: [readMs.quantile(0.5), readMs.quantile(0.95), readMs.quantile(0.99)],
    raw: counts,
  }
}

// What people have done with the messages: the rows alone, since an entry of each would take the place of a message.

const editedEach = 10
const pinnedEach = 20
const reactedEach = 6
/** Of `messages.parts`. */
const pinBit = 1
const reactionBit = 2

const standingOf = (seq: number) => ({
  edited: seq % editedEach === 0,
  parts: (seq % pinnedEach === 0 ? pinBit : 0) | (seq % reactedEach === 0 ? reactionBit : 0),
})

async function addParts(ground: Ground, conversations: number): Promise<void> {
  const messages = `FROM generate_series(0, $1::int - 1) n, generate_series(1, ${pageEntries}) s`
  await ground.query(
    `INSERT INTO pins (conversation_id, seq, pinned, changed_seq, changed_by)
     SELECT md5('direct-' || n)::uuid, s, true, ${pageEntries}, md5('user-' || 2 * n)::uuid ${messages} WHERE s % ${pinnedEach} = 0`,
    [conversations],
  )
  await ground.query(
    `INSERT INTO reactions (conversation_id, seq, user_id, emojis, version)
     SELECT md5('direct-' || n)::uuid, s, md5('user-' || 2 * n)::uuid, ARRAY['👍', '🎉'], 1 ${messages} WHERE s % ${reactedEach} = 0`,
    [conversations],
  )
  await ground.query(
    `INSERT INTO reaction_counts (conversation_id, seq, version, emojis, counts)
     SELECT md5('direct-' || n)::uuid, s, 1, ARRAY['👍', '🎉'], ARRAY[1, 1] ${messages} WHERE s % ${reactedEach} = 0`,
    [conversations],
  )
}
