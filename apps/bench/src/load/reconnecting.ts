/** Comes back after a cut as clients do: full jitter, doubled at each failure, and the server's advice above it. */
import { Closed, type FlotillaMessenger } from './flotilla-messenger.ts'

export interface ReconnectPolicy {
  readonly baseMs: number
  readonly maxMs: number
}

/** @returns how many attempts it took. @throws Error when the server says not to come back */
export async function comeBack(
  messenger: FlotillaMessenger,
  policy: ReconnectPolicy,
  firstWaitMs?: number,
): Promise<number> {
  for (let attempt = 1, failures = 0; ; attempt++) {
    const jitterMs = Math.random() * Math.min(policy.maxMs, policy.baseMs * 2 ** failures)
    await new Promise(resolve =>
      setTimeout(resolve, attempt === 1 && firstWaitMs !== undefined ? firstWaitMs : jitterMs),
    )
    try {
      await messenger.connect()
      return attempt
    } catch (error) {
      if (!(error instanceof Closed) || error.advice === 'never') throw error
      failures++
      if (error.retryMs > 0) await new Promise(resolve => setTimeout(resolve, error.retryMs))
    }
  }
}
