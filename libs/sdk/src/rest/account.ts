/** What one signs in by, what happened to the account, its data and its end. */
import type { User } from './people.ts'
import type { Whence } from './sessions.ts'
import type { Signed } from './signed.ts'

/** A code is on its way by mail. */
export interface AskedCode {
  /** To be shown together with the code. */
  readonly request: string
  /** How long the code is good. */
  readonly lifeMs: number
  /** The pause before it can be sent again. */
  readonly resendAfterMs: number
}

/** The six digits of a mail, and the request that they are for. */
export interface ShownCode {
  readonly request: string
  readonly code: string
}

export interface SecurityEvent extends Whence {
  readonly id: number
  /** What happened: `signed_in`, `password_changed`, `refresh_reused`… */
  readonly kind: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** The session that it was done with, or is about. */
  readonly session?: string
  /** Short facts that belong to the kind. */
  readonly detail: Readonly<Record<string, string>>
}

/** Where it says `proof_needed`, show again who you are (`prove` of `createSignIn`) and repeat the call. */
export function createAccount(signed: Signed) {
  return {
    /**
     * Sets the password, with the current one if there is one. All other sessions end.
     * @throws FlotillaError credentials_wrong, proof_needed, password_weak, rate_limited
     */
    setPassword: (change: { readonly current?: string; readonly password: string }) =>
      signed<undefined>('PUT', '/v1/me/password', { body: change }),

    /** Sends a code to the address that is to be one's own. @throws FlotillaError proof_needed, mail_unavailable */
    askEmail: (email: string) => signed<AskedCode>('POST', '/v1/me/email', { body: { email } }),
    /** Takes the address that the code was sent to. @throws FlotillaError code_invalid, email_taken */
    changeEmail: (shown: ShownCode) => signed<undefined>('PUT', '/v1/me/email', { body: shown }),
    /** @throws FlotillaError proof_needed, last_way_in, factor_conflict (codes are sent to it as a second factor) */
    removeEmail: () => signed<undefined>('DELETE', '/v1/me/email'),

    /** The name of before is kept for oneself, for a time. @throws FlotillaError username_taken, field_invalid */
    changeUsername: (username: string) => signed<User>('PUT', '/v1/me/username', { body: { username } }),

    /** The latest first; it goes on at `next`. */
    listSecurityEvents: (page: { readonly limit?: number; readonly after?: number } = {}) =>
      signed<{ events: readonly SecurityEvent[]; next?: number }>('GET', '/v1/me/security-events', {
        query: { ...page },
      }),

    /**
     * Has the account erased at `deleteAfter` (milliseconds since 1970); until then one can sign in and take it back.
     * All other sessions end now. @throws FlotillaError proof_needed
     */
    askDeletion: () => signed<{ deleteAfter: number }>('PUT', '/v1/me/deletion'),
    /** Keeps the account after all. */
    cancelDeletion: () => signed<undefined>('DELETE', '/v1/me/deletion'),
    /** All of one's data, as a ZIP archive of JSON. It can be large. @throws FlotillaError rate_limited */
    exportMe: () => signed<Blob>('GET', '/v1/me/export', { answer: 'file' }),
  }
}
