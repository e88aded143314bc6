/** A reconnect storm: everybody is cut at the same moment, but for a few, who should hardly notice. */
import { setTimeout as pause } from 'node:timers/promises'
import { show, type Target } from '@flotilla/testing/load'
import { aboveRate } from '../load/comings.ts'
import {
  connectionsTable,
  count,
  everybodyComesBack,
  type Figures,
  figuresTable,
  nothingIsBroken,
  toFigures,
} from '../load/figures.ts'
import type { Load, LoadCounts } from '../load/load.ts'
import type { Report } from '../load/report.ts'
import type { Stand } from '../load/stand.ts'
import { everybodyIsBack, openLoad, type Scale } from './under-load.ts'

export interface StormScale extends Scale {
  /** Who are not cut. They talk; those who are cut join in a little, so that they miss something. */
  readonly bystanders: number
  /** How long their messages are measured before the cut. */
  readonly quietSeconds: number
  /** By how much the p99 of their acknowledgements may grow; without it that is only shown: few messages have no p99. */
  readonly ackGrowthMax?: number
}

const backWithinSeconds = 60
const settleWithinMs = 120_000
/** The machines of clients are not those of the servers: where they must share one, the servers come first. */
const elsewhere = ['nice', '-n', '15']
/** Of the messages. */
const shareOfTheCut = 0.1

export async function storm(stand: Stand, scale: StormScale): Promise<Report> {
  const { groupSize, bystanders, people, processes } = scale
  // In a process of their own: the storm of the others must not stand in their way on this side.
  const few = await openLoad(stand, { people: bystanders, groupSize, processes: 1 }, 'bystander')
  const away = { ...stand, launcher: [...stand.launcher, ...elsewhere] }
  const many = await openLoad(away, { people, groupSize, processes }, 'cut').catch(async (error: unknown) => {
    await few.stop()
    throw error
  })
  try {
    return await cutAll(stand, scale, few, many)
  } finally {
    await Promise.all([few.stop(), many.stop()])
  }
}

async function cutAll(stand: Stand, scale: StormScale, few: Load, many: Load): Promise<Report> {
  await few.connect(few.people, scale.connectsPerSecond)
  await many.connect(many.people, scale.connectsPerSecond)
  await few.talk(scale.messagesPerSecond * (1 - shareOfTheCut))
  await many.talk(scale.messagesPerSecond * shareOfTheCut)
  await pause(3_000)
  await few.mark()
  await pause(scale.quietSeconds * 1_000)
  const quiet = toFigures(await few.counts(), scale.quietSeconds)
  await Promise.all([few.mark(), many.mark()])
  const sampling = many.sample()
  const startedAt = performance.now()
  await many.cut()
  const counts = await everybodyIsBack(many)
  const seconds = (performance.now() - startedAt) / 1_000
  sampling.end()
  const meanwhile = toFigures(await few.counts(), seconds)
  const figures = toFigures(counts, seconds)
  const judgements = [await few.judge(settleWithinMs), await many.judge(settleWithinMs)]
  return {
    name: 'storm',
    title: 'Reconnect storm',
    about: `${count(many.people)} clients on ${(await stand.gateways()).length} gateways are cut at the same moment. Before and meanwhile ${scale.messagesPerSecond} messages a second are sent, nearly all of them by ${few.people} others, who are not cut.`,
    targets: [
      ...judgements.map(nothingIsBroken),
      everybodyComesBack(figures),
      allBackInTime(figures),
      withinAdmission(counts, stand.admission),
      noneElseWasCut(meanwhile),
      ...(scale.ackGrowthMax === undefined ? [] : [messagesAreHeldUpLittle(quiet, meanwhile, scale.ackGrowthMax)]),
    ],
    tables: [
      figuresTable('Those who were cut', figures),
      figuresTable('The others, before', quiet),
      figuresTable('The others, until all were back', meanwhile),
      connectionsTable('Connections of those who were cut, by gateway', sampling.samples(), 2),
    ],
    raw: { figures, quiet, meanwhile, judgements },
  }
}

const allBackInTime = ({ gapMs, clients }: Figures): Target => ({
  promise: `all back within ${backWithinSeconds} s`,
  result: `${count(gapMs.count)} of ${count(clients)} came back, the last after ${show(gapMs.max / 1_000)} s`,
  met: gapMs.count >= clients && gapMs.max <= backWithinSeconds * 1_000,
})

function withinAdmission({ comings }: LoadCounts, admission: Stand['admission']): Target {
  const { connectsPerSecond, connectionsMax } = admission
  const rates = [...comings.returns].map(([node, steps]) => ({ node, above: aboveRate(steps, connectsPerSecond) }))
  const tooFast = rates.filter(({ above }) => above > 0)
  const tooFull = [...comings.nodes].filter(([, connections]) => connections > connectionsMax)
  const fullest = Math.max(0, ...comings.nodes.values())
  return {
    promise: `no gateway above its admission limits (${connectsPerSecond} a second, ${count(connectionsMax)} in all)`,
    result: [
      ...tooFast.map(({ node, above }) => `${node} took ${Math.ceil(above)} too many`),
      `at most ${count(fullest)} connections on one`,
    ].join('; '),
    met: tooFast.length === 0 && tooFull.length === 0,
  }
}

const noneElseWasCut = ({ gapMs, away }: Figures): Target => ({
  promise: 'nobody else loses a connection',
  result: `${gapMs.count + away} did`,
  met: gapMs.count + away === 0,
})

const messagesAreHeldUpLittle = (quiet: Figures, meanwhile: Figures, growthMax: number): Target => ({
  promise: `a p99 of the others’ acknowledgements of at most ${growthMax} times what it was`,
  result: `${show(quiet.ackMs.p99)} ms before, ${show(meanwhile.ackMs.p99)} ms meanwhile`,
  met: meanwhile.ackMs.p99 <= growthMax * quiet.ackMs.p99,
})
