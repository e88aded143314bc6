/** Whether the number of gateways followed the number of connections, by what was seen every second. */
import { show, type Target } from '@flotilla/testing/load'
import type { ChartPanel } from './chart.ts'
import { count } from './figures.ts'

export interface ScalingSample {
  readonly atMs: number
  /** Gateways that are wanted: the replicas of the Deployment. */
  readonly wanted: number
  /** Connections of each gateway; `ending` has been told to go, and only `ready` ones count for the autoscaler. */
  readonly gateways: readonly {
    readonly name: string
    readonly ready: boolean
    readonly ending: boolean
    readonly connections: number
  }[]
  /** What the autoscaler compares with its target, as it says itself: connections of a gateway on average. */
  readonly metric: number | undefined
}

export interface ScalingRules {
  readonly connectionsPerGateway: number
  readonly min: number
  readonly max: number
  readonly downWindowSeconds: number
  readonly downPeriodSeconds: number
}

/** The autoscaler lets this much pass before it does anything. */
const tolerance = 0.1
const upSecondsMax = 60
/** It looks every 15 s, and the window begins with a look. */
const downSlackSeconds = 45

const connectionsOf = (sample: ScalingSample) => sample.gateways.reduce((sum, { connections }) => sum + connections, 0)
const staying = (sample: ScalingSample) => sample.gateways.filter(({ ready, ending }) => ready && !ending)

/** How many gateways so many connections need at least. */
function needed(connections: number, { connectionsPerGateway, min, max }: ScalingRules): number {
  const many = Math.ceil(connections / (connectionsPerGateway * (1 + tolerance)))
  return Math.min(max, Math.max(min, many))
}

/** For each number of gateways that was needed: how long after that they were ready. */
export function followsUp(samples: readonly ScalingSample[], rules: ScalingRules): Target {
  const steps: { gateways: number; seconds: number }[] = []
  for (let gateways = rules.min + 1; gateways <= rules.max; gateways++) {
    const due = samples.find(sample => needed(connectionsOf(sample), rules) >= gateways)
    if (due === undefined) break
    const done = samples.find(sample => sample.atMs >= due.atMs && staying(sample).length >= gateways)
    steps.push({ gateways, seconds: done === undefined ? Infinity : (done.atMs - due.atMs) / 1_000 })
  }
  return {
    promise: `scales up within ${upSecondsMax} s`,
    result:
      steps
        .map(({ gateways, seconds }) =>
          Number.isFinite(seconds) ? `${gateways} after ${show(seconds)} s` : `never ${gateways}`,
        )
        .join(', ') || 'more were never needed',
    met: steps.length > 0 && steps.every(({ seconds }) => seconds <= upSecondsMax),
  }
}

/** @param fallenAtMs when the last connection of those who left was gone */
export function followsDown(samples: readonly ScalingSample[], rules: ScalingRules, fallenAtMs: number): Target {
  const after = samples.filter(({ atMs }) => atMs >= fallenAtMs)
  const most = Math.max(0, ...samples.map(sample => staying(sample).length))
  const goal = needed(connectionsOf(after[0] ?? samples[0]!), rules)
  const steps = most - goal
  const secondsMax = rules.downWindowSeconds + (steps - 1) * rules.downPeriodSeconds + downSlackSeconds
  const done = after.find(({ wanted }) => wanted <= goal)
  const seconds = done === undefined ? Infinity : (done.atMs - fallenAtMs) / 1_000
  return {
    promise: `scales down after its window of ${rules.downWindowSeconds} s, by one gateway in ${rules.downPeriodSeconds} s`,
    result: Number.isFinite(seconds)
      ? `from ${most} to ${goal} after ${show(seconds)} s`
      : `never from ${most} to ${goal} in ${show(((after.at(-1)?.atMs ?? fallenAtMs) - fallenAtMs) / 1_000)} s`,
    met: steps > 0 && seconds <= secondsMax,
  }
}

/** Gateways write down how full they are now and then only: so much may lie between two that count as equal. */
const equal = { share: 0.1, connections: 5 }

/** Each gateway that was told to go had hardly more connections than the emptiest one that stayed. */
export function emptiestGoesFirst(samples: readonly ScalingSample[]): Target {
  const goings: { name: string; connections: number; emptiest: number }[] = []
  for (const [nth, sample] of samples.entries()) {
    const before = samples[nth - 1]
    if (before === undefined) continue
    const leaving = sample.gateways.filter(
      ({ name, ending }) => ending && before.gateways.some(one => one.name === name && !one.ending),
    )
    const names = new Set(leaving.map(({ name }) => name))
    const others = staying(before).filter(({ name }) => !names.has(name))
    for (const { name } of leaving) {
      const { connections } = before.gateways.find(one => one.name === name)!
      goings.push({ name, connections, emptiest: Math.min(...others.map(one => one.connections)) })
    }
  }
  return {
    promise: 'the emptiest gateway goes first',
    result:
      goings
        .map(
          one => `one with ${count(one.connections)} connections, when the emptiest other had ${count(one.emptiest)}`,
        )
        .join('; ') || 'none went',
    met:
      goings.length > 0 && goings.every(one => one.connections <= one.emptiest * (1 + equal.share) + equal.connections),
  }
}

const colors = { connections: '#2e5fa3', target: '#b48ead', ready: '#2f8f5b', wanted: '#d08770' }

export function scalingPanels(samples: readonly ScalingSample[], rules: ScalingRules): ChartPanel[] {
  const start = samples[0]?.atMs ?? 0
  const over = (read: (sample: ScalingSample) => number | undefined) =>
    samples.flatMap(sample => {
      const value = read(sample)
      return value === undefined ? [] : [[(sample.atMs - start) / 1_000, value] as const]
    })
  return [
    {
      title: 'Connections',
      lines: [{ label: 'all gateways', color: colors.connections, points: over(connectionsOf) }],
    },
    {
      title: 'Connections of a gateway, on average',
      lines: [
        {
          label: 'as the autoscaler sees it',
          color: colors.connections,
          stepped: true,
          points: over(one => one.metric),
        },
        { label: 'target', color: colors.target, dashed: true, points: over(() => rules.connectionsPerGateway) },
      ],
    },
    {
      title: 'Gateways',
      lines: [
        { label: 'wanted', color: colors.wanted, stepped: true, dashed: true, points: over(one => one.wanted) },
        { label: 'ready', color: colors.ready, stepped: true, points: over(one => staying(one).length) },
      ],
    },
  ]
}

/** The same as CSV, for those who draw themselves. */
export function scalingCsv(samples: readonly ScalingSample[]): string {
  const start = samples[0]?.atMs ?? 0
  const rows = samples.map(sample =>
    [
      ((sample.atMs - start) / 1_000).toFixed(1),
      connectionsOf(sample),
      sample.metric ?? '',
      sample.wanted,
      staying(sample).length,
      sample.gateways.filter(({ ending }) => ending).length,
    ].join(','),
  )
  return `${['seconds,connections,metric,wanted,ready,ending', ...rows].join('\n')}\n`
}
