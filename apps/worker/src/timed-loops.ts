/**
 * What happens at a time: scheduled messages, reminders, messages that disappear, reactions that nobody was told of, accounts
 * to be erased. Each is claimed, or done under a lock.
 */
import { type ChatContext, lifecycle, messages, push, scheduled } from '@flotilla/chat'
import type { Logger } from '@flotilla/service'
import { type Loop, startLoop, type Turn, turnOf } from './loop.ts'
import type { WorkerMetrics } from './metrics.ts'

export interface TimedSettings {
  readonly pollMs: { readonly busy: number; readonly idle: number }
  /** How long nobody else takes a scheduled message: longer than a post may take. */
  readonly scheduledLeaseMs: number
  /**
   * Between two looks for messages whose time is up. Readers hide them to the moment, so this is how late they are erased,
   * and the longer, the fewer entries tell of it.
   */
  readonly expireMs: number
  /** Between two looks for reactions that a process which died has left untold. */
  readonly reactionsMs: number
  /** Between two looks for accounts whose time is up. */
  readonly eraseMs: number
}

export interface TimedOptions {
  readonly chat: ChatContext
  readonly logger: Logger
  readonly metrics: WorkerMetrics
  readonly random: () => number
  readonly settings: TimedSettings
  readonly signal: AbortSignal
}

const sentAtOnceMax = 50
const remindedAtOnceMax = 50
const conversationsAtOnceMax = 100
const erasedAtOnceMax = 20

export function startTimedLoops({ chat, logger, metrics, random, settings, signal }: TimedOptions): Loop[] {
  const { pollMs, scheduledLeaseMs, expireMs, reactionsMs, eraseMs } = settings
  const start = (name: string, busyMs: number, idleMs: number, turn: () => Promise<Turn>) =>
    startLoop({ name, logger, random, busyMs, idleMs, turn })
  return [
    start('scheduled messages', pollMs.busy, pollMs.idle, async () => {
      const outcomes = await scheduled.sendDue(chat, sentAtOnceMax, { leaseMs: scheduledLeaseMs })
      for (const outcome of outcomes) metrics.scheduled(outcome)
      return turnOf(outcomes.length, sentAtOnceMax)
    }),
    start('reminders', pollMs.busy, pollMs.idle, async () => {
      const due = await push.remindDue(chat, remindedAtOnceMax)
      metrics.reminded(due)
      return turnOf(due, remindedAtOnceMax)
    }),
    start('expiry', expireMs, expireMs, async () => {
      const expired = await messages.expireDue(chat, conversationsAtOnceMax, signal)
      metrics.expired(expired.messages)
      return expired.more ? 'more' : 'none'
    }),
    start('reactions', reactionsMs, reactionsMs, async () => ((await messages.tellOverdue(chat)) ? 'more' : 'none')),
    start('erasure', eraseMs, eraseMs, async () =>
      turnOf(await lifecycle.eraseDue(chat, erasedAtOnceMax), erasedAtOnceMax),
    ),
  ]
}
