/** What happens at a time: scheduled messages, reminders, messages that disappear. Each is claimed, or done under a lock. */
import { type ChatContext, messages, push, scheduled } from '@flotilla/chat'
import type { Logger } from '@flotilla/service'
import { type Loop, startLoop, type Turn } from './loop.ts'
import type { WorkerMetrics } from './metrics.ts'

export interface TimedSettings {
  readonly pollMs: { readonly busy: number; readonly idle: number }
  /**
   * Between two looks for messages whose time is up. Readers hide them to the moment, so this is how late they are erased,
   * and the longer, the fewer entries tell of it.
   */
  readonly expireMs: number
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

const turnOf = (count: number, max: number): Turn => (count >= max ? 'more' : count > 0 ? 'some' : 'none')

export function startTimedLoops({ chat, logger, metrics, random, settings, signal }: TimedOptions): Loop[] {
  const { pollMs, expireMs } = settings
  const start = (name: string, busyMs: number, idleMs: number, turn: () => Promise<Turn>) =>
    startLoop({ name, logger, random, busyMs, idleMs, turn })
  return [
    start('scheduled messages', pollMs.busy, pollMs.idle, async () => {
      const outcomes = await scheduled.sendDue(chat, sentAtOnceMax)
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
  ]
}
