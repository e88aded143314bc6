/** From the offline index to the devices: gathers what is due, and sends it, as much at once as there are slots. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ChatContext, push } from '@flotilla/chat'
import type { Logger } from '@flotilla/service'
import { createCircuits } from './circuits.ts'
import { startLoop, type Turn, turnOf } from './loop.ts'
import type { WorkerMetrics } from './metrics.ts'
import type { PushProvider } from './push-provider.ts'
import { createSlots } from './slots.ts'

export interface PushRunnerOptions {
  readonly chat: ChatContext
  readonly providers: readonly PushProvider[]
  readonly logger: Logger
  readonly metrics: WorkerMetrics
  readonly random: () => number
  readonly settings: PushRunnerSettings
}

export interface PushRunnerSettings {
  /** Pushes that one worker sends at once through one provider. */
  readonly pushesInFlightMax: number
  /** How long a service that fails again and again is left alone: doubled each time, up to the second one. */
  readonly pushPauseMs: { readonly first: number; readonly max: number }
  readonly pollMs: { readonly busy: number; readonly idle: number }
}

export interface PushRunner {
  /** Sends in flight, for metrics. */
  inFlight(): number
  /** Services that are left alone, for metrics. */
  paused(): number
  /** Begins nothing more; answers when what is in flight was answered and noted, at the latest after so long. */
  stop(withinMs: number): Promise<void>
}

const sweptAtOnceMax = 1_000
const preparedAtOnceMax = 200
/** What was sent is noted in spite of a store that is away for a moment: else it would be sent once more. */
const notePausesMs = [100, 500, 2_000, 5_000]

export function startPushRunner(options: PushRunnerOptions): PushRunner {
  const { chat, providers, logger, metrics, random, settings } = options
  const { busy: busyMs, idle: idleMs } = settings.pollMs
  const circuits = createCircuits(() => performance.now(), settings.pushPauseMs)
  const names = providers.map(provider => provider.name)

  async function gather(): Promise<Turn> {
    const swept = await push.sweep(chat, sweptAtOnceMax)
    const prepared = await push.prepare(chat, { max: preparedAtOnceMax, providers: names })
    if (swept === sweptAtOnceMax || prepared.looked === preparedAtOnceMax) return 'more'
    return swept + prepared.looked > 0 ? 'some' : 'none'
  }

  async function send(provider: PushProvider, delivery: push.Delivery): Promise<void> {
    const key = provider.circuitOf(delivery.target)
    circuits.sending(key)
    const startedAt = performance.now()
    const answer = await provider.send(delivery)
    circuits.noted(key, answer)
    metrics.push(provider.name, answer.answer)
    const { conversation, uptoSeq: seq } = delivery.content
    chat.trace?.(
      { conversation, seq },
      { name: 'push', startedAt, attributes: { 'flotilla.provider': provider.name, 'flotilla.answer': answer.answer } },
    )
    if (answer.answer === 'sent') metrics.pushed(provider.name, (chat.clock() - delivery.messageAt) / 1000)
    await note(options, delivery, answer)
  }

  /** Gives back what its service is spared. */
  async function putBack(delivery: push.Delivery, waitMs: number): Promise<void> {
    await push
      .putBack(chat, delivery, waitMs)
      .catch((error: unknown) => logger.warn({ err: error, push: delivery.id }, 'unable to release a push'))
  }

  function startSending(provider: PushProvider) {
    const slots = createSlots(settings.pushesInFlightMax)
    const whole = provider.circuit
    const turn = async (): Promise<Turn> => {
      await slots.whenFree(idleMs)
      const max = whole === undefined ? slots.free : circuits.allowed(whole, slots.free)
      if (max === 0) return 'none'
      const claimedAt = performance.now()
      const claimed = await push.claim(chat, { provider: provider.name, max })
      for (const state of claimed.unsent) metrics.push(provider.name, state)
      for (const delivery of claimed.deliveries) {
        const key = provider.circuitOf(delivery.target)
        // Sent later than that, it could still be under way when the claim ends.
        const isLate = performance.now() - claimedAt > chat.settings.pushSendMs
        if (!isLate && circuits.allowed(key, 1) > 0) slots.run(() => send(provider, delivery))
        else slots.run(() => putBack(delivery, circuits.pausedMs(key) + random() * idleMs))
      }
      return turnOf(claimed.looked, max)
    }
    return { slots, loop: startLoop({ name: `push ${provider.name}`, turn, logger, random, busyMs, idleMs }) }
  }

  const gathering = startLoop({ name: 'push', turn: gather, logger, random, busyMs, idleMs })
  const sending = providers.map(startSending)
  return {
    inFlight: () => sending.reduce((sum, { slots }) => sum + slots.taken, 0),
    paused: () => circuits.paused(),
    async stop(withinMs) {
      await Promise.all([gathering.stop(), ...sending.map(({ loop }) => loop.stop())])
      const drained = await Promise.all(sending.map(({ slots }) => slots.drained(withinMs)))
      if (drained.includes(false)) logger.warn('pushes still in flight')
    },
  }
}

async function note({ chat, logger, random }: PushRunnerOptions, delivery: push.Delivery, answer: push.Answer) {
  for (let attempt = 0; ; attempt++)
    try {
      const state = await push.answered(chat, delivery, answer, random())
      if (state === 'dead') logger.warn({ push: delivery.id, ...answer }, 'push dead-lettered')
      return
    } catch (error) {
      const pauseMs = notePausesMs[attempt]
      if (pauseMs === undefined) {
        logger.error({ err: error, push: delivery.id }, 'unable to record the outcome of a push')
        return
      }
      await sleep(pauseMs)
    }
}
