/** What the people of a composed run ask the API, and what it refuses. */
import type { History } from '../history.ts'
import { steadyMs } from '../live-history.ts'
import type { ComposedStage } from './composed-stage.ts'

/** Longer than the longest fault of the API. */
const callMsMax = 14_000

export class RefusedError extends Error {
  readonly code: string
  constructor(code: string) {
    super(`refused: ${code}`)
    this.code = code
  }
}

export interface Caller {
  readonly user: string
  readonly session: string
}

/** Asks the API. @throws RefusedError, or anything when the answer is not known */
export type Call = (method: string, path: string, as: Caller, body?: object) => Promise<unknown>

export function createCall({ api, token }: Pick<ComposedStage, 'api' | 'token'>, history: History): Call {
  return async (method, path, as, body) => {
    const response = await fetch(`${api.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token(as.user, as.session)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(callMsMax),
    })
    const answer = JSON.parse((await response.text()) || 'null') as { error?: { code: string } } | null
    if (response.ok) return answer
    const code = answer?.error?.code ?? String(response.status)
    history.live({ kind: 'refused', what: `${method} ${path}`, code, atMs: steadyMs() })
    throw new RefusedError(code)
  }
}
