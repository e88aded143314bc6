/** Second factors: set them up, turn them off. */
import { Type } from 'typebox'
import { answered, closed, done, listOf } from './fields.ts'
import { codeLengthMax } from './codes.ts'
import { routes } from './route.ts'

export const FactorCode = Type.String({
  minLength: 1,
  maxLength: codeLengthMax,
  description:
    'Six digits from the authenticator app or the email, or a recovery code. Spaces and hyphens are ignored; digits of any script are accepted.',
})

/** The factors that the user has set up. */
export const Factors = Type.Object(
  {
    password: Type.Boolean(),
    email: Type.Boolean({ description: 'Has an email address that can receive codes.' }),
    totp: Type.Boolean({ description: 'Sign-in requires a code from an authenticator app.' }),
    emailFactor: Type.Boolean({ description: 'Sign-in requires a code sent by email.' }),
    recoveryCodesLeft: Type.Integer({ minimum: 0 }),
    passkeys: Type.Integer({ minimum: 0 }),
  },
  closed,
)
export type Factors = Type.Static<typeof Factors>

export const RecoveryCodes = Type.Object(
  { recoveryCodes: listOf(Type.String(), { description: 'Each is valid once. They are not shown again.' }) },
  closed,
)
export type RecoveryCodes = Type.Static<typeof RecoveryCodes>

const TotpSecret = Type.Object(
  {
    secret: Type.String({ description: 'Base32, to type in.' }),
    uri: Type.String({ description: 'An `otpauth://` URI to show as a QR code.' }),
  },
  closed,
)

export const factors = routes('account', 'reauthentication', {
  getFactors: {
    at: 'GET /v1/me/factors',
    needs: 'session',
    summary: 'List my authentication factors',
    description: 'Which factors are set up, and how many recovery codes are left.',
    answers: { 200: answered('The factors.', Factors) },
  },
  beginTotp: {
    at: 'POST /v1/me/totp',
    summary: 'Set up an authenticator app',
    description: 'Takes effect once confirmed, within an hour. Call it again to start over.',
    answers: { 200: answered('The secret, as text and as a URI for a QR code.', TotpSecret) },
    refusals: ['factor_conflict'],
  },
  confirmTotp: {
    at: 'POST /v1/me/totp/confirm',
    needs: 'session',
    summary: 'Confirm the authenticator app',
    description:
      'Requires a code from the app. From then on, signing in requires one. Returns new recovery codes and invalidates the previous ones.',
    body: Type.Object({ code: FactorCode }, closed),
    answers: { 200: answered('The recovery codes. They are not shown again.', RecoveryCodes) },
    refusals: ['factor_conflict', 'second_factor_invalid'],
  },
  disableTotp: {
    at: 'DELETE /v1/me/totp',
    summary: 'Turn off the authenticator app',
    description: 'Turning off the last second factor deletes the recovery codes.',
    answers: done(),
    refusals: ['factor_conflict'],
  },
  createRecoveryCodes: {
    at: 'POST /v1/me/recovery-codes',
    summary: 'Create new recovery codes',
    description: 'Invalidates the previous ones.',
    answers: { 200: answered('The recovery codes. They are not shown again.', RecoveryCodes) },
    refusals: ['factor_conflict'],
  },
  enableEmailFactor: {
    at: 'PUT /v1/me/email-factor',
    summary: 'Turn on codes by email',
    description: 'From then on, signing in requires a code sent to the account’s email address.',
    answers: done(),
    refusals: ['factor_conflict', 'mail_disabled'],
  },
  disableEmailFactor: {
    at: 'DELETE /v1/me/email-factor',
    summary: 'Turn off codes by email',
    description: 'Turning off the last second factor deletes the recovery codes.',
    answers: done(),
    refusals: ['factor_conflict'],
  },
})
