/** Sign-in details, security events, data export, deletion. */
import type { SubmittedCode } from '@flotilla/protocol'
import type { Ask, BodyOf, QueryOf } from './ask.ts'

/** On `reauthentication_required`, call `reauthenticate` of `createSignIn` and repeat the call. */
export const createAccount = (ask: Ask) => ({
  /**
   * Sets the password, with the current one if there is one. All other sessions end.
   * @throws FlotillaError invalid_credentials, reauthentication_required, password_weak, rate_limited
   */
  setPassword: (change: BodyOf<'PUT /v1/me/password'>) => ask('PUT /v1/me/password', { body: change }),

  /** Sends a code to the new address. @throws FlotillaError reauthentication_required, mail_disabled */
  requestEmailChange: (email: string) => ask('POST /v1/me/email', { body: { email } }),
  /** Changes to the address that the code was sent to. @throws FlotillaError code_invalid, email_taken */
  changeEmail: (shown: SubmittedCode) => ask('PUT /v1/me/email', { body: shown }),
  /** @throws FlotillaError reauthentication_required, last_sign_in_method, factor_conflict (it receives second-factor codes) */
  removeEmail: () => ask('DELETE /v1/me/email'),

  /** The previous username stays reserved for a while. @throws FlotillaError username_taken, field_invalid */
  changeUsername: (username: string) => ask('PUT /v1/me/username', { body: { username } }),

  /** Newest first; it continues at `next`. */
  listSecurityEvents: (page: QueryOf<'GET /v1/me/security-events'> = {}) =>
    ask('GET /v1/me/security-events', { query: page }),

  /**
   * Schedules the deletion of the account for `deleteAfter` (milliseconds since 1970); until then, sign in and cancel.
   * Ends all other sessions. @throws FlotillaError reauthentication_required
   */
  requestDeletion: () => ask('PUT /v1/me/deletion'),
  /** Cancels the deletion. */
  cancelDeletion: () => ask('DELETE /v1/me/deletion'),
  /** All the user's data, as a ZIP archive of JSON. It can be large. @throws FlotillaError reauthentication_required, rate_limited */
  exportData: () => ask('GET /v1/me/export', { answer: 'file' }),
})
