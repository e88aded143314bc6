/**
 * Every error that a client can see, on the socket and over REST: one table, stable codes.
 * `retry` says whether the same request can succeed later without the caller changing it.
 */
interface ErrorRow {
  readonly http: number
  readonly retry: boolean
  readonly meaning: string
}

const table = {
  frame_malformed: {
    http: 400,
    retry: false,
    meaning: 'The frame is not a JSON object in valid UTF-8. The connection is closed.',
  },
  frame_too_large: { http: 413, retry: false, meaning: 'The frame or body is larger than the limit.' },
  op_unknown: { http: 400, retry: false, meaning: 'There is no operation of this name.' },
  field_invalid: {
    http: 400,
    retry: false,
    meaning: 'A field is missing, unknown, or breaks its rule. `field` and `rule` say which.',
  },
  data_too_deep: { http: 400, retry: false, meaning: 'The data of a message nests deeper than the limit.' },
  rate_limited: { http: 429, retry: true, meaning: 'Too many requests. `retryMs` says when to try again.' },
  overloaded: {
    http: 503,
    retry: true,
    meaning: 'A queue of the server is full. Nothing was stored. `retryMs` says when to try again.',
  },
  unavailable: {
    http: 503,
    retry: true,
    meaning:
      'The store does not answer. A send may be repeated with the same clientId without making a second message.',
  },
  internal: {
    http: 500,
    retry: true,
    meaning: 'The server failed in a way that it did not expect; the log has the cause.',
  },
  unauthenticated: { http: 401, retry: false, meaning: 'No valid access token came with the request.' },
  credentials_wrong: { http: 401, retry: false, meaning: 'The name and the password do not fit each other.' },
  refresh_invalid: {
    http: 401,
    retry: false,
    meaning: 'The refresh token is unknown, expired or revoked: sign in again.',
  },
  refresh_reused: {
    http: 401,
    retry: false,
    meaning: 'The refresh token had been used before. The session is ended: sign in again.',
  },
  username_taken: { http: 409, retry: false, meaning: 'Another person has this username.' },
  password_weak: {
    http: 400,
    retry: false,
    meaning: 'The password is too short, too long or among the commonest ones.',
  },
  user_unknown: { http: 404, retry: false, meaning: 'There is no person with this id or name.' },
  route_unknown: { http: 404, retry: false, meaning: 'There is no such URL.' },
  conversation_unknown: { http: 404, retry: false, meaning: 'There is no conversation with this id.' },
  message_unknown: {
    http: 404,
    retry: false,
    meaning: 'The message that was referred to does not exist in this conversation.',
  },
  not_a_member: { http: 403, retry: false, meaning: 'The caller is not a member of the conversation, or no longer.' },
  not_acquainted: {
    http: 403,
    retry: false,
    meaning: 'The caller shares no conversation with one of the people named.',
  },
  role_insufficient: { http: 403, retry: false, meaning: 'The role of the caller does not allow this.' },
  already_a_member: { http: 409, retry: false, meaning: 'One of the people named is a member already.' },
  conversation_full: { http: 409, retry: false, meaning: 'The group has as many members as it may have.' },
  direct_fixed: { http: 409, retry: false, meaning: 'The members of a direct conversation cannot be changed.' },
  last_owner: { http: 409, retry: false, meaning: 'A group needs an owner: hand the role on first.' },
  watch_full: { http: 409, retry: false, meaning: 'The connection watches as many people as it may.' },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof table

/** The error table: code → HTTP status, whether to retry, meaning. */
export const errors: Readonly<Record<ErrorCode, ErrorRow>> = table

/** What an error says on the wire, inside a reply, an `error` event or a REST answer. */
export interface ErrorBody {
  readonly code: ErrorCode
  readonly message: string
  /** The earliest time to try again, in milliseconds from now. Only with errors whose row says `retry`. */
  readonly retryMs?: number
  /** The field that is at fault, dotted: `body.text`. */
  readonly field?: string
  /** The rule that it breaks: `maxLength 8000`. */
  readonly rule?: string
}

/** The one error class that crosses a package border on purpose: a refusal with a code from the table. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ErrorCode
  readonly detail: { retryMs?: number; field?: string; rule?: string }

  constructor(code: ErrorCode, message: string = errors[code].meaning, detail: Refusal['detail'] = {}) {
    super(message)
    this.code = code
    this.detail = detail
  }

  /** The refusal as it is written on the wire. */
  toBody(): ErrorBody {
    return { code: this.code, message: this.message, ...this.detail }
  }
}
