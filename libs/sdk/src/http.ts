/** One HTTP call to the API: JSON or a file in and out, a time-out, and every failure as a FlotillaError. */
import type { ErrorCode } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import { FlotillaError, readError, reasonOf } from './flotilla-error.ts'

/** A file, as it is sent. */
export type FileBytes = Blob | Uint8Array<ArrayBuffer>

/** As much of `fetch` as the SDK uses. */
export type Fetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string | FileBytes | FormData
    signal: AbortSignal
    credentials?: 'include' | 'same-origin'
  },
) => Promise<{
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
  blob(): Promise<Blob>
}>

export interface HttpOptions {
  /** Where the API is: `https://chat.example.org`. */
  readonly api: string
  readonly fetch: Fetch
  readonly clock: Clock
  readonly timeoutMs: number
  /** The time that a call with a file takes, at the most. */
  readonly fileTimeoutMs: number
}

export interface HttpRequest {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** What goes as JSON. */
  readonly body?: object
  /** What goes as it is, instead of JSON. */
  readonly file?: FileBytes | FormData
  /** What is asked for: JSON when left out. A refusal is JSON all the same. */
  readonly answer?: 'file'
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Whether cookies of the API's own site go with it, also to another origin. */
  readonly cookies?: boolean
}

/** @param at method and path, `GET /v1/users/{id}`, or the whole URL of a place for files elsewhere */
export type Call = <T>(at: string, request?: HttpRequest & Params) => Promise<T>
/** What stands in the path, by name. */
type Params = { readonly [name: string]: unknown }

/** What a status means when the body does not say: the answer of a proxy, for example. */
const codeOfStatus: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  404: 'route_unknown',
  408: 'request_timeout',
  413: 'frame_too_large',
  429: 'rate_limited',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
}

export function createCall(options: HttpOptions): Call {
  const base = baseOf(options.api)
  // Apart from its object, because the browser's own refuses to be called as a method of another one.
  const { fetch } = options
  return async <T>(at: string, request: HttpRequest & Params = {}): Promise<T> => {
    const filled = at.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(request[name] as string))
    const [method, path] = filled.split(' ') as [string, string]
    // Files may be kept on another host: that one is sent the file and nothing else.
    const elsewhere = /^https?:/.test(path)
    const url = elsewhere ? path : base + path + queryOf(request.query)
    const doing = elsewhere ? `${method} ${new URL(path).host}` : filled
    const isFile = request.file !== undefined || request.answer === 'file'
    const timeoutMs = isFile ? options.fileTimeoutMs : options.timeoutMs
    const abort = new AbortController()
    const cancel = options.clock.after(timeoutMs, () => abort.abort())
    try {
      const response = await fetch(url, {
        method,
        headers: elsewhere ? {} : headersOf(request),
        ...bodyOf(request),
        ...(request.cookies ? { credentials: 'include' as const } : {}),
        signal: abort.signal,
      })
      if (response.ok && request.answer === 'file') return (await response.blob()) as T
      const text = await response.text()
      const answer = parse(text)
      if (response.ok && text !== '' && answer === undefined)
        throw new FlotillaError('unreachable', `unable to ${doing}: what answers at ${base} is not the API`)
      if (response.ok) return answer as T
      throw refused(doing, response.status, response.headers.get('retry-after'), answer)
    } catch (thrown) {
      if (thrown instanceof FlotillaError) throw thrown
      if (abort.signal.aborted)
        throw new FlotillaError('timed_out', `unable to ${doing}: no answer within ${timeoutMs} ms`)
      const why = [reasonOf(thrown), ...whyHidden(url)].join('; ')
      throw new FlotillaError('unreachable', `unable to ${doing}: ${why}`, { cause: thrown })
    } finally {
      cancel()
    }
  }
}

/**
 * The URL before `/v1`, without a slash at its end.
 * @throws FlotillaError field_invalid, with the rule that is broken
 */
export function baseOf(api: string): string {
  const refuse = (rule: string) =>
    new FlotillaError('field_invalid', `unable to use ${JSON.stringify(api)} as api: ${rule}`, { field: 'api', rule })
  if (!URL.canParse(api)) throw refuse('it must be a whole URL, such as https://chat.example.org')
  if (!/^https?:\/\//i.test(api)) throw refuse('it must begin with https:// or http://')
  const plain = api.replace(/\/+$/, '')
  if (/[?#@\\%\s]|[^:]\/\/|\/\.{1,2}(\/|$)/.test(plain)) throw refuse('it must be an origin and at most a plain path')
  if (plain.endsWith('/v1')) throw refuse('leave out /v1')
  return plain
}

/** A browser keeps from scripts why a request failed. This is what can be known. */
function whyHidden(url: string): string[] {
  if (typeof navigator === 'undefined' || typeof location === 'undefined') return []
  if ('onLine' in navigator && !navigator.onLine) return ['this device is offline']
  const { origin, protocol, hostname } = new URL(url)
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (location.protocol === 'https:' && protocol === 'http:' && !isLocal) return ['a page of https cannot call http']
  const ways = [`nothing answers at ${origin}`, 'its certificate is not trusted']
  if (origin !== location.origin) ways.push(`it does not allow pages of ${location.origin} (its ALLOWED_ORIGINS)`)
  return [`the browser hides why: ${ways.join(', or ')}`]
}

function headersOf({ body, answer, token, headers }: HttpRequest): Record<string, string> {
  return {
    accept: answer === 'file' ? '*/*' : 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...headers,
  }
}

function bodyOf({ body, file }: HttpRequest): { body?: string | FileBytes | FormData } {
  if (file !== undefined) return { body: file }
  return body === undefined ? {} : { body: JSON.stringify(body) }
}

function queryOf(query: HttpRequest['query'] = {}): string {
  const pairs = Object.entries(query).filter(pair => pair[1] !== undefined)
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

function parse(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refused(doing: string, status: number, retryAfter: string | null, answer: unknown): FlotillaError {
  const seconds = Number(retryAfter)
  const retryMs = retryAfter !== null && Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : undefined
  const code = codeOfStatus[status] ?? 'internal'
  const fallback = new FlotillaError(code, `unable to ${doing}: status ${status}`, { retryMs })
  const body = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined
  return readError(body, fallback)
}
