/** What one signs in by, what happened to the account, its data and its end. */
import type { ShownCode } from '@flotilla/protocol'
import type { Ask, BodyOf, QueryOf } from './ask.ts'

/** Where it says `proof_needed`, show again who you are (`prove` of `createSignIn`) and repeat the call. */
export const createAccount = (ask: Ask) => ({
  /**
   * Sets the password, with the current one if there is one. All other sessions end.
   * @throws FlotillaError credentials_wrong, proof_needed, password_weak, rate_limited
   */
  setPassword: (change: BodyOf<'PUT /v1/me/password'>) => ask('PUT /v1/me/password', { body: change }),

  /** Sends a code to the address that is to be one's own. @throws FlotillaError proof_needed, mail_unavailable */
  askEmail: (email: string) => ask('POST /v1/me/email', { body: { email } }),
  /** Takes the address that the code was sent to. @throws FlotillaError code_invalid, email_taken */
  changeEmail: (shown: ShownCode) => ask('PUT /v1/me/email', { body: shown }),
  /** @throws FlotillaError proof_needed, last_way_in, factor_conflict (codes are sent to it as a second factor) */
  removeEmail: () => ask('DELETE /v1/me/email'),

  /** The name of before is kept for oneself, for a time. @throws FlotillaError username_taken, field_invalid */
  changeUsername: (username: string) => ask('PUT /v1/me/username', { body: { username } }),

  /** The latest first; it goes on at `next`. */
  listSecurityEvents: (page: QueryOf<'GET /v1/me/security-events'> = {}) =>
    ask('GET /v1/me/security-events', { query: page }),

  /**
   * Has the account erased at `deleteAfter` (milliseconds since 1970); until then one can sign in and take it back.
   * All other sessions end now. @throws FlotillaError proof_needed
   */
  askDeletion: () => ask('PUT /v1/me/deletion'),
  /** Keeps the account after all. */
  cancelDeletion: () => ask('DELETE /v1/me/deletion'),
  /** All of one's data, as a ZIP archive of JSON. It can be large. @throws FlotillaError proof_needed, rate_limited */
  exportMe: () => ask('GET /v1/me/export', { answer: 'file' }),
})
