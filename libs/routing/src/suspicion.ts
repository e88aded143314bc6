/**
 * "Something may have been lost since …", said once and not fifty times. What is suspected while a report is due or the
 * node is not settled is merged into one report with the earliest time, and between two reports lies a pause.
 */
import type { Clock } from './clock.ts'
import { joinMissed, type Missed, nobody } from './missed.ts'

export interface Suspicion {
  /** @param since by the clock of ages */
  raise(since: number, missed: Missed): void
  /** The node has become settled: what waited for that may go out. */
  settled(): void
  /** Whether a report is due. */
  isPending(): boolean
  stop(): void
}

export interface SuspicionOptions {
  readonly clock: Clock
  /** What comes within this time becomes one report. */
  readonly gatherMs: number
  /** The least time between two reports. */
  readonly pauseMs: number
  /** A random part of this is waited in addition. */
  readonly jitterMs: number
  readonly random: () => number
  /** Whether the local people are registered: only then does the node miss nothing from now on. */
  isSettled(): boolean
  report(since: number, missed: Missed): void
}

export function createSuspicion(options: SuspicionOptions): Suspicion {
  const { clock } = options
  let since: number | undefined
  let missed = nobody
  let callOff: (() => void) | undefined
  let reportedAt = Number.NEGATIVE_INFINITY
  let stopped = false

  function plan() {
    if (since === undefined || callOff !== undefined || stopped) return
    const due = Math.max(options.gatherMs, reportedAt + options.pauseMs - clock.steady())
    const wait = due + options.random() * options.jitterMs
    callOff = clock.after(wait, () => {
      callOff = undefined
      if (since === undefined || !options.isSettled()) return
      const [earliest, all] = [since, missed]
      since = undefined
      missed = nobody
      reportedAt = clock.steady()
      options.report(earliest, all)
    })
  }

  return {
    raise(at, of) {
      since = Math.min(since ?? at, at)
      missed = joinMissed(missed, of)
      plan()
    },
    settled: plan,
    isPending: () => since !== undefined,
    stop() {
      stopped = true
      callOff?.()
    },
  }
}
