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
    meaning: 'The frame, the body, or the URL with its headers exceeds the size limit.',
  },
  op_unknown: { http: 400, retry: false, meaning: 'Unknown operation.' },
  field_invalid: {
    http: 400,
    retry: false,
    meaning: 'A field is missing, unknown or invalid. See `field` and `rule`.',
  },
  data_too_deep: { http: 400, retry: false, meaning: 'The message data is nested too deeply.' },
  rate_limited: { http: 429, retry: true, meaning: 'Too many requests. Retry after `retryMs`.' },
  quota_exceeded: {
    http: 429,
    retry: true,
    meaning: 'Daily storage quota exceeded. `rule` has the quota; retry after `retryMs`.',
  },
  request_timeout: {
    http: 408,
    retry: true,
    meaning: 'The request did not arrive in time. The connection is closed.',
  },
  overloaded: {
    http: 503,
    retry: true,
    meaning: 'The server is overloaded. Nothing was stored. Retry after `retryMs`.',
  },
  unavailable: {
    http: 503,
    retry: true,
    meaning: 'The service is temporarily unavailable. Sends can be retried safely with the same clientId.',
  },
  internal: {
    http: 500,
    retry: true,
    meaning: 'Internal server error. The server log has the cause.',
  },
  unauthenticated: { http: 401, retry: false, meaning: 'Missing or invalid access token.' },
  account_suspended: {
    http: 403,
    retry: false,
    meaning: 'The account is suspended until `until`, or permanently if that is missing.',
  },
  invalid_credentials: { http: 401, retry: false, meaning: 'Wrong username or password.' },
  refresh_token_invalid: {
    http: 401,
    retry: false,
    meaning: 'The refresh token is unknown, expired or revoked. Sign in again.',
  },
  refresh_token_reused: {
    http: 401,
    retry: false,
    meaning: 'The refresh token was already used, so the session was revoked. Sign in again.',
  },
  username_taken: { http: 409, retry: false, meaning: 'The username is taken.' },
  password_weak: {
    http: 400,
    retry: false,
    meaning: 'The password is too short, too long or too common.',
  },
  registration_closed: {
    http: 403,
    retry: false,
    meaning: 'Registration is not open to the caller. See GET /v1/registration for the rules.',
  },
  invitation_invalid: {
    http: 403,
    retry: false,
    meaning: 'The invitation or invite link is unknown, used up, revoked or expired.',
  },
  invitation_unknown: { http: 404, retry: false, meaning: 'No valid invitation with this id.' },
  check_required: {
    http: 403,
    retry: false,
    meaning: 'Registration requires a valid proof of work or captcha. See GET /v1/registration.',
  },
  email_taken: { http: 409, retry: false, meaning: 'Another account uses this email address.' },
  code_invalid: {
    http: 401,
    retry: false,
    meaning: 'The code is wrong, already used or expired. After five failed attempts, request a new one.',
  },
  challenge_invalid: {
    http: 401,
    retry: false,
    meaning: 'The challenge is unknown, already used or expired. Start again.',
  },
  second_factor_invalid: { http: 401, retry: false, meaning: 'Wrong code or second factor.' },
  reauthentication_required: {
    http: 403,
    retry: false,
    meaning: 'Reauthenticate first: POST /v1/sessions/current/reauthentication.',
  },
  passkey_invalid: { http: 401, retry: false, meaning: 'The passkey is unknown, or its signature is invalid.' },
  passkey_unknown: { http: 404, retry: false, meaning: 'No passkey with this id.' },
  factor_conflict: { http: 409, retry: false, meaning: 'The second factor is already set up, or not set up.' },
  provider_unknown: { http: 404, retry: false, meaning: 'No sign-in provider with this name.' },
  provider_failed: {
    http: 502,
    retry: true,
    meaning: 'The sign-in provider did not respond, or its response is invalid. Start again.',
  },
  authorization_failed: {
    http: 401,
    retry: false,
    meaning: 'The authorization was cancelled, expired, already used, or belongs to another session or provider.',
  },
  identity_taken: {
    http: 409,
    retry: false,
    meaning: 'The identity or its email address belongs to another account. Sign in to that account and link it there.',
  },
  identity_unknown: { http: 404, retry: false, meaning: 'No linked identity of this provider.' },
  last_sign_in_method: {
    http: 409,
    retry: false,
    meaning: 'This is the only way to sign in. Add another one first.',
  },
  session_unknown: { http: 404, retry: false, meaning: 'No session with this id.' },
  mail_disabled: { http: 409, retry: false, meaning: 'This deployment does not send email.' },
  user_unknown: { http: 404, retry: false, meaning: 'No such user.' },
  route_unknown: { http: 404, retry: false, meaning: 'No such URL.' },
  method_not_allowed: {
    http: 405,
    retry: false,
    meaning: 'The URL does not support this method. See the `Allow` header.',
  },
  upgrade_required: { http: 426, retry: false, meaning: 'This URL accepts WebSocket connections only.' },
  conversation_unknown: { http: 404, retry: false, meaning: 'No such conversation.' },
  message_unknown: {
    http: 404,
    retry: false,
    meaning: 'No such message in this conversation.',
  },
  too_late: { http: 403, retry: false, meaning: 'It is too late for this. `rule` has the time limit.' },
  scheduled_unknown: {
    http: 404,
    retry: false,
    meaning: 'You have no scheduled message with this id that can still be changed. It was sent, or it is due now.',
  },
  not_a_member: { http: 403, retry: false, meaning: 'You are not a member of this conversation.' },
  no_shared_conversation: {
    http: 403,
    retry: false,
    meaning: 'You share no conversation with one of these users, who is no contact of yours either.',
  },
  role_insufficient: { http: 403, retry: false, meaning: 'Your role does not allow this.' },
  forwarding_disabled: { http: 403, retry: false, meaning: 'Messages of this group cannot be forwarded.' },
  silenced: { http: 403, retry: false, meaning: 'You cannot post in this group until `until`.' },
  banned: { http: 403, retry: false, meaning: 'The user is banned from this group.' },
  ban_unknown: { http: 404, retry: false, meaning: 'The user is not banned from this group.' },
  already_a_member: { http: 409, retry: false, meaning: 'One of the users is already a member.' },
  conversation_full: { http: 409, retry: false, meaning: 'The group is full.' },
  not_a_group: { http: 409, retry: false, meaning: 'This works in groups only, not in direct conversations.' },
  vote_refused: {
    http: 409,
    retry: false,
    meaning: 'The poll is closed, or you have already voted and votes are final. `rule` says which.',
  },
  last_owner: { http: 409, retry: false, meaning: 'A group needs an owner. Make another member an owner first.' },
  blocked: {
    http: 403,
    retry: false,
    meaning: 'One of the users has blocked the other.',
  },
  contacts_only: { http: 403, retry: false, meaning: 'This user accepts new conversations from contacts only.' },
  request_pending: {
    http: 409,
    retry: false,
    meaning:
      'The user has not accepted the conversation yet, and no more messages can be sent before that. `rule` has the limit.',
  },
  request_declined: {
    http: 409,
    retry: true,
    meaning: 'The user has declined to join the group, or the group has declined the user. Ask again after `retryMs`.',
  },
  contact_exists: { http: 409, retry: false, meaning: 'You are already contacts.' },
  request_exists: { http: 409, retry: false, meaning: 'You have already sent this user a contact request.' },
  request_unknown: { http: 404, retry: false, meaning: 'No open request with this id.' },
  contact_unknown: { http: 404, retry: false, meaning: 'This user is not a contact.' },
  limit_reached: {
    http: 409,
    retry: false,
    meaning: 'A limit on the number of items is reached. `rule` has the limit.',
  },
  report_unknown: { http: 404, retry: false, meaning: 'No open report with this id.' },
  image_invalid: {
    http: 400,
    retry: false,
    meaning: 'The image format is not supported, the file is corrupt, or it has too many pixels. See `rule`.',
  },
  upload_unknown: { http: 404, retry: false, meaning: 'No such upload, or nothing has been uploaded.' },
  file_unknown: { http: 404, retry: false, meaning: 'No such file.' },
  device_unknown: { http: 404, retry: false, meaning: 'No device with this id.' },
  notification_unknown: { http: 404, retry: false, meaning: 'No notification with this id.' },
  operators_only: { http: 403, retry: false, meaning: 'For operators of this deployment only.' },
  operator_mfa_required: {
    http: 403,
    retry: false,
    meaning: 'Operators need a second factor or a passkey. Set one up first.',
  },
  operator_protected: {
    http: 403,
    retry: false,
    meaning: 'The user is an operator. Remove them from OPERATORS first, or use the command line.',
  },
  suspension_unknown: { http: 404, retry: false, meaning: 'The user is neither suspended nor banned.' },
  push_unknown: { http: 404, retry: false, meaning: 'No dead push with this id.' },
  job_unknown: { http: 404, retry: false, meaning: 'No dead job with this id.' },
  watch_limit_reached: { http: 409, retry: false, meaning: 'This connection cannot watch any more users.' },
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
  /** When the suspension ends, in milliseconds since 1970: with `account_suspended`, unless permanent, and with `silenced`. */
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
