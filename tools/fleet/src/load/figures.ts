/** The figures of a load as they are judged and printed. */
import { Histogram, show, type Table, type Target } from '@flotilla/testing/load'
import { mostInASecond, spreadAroundMean, sumMaps } from './comings.ts'
import type { LoadCounts, Sample } from './load.ts'
import type { Judgement } from './store-program.ts'

/** What became of the connections of a load while something was done to its deployment. */
export interface Figures {
  readonly clients: number
  readonly seconds: number
  /** From the loss of a connection until the client was live again. */
  readonly gapMs: { readonly count: number; readonly p50: number; readonly p95: number; readonly max: number }
  /** The most in any second, as shares of all clients. */
  readonly leaveShareMax: number
  readonly returnShareMax: number
  readonly away: number
  readonly lost: readonly string[]
  readonly connections: Readonly<Record<string, number>>
  readonly messages: number
  readonly ackMs: { readonly p50: number; readonly p99: number }
  readonly loadShare: number
}

export function toFigures(counts: LoadCounts, seconds: number): Figures {
  const { comings, acks, acknowledged, loadShare } = counts
  const gaps = new Histogram(comings.gapMs)
  const returns = sumMaps([...comings.returns.values()])
  return {
    clients: comings.clients,
    seconds,
    gapMs: { count: gaps.total, p50: gaps.quantile(0.5), p95: gaps.quantile(0.95), max: comings.gapMsMax },
    leaveShareMax: mostInASecond(comings.leaves) / comings.clients,
    returnShareMax: mostInASecond(returns) / comings.clients,
    away: comings.away,
    lost: comings.lost,
    connections: Object.fromEntries([...comings.nodes].sort(([a], [b]) => a.localeCompare(b))),
    messages: acknowledged,
    ackMs: { p50: acks.quantile(0.5), p99: acks.quantile(0.99) },
    loadShare,
  }
}

/** `5,000`: counts have no decimals. */
export const count = (value: number) => value.toLocaleString('en-US')
const percent = (share: number) => `${(share * 100).toFixed(1)} %`
const ms = (value: number) => `${show(value)} ms`

// ── what is promised ─────────────────────────────────────────────────────────────────────────────────────────────────

export const nothingIsBroken = ({ records, violations, examples }: Judgement): Target => ({
  promise: 'the checker finds no violation',
  result: [`${violations} in ${count(records)} records`, ...examples].join('; '),
  met: violations === 0,
})

export const everybodyComesBack = ({ away, lost, clients }: Figures): Target => ({
  promise: 'every client comes back',
  result: [`${away} of ${count(clients)} away at the end, ${lost.length} for good`, ...lost.slice(0, 5)].join('; '),
  met: away === 0 && lost.length === 0,
})

/** Judged by those who leave as well as by those who return: clients that wait by chance hide a cut of all at once. */
export const fewReconnectAtOnce = ({ leaveShareMax, returnShareMax }: Figures, shareMax = 0.05): Target => ({
  promise: `at most ${percent(shareMax)} of the clients reconnect in a second`,
  result: `${percent(leaveShareMax)} left in the worst second, ${percent(returnShareMax)} returned`,
  met: Math.max(leaveShareMax, returnShareMax) <= shareMax,
})

export const gapsAreShort = ({ gapMs }: Figures, p95MsMax = 1_000): Target => ({
  promise: `a p95 of the gaps below ${ms(p95MsMax)}`,
  result: `${ms(gapMs.p95)} over ${count(gapMs.count)} gaps (p50 ${ms(gapMs.p50)}, longest ${ms(gapMs.max)})`,
  met: gapMs.count === 0 || gapMs.p95 < p95MsMax,
})

/** @param samples from the moment on from which the time counts */
export function connectionsAreEven(
  samples: readonly Sample[],
  gateways: readonly string[],
  secondsMax = 120,
  spreadMax = 0.25,
): Target {
  const spreads = samples.map(({ atMs, nodes }) => ({
    atMs,
    spread: spreadAroundMean(gateways.map(name => nodes.get(name) ?? 0)),
  }))
  // Even from then on, not for a moment.
  const lastUneven = spreads.findLastIndex(({ spread }) => spread > spreadMax)
  const even = spreads[lastUneven + 1]
  const seconds = even === undefined ? Infinity : (even.atMs - spreads[0]!.atMs) / 1_000
  const last = spreads.at(-1)
  return {
    promise: `connections within ${percent(spreadMax)} of the mean within ${secondsMax} s`,
    result:
      (Number.isFinite(seconds) ? `after ${show(seconds)} s` : 'not at the end') +
      `, at last ${last === undefined ? 'no sample' : percent(last.spread)} from it`,
    met: seconds <= secondsMax,
  }
}

export const figuresTable = (caption: string, figures: Figures): Table => ({
  caption,
  head: ['clients', 'gaps', 'gap p50 / p95 / longest, ms', 'most returns in a second', 'messages', 'ack p50 / p99, ms'],
  rows: [
    [
      count(figures.clients),
      count(figures.gapMs.count),
      `${show(figures.gapMs.p50)} / ${show(figures.gapMs.p95)} / ${show(figures.gapMs.max)}`,
      percent(figures.returnShareMax),
      count(figures.messages),
      `${show(figures.ackMs.p50)} / ${show(figures.ackMs.p99)}`,
    ],
  ],
})

export const connectionsTable = (caption: string, samples: readonly Sample[], everySeconds = 10): Table => {
  // What all pods of a Deployment begin with says nothing.
  const names = [...new Set(samples.flatMap(({ nodes }) => [...nodes.keys()]))].sort()
  const start = samples[0]?.atMs ?? 0
  const shown = samples.filter((_, nth) => nth % everySeconds === 0 || nth === samples.length - 1)
  return {
    caption,
    head: ['s', ...names.map(name => name.replace(/^.*-gateway-/, ''))],
    rows: shown.map(({ atMs, nodes }) => [
      String(Math.round((atMs - start) / 1_000)),
      ...names.map(name => String(nodes.get(name) ?? '')),
    ]),
  }
}
