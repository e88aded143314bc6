/**
 * A worker, put together: jobs, push, what happens at a time, the feed, upkeep. It keeps nothing that a restart would lose, and
 * any number of them work side by side: what one has claimed, the others leave alone. main.ts runs it as a process, the
 * standalone app inside its own.
 */
import { type ChatContext, feed, upkeep, upkeptTables } from '@flotilla/chat'
import type { Storage } from '@flotilla/files'
import type { Logger, Registry } from '@flotilla/service'
import { feedConsumers } from './feed-consumers.ts'
import { type JobSettings, startJobRunner } from './job-runner.ts'
import { startLoop } from './loop.ts'
import type { Mailer } from './mailer.ts'
import { createWorkerMetrics, measureQueues } from './metrics.ts'
import type { PushProvider } from './push-provider.ts'
import { type PushRunnerSettings, startPushRunner } from './push-runner.ts'
import { startTimedLoops, type TimedSettings } from './timed-loops.ts'

export interface WorkerOptions {
  /** The domain, joined to the nodes: what a worker does is heard like everything else. */
  readonly chat: ChatContext
  /** Undefined where no mail can be sent. */
  readonly mailer: Mailer | undefined
  readonly pushProviders: readonly PushProvider[]
  readonly storage: Pick<Storage, 'remove'>
  /** Of the deployment, as its people know it. */
  readonly publicName: string
  readonly logger: Logger
  readonly registry: Registry
  readonly random: () => number
  readonly settings?: Partial<WorkerSettings>
}

export interface WorkerSettings extends JobSettings, PushRunnerSettings, TimedSettings {
  readonly upkeepMs: number
  /** How long nobody else takes a part of the feed: longer than what a consumer does with its batches may take. */
  readonly feedLeaseMs: number
  /** What is under way at the end gets so long. */
  readonly stopMsMax: number
}

/** What one mail may take; well within a job's lease. */
export const mailMsMax = 60_000

export const workerDefaults: WorkerSettings = {
  jobsAtOnceMax: 10,
  jobAttemptsMax: 12,
  jobRetryMs: { first: 2_000, max: 15 * 60_000 },
  jobLeaseMs: 2 * 60_000,
  pushesInFlightMax: 50,
  pushPauseMs: { first: 1_000, max: 60_000 },
  pollMs: { busy: 200, idle: 1_000 },
  scheduledLeaseMs: 60_000,
  expireMs: 60_000,
  upkeepMs: 3_600_000,
  feedLeaseMs: 60_000,
  reactionsMs: 5_000,
  eraseMs: 60_000,
  stopMsMax: 20_000,
}

export interface Worker {
  /** Begins nothing more, waits for what is under way, and closes mail and push. */
  stop(): Promise<void>
}

/** Starts working at once. */
export function createWorker(options: WorkerOptions): Worker {
  const { chat, logger, mailer, pushProviders, random } = options
  const settings = { ...workerDefaults, ...options.settings }
  const metrics = createWorkerMetrics(options.registry)
  const shared = { ...options, settings, metrics }
  const stopping = new AbortController()

  if (mailer === undefined) logger.error('mail disabled: SMTP_URL is not set; mail jobs will be dead-lettered')
  if (pushProviders.length === 0) logger.warn('push disabled: neither FCM nor Web Push is configured')

  const jobRunner = startJobRunner(shared)
  const pushRunner = startPushRunner({ ...shared, providers: pushProviders })
  const consumptions = feedConsumers.map(consumer => ({
    consumer,
    ...feed.consume(chat, consumer, { leaseMs: settings.feedLeaseMs }),
  }))
  measureQueues(options.registry, chat, logger, {
    ...pushRunner,
    feedWaitsMs: () => Math.max(...consumptions.map(one => one.waitsMs())),
  })
  const loops = [
    ...startTimedLoops({ ...shared, signal: stopping.signal }),
    ...consumptions.map(({ consumer, turn }) =>
      startLoop({
        name: `feed ${consumer.name}`,
        logger,
        random,
        busyMs: settings.pollMs.busy,
        idleMs: settings.pollMs.idle,
        turn,
      }),
    ),
    startLoop({
      name: 'upkeep',
      logger,
      random,
      busyMs: settings.upkeepMs,
      idleMs: settings.upkeepMs,
      async turn() {
        const gone = await upkeep(chat, stopping.signal)
        for (const table of upkeptTables) metrics.cleaned(table, gone?.[table] ?? 0)
        return 'none'
      },
    }),
  ]

  async function end(): Promise<void> {
    stopping.abort()
    const { stopMsMax } = settings
    await Promise.all([jobRunner.stop(stopMsMax), pushRunner.stop(stopMsMax), ...loops.map(loop => loop.stop())])
    mailer?.close()
    await Promise.all(pushProviders.map(provider => provider.close()))
  }

  let ended: Promise<void> | undefined
  return { stop: () => (ended ??= end()) }
}
