/**
 * Loaded before the test files, those in a browser aside. CI runs on a shared machine that may stand still for seconds: there a
 * test whose wait ran out is tried once more, and the reporter names it; a wrong value or a broken promise fails at once.
 */
import { beforeEach } from 'vitest'

const outOfTime = /unable to wait any longer|[Tt]imed out|did not succeed in time|Timeout \d+ms exceeded/

/**
 * Whether a wait ran out, by what was thrown or what vitest made of it. `expect.poll` says so in the cause of its error alone,
 * where no pattern in vitest's settings looks.
 */
export function isOutOfTime(thrown: unknown): boolean {
  // Of what vitest makes nothing is inherited, not even from Object.
  if (typeof thrown !== 'object' || thrown === null) return false
  const { message, cause } = thrown as { readonly message?: unknown; readonly cause?: unknown }
  return outOfTime.test(String(message)) || isOutOfTime(cause)
}

beforeEach(({ task }) => {
  if (typeof task.retry === 'object') task.retry.condition = isOutOfTime
})
