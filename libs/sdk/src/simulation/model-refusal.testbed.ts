/** How the model says no. */
import type { ErrorCode } from '@flotilla/protocol'

export class ModelRefusal extends Error {
  readonly code: ErrorCode
  readonly retryMs: number | undefined

  constructor(code: ErrorCode, retryMs?: number) {
    super(code)
    this.code = code
    this.retryMs = retryMs
  }
}
