/** The tables that several scenarios print. Each figure is the median of the runs. */
import { perCent, show, showSpread, spreadOf, type Table } from '@flotilla/testing/load'
import type { Figures } from '../run.ts'

type Sides = Readonly<Record<string, readonly Figures[]>>

const median = (runs: readonly Figures[], read: (run: Figures) => number) => spreadOf(runs.map(read)).median

/** Of a run that read the counters of commits. */
export const entriesPerCommit = ({ counters }: Figures): number =>
  counters['commit_batch_entries_sum']! / counters['commit_seconds_count']!

/** Of a run that read the counters of entries and of publishes. */
export const publishesPerMessage = ({ counters }: Figures): number =>
  counters['routing_publishes_total']! / counters['commit_batch_entries_sum']!

/** How many, and how long it took. */
export function latencyTable(caption: string, sides: Sides): Table {
  return {
    caption,
    head: [
      '',
      'messages/s',
      'send to ack p50 / p99 / p99.9, ms',
      'send to delivery p50 / p99 / p99.9, ms',
      'load’s core',
    ],
    rows: Object.entries(sides).map(([name, runs]) => [
      name,
      showSpread(runs.map(run => run.messagesPerSecond)),
      quantiles(runs, 'ack'),
      quantiles(runs, 'delivery'),
      perCent(median(runs, run => run.loadShare)),
    ]),
  }
}

/** p50, p99 and p99.9. */
export function quantiles(runs: readonly Figures[], what: 'ack' | 'delivery'): string {
  if (runs[0]![what].count === 0) return 'none'
  return [median(runs, run => run[what].p50), median(runs, run => run[what].p99), median(runs, run => run[what].p999)]
    .map(show)
    .join(' / ')
}

/** CPU seconds per 1,000 messages, by process. */
export function cpuTable(caption: string, sides: Sides): Table {
  return {
    caption,
    head: ['', 'messages per CPU second', 'CPU s per 1,000 messages', 'by process'],
    rows: Object.entries(sides).map(([name, runs]) => [
      name,
      showSpread(runs.map(run => run.messagesPerCpuSecond)),
      showSpread(runs.map(run => run.cpuPerThousand)),
      Object.keys(runs[0]!.cpu)
        .map(process => `${process} ${show(median(runs, run => cpuPerThousandOf(run, process)))}`)
        .join(', '),
    ]),
  }
}

const cpuPerThousandOf = (run: Figures, process: string) =>
  (run.cpu[process]! / (run.messagesPerSecond * run.seconds)) * 1_000
