/** A call in somebody's name: what is signed in with is asked for at each call and renewed once on a 401. */
import { asFlotillaError, FlotillaError } from '../flotilla-error.ts'
import type { Call, HttpRequest } from '../http.ts'

/**
 * The access token, whenever one is needed. With `expired` the last answer was refused: bring a new one, or throw a
 * FlotillaError that is not worth a retry (`refresh_invalid`, for example) when there will be none.
 */
export type GetToken = (why: { readonly expired: boolean }) => Promise<string>

export type Signed = <T>(method: string, path: string, request?: HttpRequest) => Promise<T>

/** Where a list goes on: `next` of one page is `after` of the one that follows it, and the last has none. */
export interface Page {
  /** Each list has its own default and maximum; more is refused with `field_invalid`. */
  readonly limit?: number
  readonly after?: string
}

export function createSigned(call: Call, getToken: GetToken): Signed {
  const tokenOf = async (expired: boolean) => {
    try {
      const token = await getToken({ expired })
      if (typeof token === 'string' && token !== '') return token
    } catch (thrown) {
      throw asFlotillaError(thrown, 'token_failed', 'get an access token')
    }
    throw new FlotillaError('token_failed', 'unable to get an access token: getToken brought none')
  }
  return async <T>(method: string, path: string, request: HttpRequest = {}): Promise<T> => {
    const token = await tokenOf(false)
    try {
      return await call<T>(method, path, { ...request, token })
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'unauthenticated') throw thrown
      return call<T>(method, path, { ...request, token: await tokenOf(true) })
    }
  }
}
