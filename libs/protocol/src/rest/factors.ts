/** What is asked for after the first proof of a sign-in: setting it up, and taking it away. */
import { Type } from 'typebox'
import { answered, closed, done, listOf } from './fields.ts'
import { codeLengthMax } from './codes.ts'
import { routes } from './route.ts'

export const FactorCode = Type.String({
  minLength: 1,
  maxLength: codeLengthMax,
  description:
    'Six digits of the authenticator app or of the mail, or a recovery code. Blanks, hyphens and the script of the digits make no difference.',
})

/** What one can show to be who one is. */
export const Factors = Type.Object(
  {
    password: Type.Boolean(),
    email: Type.Boolean({ description: 'There is an address to send codes to.' }),
    totp: Type.Boolean({ description: 'An authenticator app is asked for.' }),
    mailFactor: Type.Boolean({ description: 'A code by mail is asked for.' }),
    recoveryCodesLeft: Type.Integer({ minimum: 0 }),
    passkeys: Type.Integer({ minimum: 0 }),
  },
  closed,
)
export type Factors = Type.Static<typeof Factors>

export const RecoveryCodes = Type.Object(
  { recoveryCodes: listOf(Type.String(), { description: 'Each is good once. They are shown this once.' }) },
  closed,
)
export type RecoveryCodes = Type.Static<typeof RecoveryCodes>

const TotpSecret = Type.Object(
  {
    secret: Type.String({ description: 'In base 32, to type it in.' }),
    uri: Type.String({ description: '`otpauth://…`, to show as a QR code.' }),
  },
  closed,
)

export const factors = routes('account', 'proof', {
  getFactors: {
    at: 'GET /v1/me/factors',
    needs: 'session',
    summary: 'List my ways to prove who I am',
    description: 'Which factors are set up, and how many recovery codes are left.',
    answers: { 200: answered('The factors.', Factors) },
  },
  beginTotp: {
    at: 'POST /v1/me/totp',
    summary: 'Begin to set up an authenticator app',
    description: 'Nothing is asked for until the app is confirmed, within an hour. Called again, it begins anew.',
    answers: { 200: answered('The secret, as a URI to show as a QR code.', TotpSecret) },
    refusals: ['factor_conflict'],
  },
  confirmTotp: {
    at: 'POST /v1/me/totp/confirm',
    needs: 'session',
    summary: 'Turn the authenticator app on',
    description:
      'Takes a first code of the app. From then on, sign-ins ask for one. New recovery codes come with it, and the previous ones become worthless.',
    body: Type.Object({ code: FactorCode }, closed),
    answers: { 200: answered('The recovery codes. They are shown this once.', RecoveryCodes) },
    refusals: ['factor_conflict', 'second_factor_wrong'],
  },
  disableTotp: {
    at: 'DELETE /v1/me/totp',
    summary: 'Turn the authenticator app off',
    description: 'Recovery codes go together with the last second factor.',
    answers: done(),
    refusals: ['factor_conflict'],
  },
  makeRecoveryCodes: {
    at: 'POST /v1/me/recovery-codes',
    summary: 'Make new recovery codes',
    description: 'The previous ones become worthless.',
    answers: { 200: answered('The recovery codes. They are shown this once.', RecoveryCodes) },
    refusals: ['factor_conflict'],
  },
  enableMailFactor: {
    at: 'PUT /v1/me/mail-factor',
    summary: 'Turn the code by mail on',
    description: 'After the first proof, sign-ins then ask for a code that is sent to the address of the account.',
    answers: done(),
    refusals: ['factor_conflict', 'mail_unavailable'],
  },
  disableMailFactor: {
    at: 'DELETE /v1/me/mail-factor',
    summary: 'Turn the code by mail off',
    description: 'Recovery codes go together with the last second factor.',
    answers: done(),
    refusals: ['factor_conflict'],
  },
})
