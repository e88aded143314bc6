/** Second factors: setting up what is asked for after the first proof of a sign-in, and taking it away. */
import type { Ask } from './ask.ts'

/** All but reading and confirming ask for a fresh proof: `proof_needed` says so. */
export const createFactors = (ask: Ask) => ({
  /** What there is. */
  get: () => ask('GET /v1/me/factors'),
  /**
   * Begins to set up an authenticator app: `secret` in base 32 to type in, `uri` (`otpauth://…`) for a QR code. Nothing
   * is asked for before `confirmTotp`, within an hour. @throws FlotillaError proof_needed, factor_conflict
   */
  beginTotp: () => ask('POST /v1/me/totp'),
  /** Turns it on, by a first code of the app. @throws FlotillaError second_factor_wrong, factor_conflict */
  confirmTotp: (code: string) => ask('POST /v1/me/totp/confirm', { body: { code } }),
  /** With the last second factor the recovery codes go too. @throws FlotillaError proof_needed, factor_conflict */
  disableTotp: () => ask('DELETE /v1/me/totp'),
  /** Those of before are worth nothing any more. @throws FlotillaError proof_needed, factor_conflict */
  makeRecoveryCodes: () => ask('POST /v1/me/recovery-codes'),
  /** Asks for a code by mail from now on. @throws FlotillaError proof_needed, factor_conflict, mail_unavailable */
  enableMailFactor: () => ask('PUT /v1/me/mail-factor'),
  /** @throws FlotillaError proof_needed, factor_conflict */
  disableMailFactor: () => ask('DELETE /v1/me/mail-factor'),
})
