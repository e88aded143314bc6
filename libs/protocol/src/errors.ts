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
  frame_too_large: {
    http: 413,
    retry: false,
    meaning: 'The frame, the body, or the URL with the headers is larger than the limit.',
  },
  op_unknown: { http: 400, retry: false, meaning: 'There is no operation of this name.' },
  field_invalid: {
    http: 400,
    retry: false,
    meaning: 'A field is missing, unknown, or breaks its rule. `field` and `rule` say which.',
  },
  data_too_deep: { http: 400, retry: false, meaning: 'The data of a message nests deeper than the limit.' },
  rate_limited: { http: 429, retry: true, meaning: 'Too many requests. `retryMs` says when to try again.' },
  quota_exceeded: {
    http: 429,
    retry: true,
    meaning:
      'The caller has stored as much as one may in a day. `rule` says how much, `retryMs` when there is room again.',
  },
  request_timeout: {
    http: 408,
    retry: true,
    meaning: 'The request did not arrive in time. The connection is closed.',
  },
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
  account_suspended: {
    http: 403,
    retry: false,
    meaning: 'The account is suspended. `until` says until when; without it, for good.',
  },
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
  registration_closed: {
    http: 403,
    retry: false,
    meaning: 'This deployment takes nobody who registers like that: GET /v1/registration says whom it takes.',
  },
  invitation_invalid: { http: 403, retry: false, meaning: 'The invitation is unknown, used up, revoked, or too old.' },
  invitation_unknown: { http: 404, retry: false, meaning: 'The caller has no good invitation with this id.' },
  check_needed: {
    http: 403,
    retry: false,
    meaning:
      'Registering asks for a proof of work or a captcha, good once: GET /v1/registration says which, and none that holds was shown.',
  },
  email_taken: { http: 409, retry: false, meaning: 'Another account has this address.' },
  code_invalid: {
    http: 401,
    retry: false,
    meaning: 'The code is wrong, was used, or is too old. After five wrong tries ask for a new one.',
  },
  challenge_invalid: {
    http: 401,
    retry: false,
    meaning: 'What was begun is unknown, finished, or too old: begin again.',
  },
  second_factor_wrong: { http: 401, retry: false, meaning: 'The second factor does not fit.' },
  proof_needed: {
    http: 403,
    retry: false,
    meaning: 'This asks for a fresh proof of who one is: POST /v1/sessions/current/proof first.',
  },
  passkey_invalid: { http: 401, retry: false, meaning: 'The passkey is unknown here, or its answer does not verify.' },
  passkey_unknown: { http: 404, retry: false, meaning: 'The caller has no passkey with this id.' },
  factor_conflict: { http: 409, retry: false, meaning: 'The second factor is set up already, or is not set up.' },
  provider_unknown: { http: 404, retry: false, meaning: 'There is no sign-in provider of this name.' },
  provider_failed: {
    http: 502,
    retry: true,
    meaning: 'The sign-in provider did not answer, or answered what cannot be believed. Begin again.',
  },
  identity_refused: {
    http: 401,
    retry: false,
    meaning: 'The visit at the provider was cancelled, is too old, was used, or belongs to another provider.',
  },
  identity_taken: {
    http: 409,
    retry: false,
    meaning: 'The identity, or its address, belongs to another account: sign in to that one and link it there.',
  },
  identity_unknown: { http: 404, retry: false, meaning: 'The caller has no identity of this provider.' },
  last_way_in: {
    http: 409,
    retry: false,
    meaning: 'Without this the caller could not sign in again: add another first.',
  },
  session_unknown: { http: 404, retry: false, meaning: 'The caller has no session with this id.' },
  mail_unavailable: { http: 409, retry: false, meaning: 'This deployment sends no mail.' },
  user_unknown: { http: 404, retry: false, meaning: 'There is no person with this id or name.' },
  route_unknown: { http: 404, retry: false, meaning: 'There is no such URL.' },
  method_not_allowed: {
    http: 405,
    retry: false,
    meaning: 'The URL is there, but not for this method. The header `Allow` names those that it takes.',
  },
  upgrade_required: { http: 426, retry: false, meaning: 'This URL opens a WebSocket and answers nothing else.' },
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
  direct_closed: {
    http: 403,
    retry: false,
    meaning: 'One of the two has blocked the other, so that nothing passes between them.',
  },
  direct_refused: { http: 403, retry: false, meaning: 'The person takes new conversations from contacts only.' },
  request_waiting: {
    http: 409,
    retry: false,
    meaning: 'The person has not accepted the conversation yet: no more messages before that. `rule` says how many.',
  },
  request_declined: {
    http: 409,
    retry: true,
    meaning: 'The person has declined to join the group. `retryMs` says when they may be asked again.',
  },
  contact_exists: { http: 409, retry: false, meaning: 'The two are contacts already.' },
  request_exists: { http: 409, retry: false, meaning: 'There is an open contact request to this person.' },
  request_unknown: { http: 404, retry: false, meaning: 'The caller has no open request with this id.' },
  contact_unknown: { http: 404, retry: false, meaning: 'The person is not a contact of the caller.' },
  too_many: {
    http: 409,
    retry: false,
    meaning: 'The caller, or the person named, has as many of these as one may have. `rule` says how many.',
  },
  report_unknown: { http: 404, retry: false, meaning: 'There is no open report with this id.' },
  image_invalid: {
    http: 400,
    retry: false,
    meaning: 'The picture is of a kind that is not taken, is broken, or has too many pixels. `rule` says which.',
  },
  upload_unknown: { http: 404, retry: false, meaning: 'There is no such upload, or nothing has arrived in it.' },
  file_unknown: { http: 404, retry: false, meaning: 'There is no such file.' },
  device_unknown: { http: 404, retry: false, meaning: 'The caller has no device with this id.' },
  notification_unknown: { http: 404, retry: false, meaning: 'The caller has no notification with this id.' },
  operators_only: { http: 403, retry: false, meaning: 'This is for the operators of the deployment.' },
  operator_unprotected: {
    http: 403,
    retry: false,
    meaning: 'An operator needs a second factor or a passkey: set one up first.',
  },
  operator_protected: {
    http: 403,
    retry: false,
    meaning: 'The person is an operator: take them out of OPERATORS first, or use the command line.',
  },
  suspension_unknown: { http: 404, retry: false, meaning: 'The person is neither suspended nor banned.' },
  push_unknown: { http: 404, retry: false, meaning: 'There is no dead push with this id.' },
  job_unknown: { http: 404, retry: false, meaning: 'There is no dead job with this id.' },
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
  /** When it ends, in milliseconds since 1970: with `account_suspended`, unless that is for good. */
  readonly until?: number
}

/** The one error class that crosses a package border on purpose: a refusal with a code from the table. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: ErrorCode
  readonly detail: { retryMs?: number; field?: string; rule?: string; until?: number }

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
