/** Second factors: setting up what is asked for after the first proof of a sign-in, and taking it away. */
import type { Signed } from './signed.ts'

/** What one can show to be who one is. */
export interface Factors {
  readonly password: boolean
  /** There is an address to send codes to. */
  readonly email: boolean
  /** An authenticator app is asked for. */
  readonly totp: boolean
  /** A code by mail is asked for. */
  readonly mailFactor: boolean
  readonly recoveryCodesLeft: number
  readonly passkeys: number
}

/** Each is good once, instead of any second factor. They are shown this once. */
export interface RecoveryCodes {
  readonly recoveryCodes: readonly string[]
}

/** All but reading and confirming ask for a fresh proof: `proof_needed` says so. */
export function createFactors(signed: Signed) {
  return {
    /** What there is. */
    get: () => signed<Factors>('GET', '/v1/me/factors'),
    /**
     * Begins to set up an authenticator app: `secret` in base 32 to type in, `uri` (`otpauth://…`) for a QR code. Nothing
     * is asked for before `confirmTotp`, within an hour. @throws FlotillaError proof_needed, factor_conflict
     */
    beginTotp: () => signed<{ secret: string; uri: string }>('POST', '/v1/me/totp'),
    /** Turns it on, by a first code of the app. @throws FlotillaError second_factor_wrong, factor_conflict */
    confirmTotp: (code: string) => signed<RecoveryCodes>('POST', '/v1/me/totp/confirm', { body: { code } }),
    /** With the last second factor the recovery codes go too. @throws FlotillaError proof_needed, factor_conflict */
    disableTotp: () => signed<undefined>('DELETE', '/v1/me/totp'),
    /** Those of before are worth nothing any more. @throws FlotillaError proof_needed, factor_conflict */
    makeRecoveryCodes: () => signed<RecoveryCodes>('POST', '/v1/me/recovery-codes'),
    /** Asks for a code by mail from now on. @throws FlotillaError proof_needed, factor_conflict, mail_unavailable */
    enableMailFactor: () => signed<undefined>('PUT', '/v1/me/mail-factor'),
    /** @throws FlotillaError proof_needed, factor_conflict */
    disableMailFactor: () => signed<undefined>('DELETE', '/v1/me/mail-factor'),
  }
}
