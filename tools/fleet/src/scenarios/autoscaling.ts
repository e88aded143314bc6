/** Connections rise and fall again, and the number of gateways follows. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Table } from '@flotilla/testing/load'
import { renderChart } from '../load/chart.ts'
import type { ClusterStand } from '../load/cluster-stand.ts'
import { count, everybodyComesBack, figuresTable, gapsAreShort, nothingIsBroken, toFigures } from '../load/figures.ts'
import type { Load } from '../load/load.ts'
import { type Report, reportsFolder } from '../load/report.ts'
import {
  emptiestGoesFirst,
  followsDown,
  followsUp,
  type ScalingRules,
  type ScalingSample,
  scalingCsv,
  scalingPanels,
} from '../load/scaling.ts'
import { everybodyIsBack, openLoad, type Scale } from './under-load.ts'

export interface AutoscalingScale extends Scale {
  /** Of the people, those who are there before the rise and after the fall. */
  readonly few: number
  readonly rules: ScalingRules
  /** How long the others take to come, and to go. */
  readonly rampSeconds: number
  /** How long everything stays as it is after the rise. */
  readonly holdSeconds: number
  /** How long the fall is watched. */
  readonly fallSeconds: number
}

const sampleMs = 1_000
const settleWithinMs = 120_000

export async function autoscaling(stand: ClusterStand, scale: AutoscalingScale): Promise<Report> {
  const { people, few, rules, messagesPerSecond, connectsPerSecond } = scale
  const rampPerSecond = (people - few) / scale.rampSeconds
  await stand.scale(rules.min)
  await stand.autoscale(rules)
  const load = await openLoad(stand, scale, 'autoscaling')
  const samples: ScalingSample[] = []
  try {
    await load.connect(few, connectsPerSecond)
    await load.talk(messagesPerSecond)
    await load.mark()
    const endWatching = watch(stand, load, samples)
    const startedAt = performance.now()
    await pause(10_000)
    await load.connect(people, rampPerSecond)
    await load.talk(messagesPerSecond)
    await pause(scale.holdSeconds * 1_000)
    await load.leave(few, rampPerSecond)
    const fallenAtMs = Date.now()
    await load.talk(messagesPerSecond)
    await fallen(samples, rules, scale.fallSeconds)
    await endWatching()
    const figures = toFigures(await everybodyIsBack(load), (performance.now() - startedAt) / 1_000)
    const judgement = await load.judge(settleWithinMs)
    keepChart(samples, rules)
    return {
      name: 'autoscaling',
      title: 'Autoscaling by connections',
      about: `${count(few)} clients become ${count(people)} in ${scale.rampSeconds} s, stay for ${scale.holdSeconds} s, and become ${count(few)} again. The autoscaler aims at ${count(rules.connectionsPerGateway)} connections a gateway, from ${rules.min} to ${rules.max} of them.`,
      targets: [
        followsUp(samples, rules),
        followsDown(samples, rules, fallenAtMs),
        emptiestGoesFirst(samples),
        nothingIsBroken(judgement),
        everybodyComesBack(figures),
        gapsAreShort(figures),
      ],
      tables: [scalingTable(samples), figuresTable('Of those who were moved', figures)],
      raw: { figures, judgement, samples },
    }
  } finally {
    await load.stop()
  }
}

/** Looks at everything once a second until the answer is called. */
function watch(stand: ClusterStand, load: Load, samples: ScalingSample[]): () => Promise<void> {
  const ending = new AbortController()
  const watching = (async () => {
    while (!ending.signal.aborted) {
      const startedAt = performance.now()
      samples.push(await stand.scaling(await load.nodes()))
      await pause(Math.max(0, sampleMs - (performance.now() - startedAt)))
    }
  })()
  return async () => {
    ending.abort()
    await watching
  }
}

/** Waits until the fewest gateways are left and none of the others is ending any more. */
async function fallen(samples: readonly ScalingSample[], rules: ScalingRules, withinSeconds: number): Promise<void> {
  const deadline = performance.now() + withinSeconds * 1_000
  const isOver = () => {
    const last = samples.at(-1)
    return last !== undefined && last.wanted === rules.min && last.gateways.length === rules.min
  }
  while (!isOver() && performance.now() < deadline) await pause(sampleMs)
}

/** Draws what was seen; docs/images has the picture of a long run. */
function keepChart(samples: readonly ScalingSample[], rules: ScalingRules): void {
  mkdirSync(reportsFolder, { recursive: true })
  const title = 'Connections, and the number of gateways that follows them'
  writeFileSync(join(reportsFolder, 'autoscaling.svg'), renderChart(title, scalingPanels(samples, rules)))
  writeFileSync(join(reportsFolder, 'autoscaling.csv'), scalingCsv(samples))
}

/** A line whenever the number of gateways changes. */
function scalingTable(samples: readonly ScalingSample[]): Table {
  const start = samples[0]?.atMs ?? 0
  const shape = ({ wanted, gateways }: ScalingSample) =>
    [
      wanted,
      gateways.filter(one => one.ready && !one.ending).length,
      gateways.filter(one => one.ending).length,
    ] as const
  const changes = samples.filter((sample, nth) => {
    const before = samples[nth - 1]
    return before === undefined || shape(before).join() !== shape(sample).join()
  })
  return {
    caption: 'Gateways over time',
    head: ['s', 'connections', 'on average, as the autoscaler sees it', 'wanted', 'ready', 'ending'],
    rows: changes.map(sample => [
      String(Math.round((sample.atMs - start) / 1_000)),
      count(sample.gateways.reduce((sum, { connections }) => sum + connections, 0)),
      sample.metric === undefined ? '' : count(Math.round(sample.metric)),
      ...shape(sample).map(String),
    ]),
  }
}
