/** The second step of a sign-in, and the reauthentication that some routes require. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { CodeRequest } from './codes.ts'
import { FactorCode } from './factors.ts'
import { answered, closed, CookieHeader, DeviceName, done, Password } from './fields.ts'
import { PasskeyRequestOptions, toUse, UsedPasskey } from './passkeys.ts'
import { routes } from './route.ts'
import { DeviceToken, SignedIn } from './sessions.ts'

const withCode = <F extends string>(factor: F) => ({ factor: Type.Literal(factor), code: FactorCode })
const withPassword = { factor: Type.Literal('password'), password: Password }
const withPasskey = { factor: Type.Literal('passkey'), passkey: UsedPasskey }

const begun = { challenge: Uuid, deviceName: Type.Optional(DeviceName), device: Type.Optional(DeviceToken) }

const SecondFactor = Type.Union([
  Type.Object({ ...begun, ...withCode('totp') }, closed),
  Type.Object({ ...begun, ...withCode('recovery_code') }, closed),
  Type.Object({ ...begun, ...withCode('email_code') }, closed),
  Type.Object({ ...begun, ...withPassword }, closed),
  Type.Object({ ...begun, ...withPasskey }, closed),
])

export const Reauthentication = Type.Union([
  Type.Object(withPassword, closed),
  Type.Object(withCode('totp'), closed),
  Type.Object({ ...withCode('email_code'), request: Uuid }, closed),
  Type.Object({ ...withPasskey, challenge: Uuid }, closed),
])
export type Reauthentication = Type.Static<typeof Reauthentication>

const OfChallenge = Type.Object({ challenge: Uuid }, closed)

export const secondFactor = routes('sign-in', 'nothing', {
  finishSignIn: {
    at: 'POST /v1/sessions/second-factor',
    summary: 'Finish a sign-in with a second factor',
    description:
      'Requires the challenge of the first step and one of the factors it lists. After five failed attempts, sign in again.',
    headers: CookieHeader,
    body: SecondFactor,
    answers: { 201: answered('Signed in: the person, the session, and its tokens.', SignedIn) },
    refusals: ['challenge_invalid', 'second_factor_invalid', 'identity_taken', 'account_suspended'],
  },
  sendSecondFactorCode: {
    at: 'POST /v1/sessions/second-factor/code',
    summary: 'Send a second-factor code by email',
    description: 'Calling it again sends a new code and invalidates the previous one.',
    body: OfChallenge,
    answers: { 202: answered('The code was sent.', CodeRequest) },
    refusals: ['challenge_invalid', 'limit_reached', 'mail_disabled'],
  },
  beginPasskeySecondFactor: {
    at: 'POST /v1/sessions/second-factor/passkey',
    summary: 'Begin a second factor with a passkey',
    description:
      'Pass the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/second-factor`.',
    body: OfChallenge,
    answers: {
      200: answered('The options for the authenticator.', Type.Object({ options: PasskeyRequestOptions }, closed)),
    },
    refusals: ['challenge_invalid'],
  },
})

export const reauthentication = routes('sign-in', 'session', {
  reauthenticate: {
    at: 'POST /v1/sessions/current/reauthentication',
    summary: 'Reauthenticate',
    description:
      'Sensitive operations are refused with `reauthentication_required` unless the caller has signed in or reauthenticated within the last ten minutes.',
    body: Reauthentication,
    answers: done('Reauthenticated.'),
    refusals: ['invalid_credentials', 'second_factor_invalid', 'code_invalid', 'passkey_invalid', 'challenge_invalid'],
  },
  sendReauthenticationCode: {
    at: 'POST /v1/sessions/current/reauthentication/code',
    summary: 'Send a reauthentication code by email',
    description:
      'Sends it to the address of the account. Submit the code to `POST /v1/sessions/current/reauthentication`.',
    answers: { 202: answered('The code was sent.', CodeRequest) },
    refusals: ['factor_conflict', 'mail_disabled'],
  },
  beginPasskeyReauthentication: {
    at: 'POST /v1/sessions/current/reauthentication/passkey',
    summary: 'Begin a reauthentication with a passkey',
    description:
      'Pass the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/current/reauthentication`.',
    answers: {
      200: answered('The options for the authenticator, and the challenge to submit with its response.', toUse),
    },
    refusals: ['factor_conflict'],
  },
})
