/** Second factors: set them up, turn them off. */
import type { Ask } from './ask.ts'

/** All but `get` and `confirmTotp` require reauthentication: `reauthentication_required` says so. */
export const createFactors = (ask: Ask) => ({
  /** Which factors are set up. */
  get: () => ask('GET /v1/me/factors'),
  /**
   * Begins setting up an authenticator app: `secret` in base32 to type in, `uri` (`otpauth://…`) for a QR code. Takes
   * effect with `confirmTotp`, within an hour. @throws FlotillaError reauthentication_required, factor_conflict
   */
  beginTotp: () => ask('POST /v1/me/totp'),
  /** Turns it on, with a first code from the app. @throws FlotillaError second_factor_invalid, factor_conflict */
  confirmTotp: (code: string) => ask('POST /v1/me/totp/confirm', { body: { code } }),
  /** Turning off the last second factor deletes the recovery codes. @throws FlotillaError reauthentication_required, factor_conflict */
  disableTotp: () => ask('DELETE /v1/me/totp'),
  /** Invalidates the previous ones. @throws FlotillaError reauthentication_required, factor_conflict */
  createRecoveryCodes: () => ask('POST /v1/me/recovery-codes'),
  /** Requires a code sent by email from now on. @throws FlotillaError reauthentication_required, factor_conflict, mail_disabled */
  enableEmailFactor: () => ask('PUT /v1/me/email-factor'),
  /** @throws FlotillaError reauthentication_required, factor_conflict */
  disableEmailFactor: () => ask('DELETE /v1/me/email-factor'),
})
