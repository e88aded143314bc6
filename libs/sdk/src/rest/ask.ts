/**
 * The one way in which the SDK calls the API: by a method and a path that libs/protocol declares. What goes along and what
 * comes back are typed by that declaration; of it nothing is left when the types are gone.
 */
import type { Needs, RestAnswer, RestInput, RestUrl } from '@flotilla/protocol'
import { asFlotillaError, FlotillaError, isRefused } from '../flotilla-error.ts'
import type { Call, HttpRequest } from '../http.ts'

/**
 * The access token, whenever one is needed. With `expired` the last answer was refused: bring a new one, or throw a
 * FlotillaError that is not worth a retry (`refresh_token_invalid`, for example) when there will be none.
 */
export type GetToken = (why: { readonly expired: boolean }) => Promise<string>

/** Where a list goes on: `next` of one page is `after` of the one that follows it, and the last has none. */
export interface Page {
  /** Each list has its own default and maximum; more is refused with `field_invalid`. */
  readonly limit?: number
  readonly after?: string
}

/** More pages of one list are not read. */
const pagesMax = 100

/**
 * All of a list.
 * @param limit the list's maximum, so that it takes few pages
 * @param countMax with so many items it is enough
 */
export async function whole<A extends { readonly next?: string }, T>(
  page: (page: Page) => Promise<A>,
  items: (answer: A) => readonly T[],
  { limit, countMax = Number.POSITIVE_INFINITY }: { readonly limit?: number; readonly countMax?: number } = {},
): Promise<{ readonly items: T[]; readonly isWhole: boolean }> {
  const all: T[] = []
  let after: string | undefined
  for (let nth = 0; nth < pagesMax && all.length < countMax; nth++) {
    const answer = await page({ ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) })
    all.push(...items(answer))
    after = answer.next
    if (after === undefined) break
  }
  return { items: all, isWhole: after === undefined }
}

type Url = RestUrl
export type QueryOf<At extends Url> = RestInput<At> extends { readonly query?: infer Query } ? Query : never
export type BodyOf<At extends Url> = RestInput<At> extends { readonly body?: infer Body } ? Body : never
/** What comes back: of a file its bytes. */
export type AnswerOf<At extends Url> = RestAnswer<At> extends { readonly content: object } ? Blob : RestAnswer<At>

type Input<At extends Url> = RestInput<At> & Pick<HttpRequest, 'file' | 'headers' | 'cookies' | 'token' | 'answer'>

/** A `Call` of the routes that take whoever fulfils `N`. */
export type Ask<N extends Needs = 'session' | 'reauthentication'> = <At extends RestUrl<N>>(
  at: At,
  ...input: Partial<Input<At>> extends Input<At> ? [input?: Input<At>] : [input: Input<At>]
) => Promise<AnswerOf<At>>

/** A call with an access token, which is renewed once on a 401. */
export function signedCall(call: Call, getToken: GetToken): Call {
  const tokenOf = async (expired: boolean) => {
    try {
      const token = await getToken({ expired })
      if (typeof token === 'string' && token !== '') return token
    } catch (thrown) {
      throw asFlotillaError(thrown, 'token_failed', 'get an access token')
    }
    throw new FlotillaError('token_failed', 'unable to get an access token: getToken brought none')
  }
  return async (at, request) => {
    const token = await tokenOf(false)
    try {
      return await call(at, { ...request, token })
    } catch (thrown) {
      if (!isRefused(thrown, 'unauthenticated')) throw thrown
      return call(at, { ...request, token: await tokenOf(true) })
    }
  }
}
