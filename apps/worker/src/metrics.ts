/** The figures of a worker, beside those of every process. docs/metrics.md is made from the declarations. */
import { type ChatContext, feed, jobs, offline, push, scheduled, type Upkept, upkeptTables } from '@flotilla/chat'
import { counter, gauge, histogram, type Logger, openMetrics, readTogether, type Registry } from '@flotilla/service'
import { feedConsumers } from './feed-consumers.ts'

export interface WorkerMetrics {
  job(kind: jobs.JobKind, outcome: (typeof jobOutcomes)[number]): void
  push(provider: push.Provider, outcome: (typeof pushOutcomes)[number]): void
  /** A push was taken so long after its first message was written. */
  pushed(provider: push.Provider, seconds: number): void
  cleaned(table: keyof Upkept, rows: number): void
  scheduled(outcome: scheduled.ScheduledOutcome): void
  reminded(reminders: number): void
  /** So many messages had had their time. */
  expired(messages: number): void
}

/** What a person waits for, and what a service that was away makes them wait. */
const pushBucketsSeconds = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3_600]

const kinds: readonly jobs.JobKind[] = [
  'mail',
  'delete-files',
  'mention-all',
  'thread-reply',
  'tell-poll',
  'close-poll',
  'hand-on',
  'nothing',
]
const providers: readonly push.Provider[] = ['fcm', 'webpush']
const jobOutcomes = ['done', 'failed', 'dead'] as const
const consumers = feedConsumers.map(({ name }) => name)
const timed = ['scheduled', 'reminders', 'expiring'] as const
const pushOutcomes = ['sent', 'gone', 'refused', 'later', 'unclear', 'skipped', 'dead'] as const

/** Of the whole store: every worker says the same, so take one of them and not the sum. */
const ofTheStore = 'in the whole store'

export const workerMetrics = {
  flotilla_jobs_total: counter(
    'attempts',
    'Job attempts: `failed` is retried, `dead` is not; `nothing` stands in for a mail',
    { kind: kinds, outcome: jobOutcomes },
  ),
  flotilla_jobs_waiting: gauge('jobs', `Jobs waiting or running, ${ofTheStore}`, { kind: kinds }),
  flotilla_jobs_late_seconds: gauge('seconds', `Lateness of the longest-overdue job, ${ofTheStore}`),
  flotilla_jobs_dead: gauge('jobs', `Dead-lettered jobs, ${ofTheStore}`),
  flotilla_pushes_total: counter(
    'attempts',
    'Push attempts by the service’s answer; `skipped` was no longer needed, `dead` had no attempts left',
    { provider: providers, outcome: pushOutcomes },
  ),
  flotilla_push_seconds: histogram(
    'seconds',
    pushBucketsSeconds,
    'Time from the first message that a push announces to its acceptance by the service',
    { provider: providers },
  ),
  flotilla_pushes_waiting: gauge('pushes', `Pushes waiting for an answer, ${ofTheStore}`, { provider: providers }),
  flotilla_pushes_late_seconds: gauge('seconds', `Lateness of the longest-overdue push, ${ofTheStore}`),
  flotilla_pushes_in_flight: gauge('pushes', 'Pushes sent by this worker and not yet answered'),
  flotilla_push_services_paused: gauge('services', 'Push services that this worker has paused'),
  flotilla_upkeep_rows_total: counter('rows', 'Expired rows deleted', {
    table: upkeptTables,
  }),
  flotilla_scheduled_total: counter(
    'attempts',
    'Attempts to send a scheduled message: `later` is retried, `failed` was refused and its sender told',
    { outcome: scheduled.scheduledOutcomes },
  ),
  flotilla_reminders_total: counter('reminders', 'Reminders that came due'),
  flotilla_expired_total: counter('messages', 'Disappearing messages erased'),
  flotilla_timed_late_seconds: gauge(
    'seconds',
    `Lateness of what is longest overdue, ${ofTheStore}: scheduled messages, reminders, messages to be erased`,
    { what: timed },
  ),
  flotilla_feed_lag_entries: gauge(
    'entries',
    `Entries that a feed consumer has yet to read, ${ofTheStore}; approximate when far behind`,
    { consumer: consumers },
  ),
  flotilla_feed_lag_seconds: gauge(
    'seconds',
    `Age of the first entry that a feed consumer has yet to read, ${ofTheStore}`,
    { consumer: consumers },
  ),
  flotilla_feed_waits_seconds: gauge(
    'seconds',
    'How long the feed in this worker has been waiting for transactions that were open when an entry was written',
  ),
  flotilla_offline_messages: gauge(
    'entries',
    `Messages waiting for people who are offline, ${ofTheStore}; counted up to 10,000, above that the planner’s estimate`,
  ),
} as const

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const metrics = openMetrics(registry, workerMetrics)
  const jobsDone = metrics.counter('flotilla_jobs_total')
  const pushes = metrics.counter('flotilla_pushes_total')
  const latency = metrics.histogram('flotilla_push_seconds')
  const cleaned = metrics.counter('flotilla_upkeep_rows_total')
  const scheduledSent = metrics.counter('flotilla_scheduled_total')
  const reminded = metrics.counter('flotilla_reminders_total')
  const expired = metrics.counter('flotilla_expired_total')
  return {
    job: (kind, outcome) => jobsDone.inc({ kind, outcome }),
    push: (provider, outcome) => pushes.inc({ provider, outcome }),
    pushed: (provider, seconds) => latency.observe({ provider }, Math.max(0, seconds)),
    cleaned: (table, rows) => cleaned.inc({ table }, rows),
    scheduled: outcome => scheduledSent.inc({ outcome }),
    reminded: reminders => reminded.inc(reminders),
    expired: messages => expired.inc(messages),
  }
}

/** What waits in the store, asked for when Prometheus asks. A store that is away leaves the figures as they were. */
export function measureQueues(
  registry: Registry,
  chat: ChatContext,
  logger: Logger,
  readings: {
    readonly inFlight: () => number
    readonly paused: () => number
    readonly feedWaitsMs: () => number
  },
): void {
  const { read } = openMetrics(registry, workerMetrics)
  const orNothing = <T>(asked: Promise<T>): Promise<T | undefined> =>
    asked.catch((error: unknown) => {
      logger.debug({ err: error }, 'unable to read queue lengths')
      return undefined
    })
  const ofJobs = readTogether(() => orNothing(jobs.figures(chat)))
  const ofPushes = readTogether(() => orNothing(push.figures(chat)))
  const ofFeed = readTogether(() => orNothing(feed.figures(chat)))
  const byConsumer = (lags: readonly feed.FeedFigures[] | undefined, figure: (lag: feed.FeedFigures) => number) =>
    withZeros(consumers, lags && Object.fromEntries(lags.map(lag => [lag.consumer, figure(lag)])))
  const inSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000)
  read('flotilla_jobs_waiting', async () => withZeros(kinds, (await ofJobs())?.waiting))
  read('flotilla_jobs_late_seconds', async () => inSeconds((await ofJobs())?.lateMs))
  read('flotilla_jobs_dead', async () => (await ofJobs())?.dead)
  read('flotilla_pushes_waiting', async () => withZeros(providers, (await ofPushes())?.waiting))
  read('flotilla_pushes_late_seconds', async () => inSeconds((await ofPushes())?.lateMs))
  read('flotilla_pushes_in_flight', readings.inFlight)
  read('flotilla_push_services_paused', readings.paused)
  read('flotilla_feed_lag_entries', async () => byConsumer(await ofFeed(), lag => lag.entries))
  read('flotilla_feed_lag_seconds', async () => byConsumer(await ofFeed(), lag => lag.lateMs / 1_000))
  read('flotilla_feed_waits_seconds', () => readings.feedWaitsMs() / 1_000)
  const ofTimed = readTogether(() => orNothing(scheduled.timedFigures(chat)))
  read('flotilla_timed_late_seconds', async () => {
    const late = (await ofTimed())?.lateMs
    return late && Object.fromEntries(timed.map(what => [what, late[what] / 1_000]))
  })
  read('flotilla_offline_messages', () => orNothing(offline.owedToAll(chat)))
}

/** What nothing waits of is told as 0, not left out. */
function withZeros(names: readonly string[], waiting: Readonly<Record<string, number>> | undefined) {
  if (waiting === undefined) return undefined
  return { ...Object.fromEntries(names.map(name => [name, 0])), ...waiting }
}
