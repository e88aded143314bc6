/** The one error class of the SDK: the server's code, or one of the few that arise on this side of the network. */
import { type ErrorBody, type ErrorCode, errors } from '@flotilla/protocol'

const clientErrors = {
  /** The connection went away before the answer came. Whether the server acted is not known. */
  disconnected: { retry: true },
  /** No answer within the time. Whether the server acted is not known. */
  timed_out: { retry: true },
  /** `getToken` failed, or brought nothing. */
  token_failed: { retry: true },
  /** The request never reached a server of Flotilla. */
  unreachable: { retry: true },
  /** A queue of this device is full. */
  queue_full: { retry: true },
  /** The client has not been started, or has been stopped. */
  stopped: { retry: false },
  /** The outbox holds as many unsent messages as it may. */
  outbox_full: { retry: false },
  /** The device's own store failed. */
  store_failed: { retry: false },
  /** The browser brought no passkey: the person did not want to, or it cannot. */
  passkey_failed: { retry: false },
} as const

export type FlotillaErrorCode = ErrorCode | keyof typeof clientErrors

export interface FlotillaErrorDetail {
  /** The earliest time to try again, in milliseconds from now. */
  readonly retryMs?: number | undefined
  /** The field at fault, dotted: `body.text`. */
  readonly field?: string | undefined
  /** The rule that it breaks: `maxLength 8000`. */
  readonly rule?: string | undefined
  /** When it ends, in milliseconds since 1970: with `account_suspended`, unless permanent. */
  readonly until?: number | undefined
  readonly cause?: unknown
}

export class FlotillaError extends Error {
  override readonly name = 'FlotillaError'
  readonly code: FlotillaErrorCode
  readonly retryMs: number | undefined
  readonly field: string | undefined
  readonly rule: string | undefined
  readonly until: number | undefined

  constructor(code: FlotillaErrorCode, message: string, detail: FlotillaErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.retryMs = detail.retryMs
    this.field = detail.field
    this.rule = detail.rule
    this.until = detail.until
  }

  /** Whether the same request can succeed later without being changed. A newer server's code says so by `retryMs`. */
  get retry(): boolean {
    const row =
      this.code in errors ? errors[this.code as ErrorCode] : clientErrors[this.code as keyof typeof clientErrors]
    return row?.retry ?? this.retryMs !== undefined
  }
}

/** Reads an error as the server writes it. What is not one becomes `fallback`. */
export function readError(body: unknown, fallback: FlotillaError): FlotillaError {
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string') return fallback
  const { code, message, retryMs, field, rule, until } = body as ErrorBody
  return new FlotillaError(code, message ?? code, { retryMs: retryMs ?? fallback.retryMs, field, rule, until })
}

export function isRefused(thrown: unknown, ...codes: FlotillaErrorCode[]): thrown is FlotillaError {
  return thrown instanceof FlotillaError && codes.includes(thrown.code)
}

/** Whatever was thrown, as an error of this SDK. */
export function asFlotillaError(thrown: unknown, code: FlotillaErrorCode, doing: string): FlotillaError {
  if (thrown instanceof FlotillaError) return thrown
  return new FlotillaError(code, `unable to ${doing}: ${reasonOf(thrown)}`, { cause: thrown })
}

/** Causes of causes that are worth telling. */
const causesMax = 5

/** What was thrown and what caused it: `fetch failed: connect ECONNREFUSED 127.0.0.1:8080`. */
export function reasonOf(thrown: unknown): string {
  const said = new Set<string>()
  let error = thrown
  for (let depth = 0; error !== undefined && error !== null && depth < causesMax; depth++) {
    const { message, code, cause, errors: tries } = Object(error) as Partial<AggregateError & { code: string }>
    said.add(message || (code ?? (error as string)))
    // Several addresses were tried: the first says enough.
    error = cause ?? tries?.[0]
  }
  return [...said].join(': ')
}
