/** The frame of the scenarios: people connect and talk, something is done to the deployment, and what they noticed is judged. */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '@flotilla/testing'
import { type Figures, toFigures } from '../load/figures.ts'
import { type Load, type LoadCounts, type Sample, startLoad } from '../load/load.ts'
import type { Stand } from '../load/stand.ts'
import type { Judgement } from '../load/store-program.ts'

export interface Scale {
  readonly people: number
  readonly groupSize: number
  readonly messagesPerSecond: number
  readonly processes: number
  /** At which they come at the beginning. */
  readonly connectsPerSecond: number
  /** Of the clients, those who may reconnect in a second while gateways come and go in an orderly way. */
  readonly reconnectShareMax: number
}

export interface Found {
  readonly counts: LoadCounts
  readonly figures: Figures
  readonly samples: readonly Sample[]
  readonly judgement: Judgement
}

/** How long those who are away may take before they count as lost. */
const backWithinMs = 60_000
const settleWithinMs = 120_000
const warmMs = 3_000

export async function underLoad(
  stand: Stand,
  scale: Scale,
  name: string,
  act: (load: Load, samples: () => readonly Sample[]) => Promise<void>,
): Promise<Found> {
  const load = await openLoad(stand, scale, name)
  try {
    await load.connect(load.people, scale.connectsPerSecond)
    await load.talk(scale.messagesPerSecond)
    await pause(warmMs)
    await load.mark()
    const sampling = load.sample()
    const startedAt = performance.now()
    await act(load, sampling.samples)
    const counts = await everybodyIsBack(load)
    const seconds = (performance.now() - startedAt) / 1_000
    sampling.end()
    return {
      counts,
      figures: toFigures(counts, seconds),
      samples: sampling.samples(),
      judgement: await load.judge(settleWithinMs),
    }
  } finally {
    await load.stop()
  }
}

export const openLoad = (stand: Stand, scale: Pick<Scale, 'people' | 'groupSize' | 'processes'>, name: string) =>
  startLoad({ ...scale, name, store: stand.store, way: stand.way, launcher: stand.launcher })

/**
 * Waits as long as it may take.
 * @returns the counts at that moment, since a fleet that sheds may move somebody in the next; when it takes too long, those of
 *   then, and who is away is found in the figures
 */
export async function everybodyIsBack(load: Load): Promise<LoadCounts> {
  let counts = await load.counts()
  const isBack = async () => {
    counts = await load.counts()
    return counts.comings.away === 0
  }
  await until(isBack, { what: 'everybody is back', withinMs: backWithinMs, everyMs: 250 }).catch(() => {})
  return counts
}
