/** Waits for a condition, so that no test sleeps for a time that is right by luck. */
import { setTimeout as pause } from 'node:timers/promises'

export interface UntilOptions {
  /** What is waited for, for the error: `the node is ready`. */
  readonly what: string
  readonly withinMs?: number
  readonly everyMs?: number
}

/**
 * Asks again and again until the answer is neither undefined nor false.
 * @returns that answer
 * @throws Error when the time is over; its cause is the last error of `ask`, if that threw
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  options: UntilOptions,
): Promise<Exclude<T, undefined | false>> {
  const { what, withinMs = 10_000, everyMs = 10 } = options
  const deadline = performance.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      const reason = last instanceof Error ? `: ${last.message}` : ''
      throw new Error(`unable to wait any longer: not within ${withinMs} ms: ${what}${reason}`, { cause: last })
    }
    await pause(everyMs)
  }
}
