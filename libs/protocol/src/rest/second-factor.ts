/** The second step of a sign-in, and the fresh proof that some routes ask for. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { AskedCode } from './codes.ts'
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

export const Proof = Type.Union([
  Type.Object(withPassword, closed),
  Type.Object(withCode('totp'), closed),
  Type.Object({ ...withCode('email_code'), request: Uuid }, closed),
  Type.Object({ ...withPasskey, challenge: Uuid }, closed),
])
export type Proof = Type.Static<typeof Proof>

const OfChallenge = Type.Object({ challenge: Uuid }, closed)

export const secondFactor = routes('sign-in', 'nothing', {
  finishSignIn: {
    at: 'POST /v1/sessions/second-factor',
    summary: 'Finish a sign-in by a second factor',
    description:
      'Takes the challenge of the answer that asked for it, and any one of the factors that it names. After five wrong tries, sign in anew.',
    headers: CookieHeader,
    body: SecondFactor,
    answers: { 201: answered('Signed in: the person, the session, and its tokens.', SignedIn) },
    refusals: ['challenge_invalid', 'second_factor_wrong', 'identity_taken', 'account_suspended'],
  },
  askFactorCode: {
    at: 'POST /v1/sessions/second-factor/code',
    summary: 'Send the code that a sign-in waits for by mail',
    description: 'Asked again, another code is sent, and the one before becomes worthless.',
    body: OfChallenge,
    answers: { 202: answered('A code is on its way.', AskedCode) },
    refusals: ['challenge_invalid', 'too_many', 'mail_unavailable'],
  },
  askFactorPasskey: {
    at: 'POST /v1/sessions/second-factor/passkey',
    summary: 'Ask what a passkey must sign to finish a sign-in',
    description:
      'Give the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/second-factor`.',
    body: OfChallenge,
    answers: {
      200: answered('The options for the authenticator.', Type.Object({ options: PasskeyRequestOptions }, closed)),
    },
    refusals: ['challenge_invalid'],
  },
})

export const proof = routes('sign-in', 'session', {
  prove: {
    at: 'POST /v1/sessions/current/proof',
    summary: 'Prove again who I am',
    description:
      'Whatever would help an intruder at an unlocked screen is refused with `proof_needed`, unless the caller has signed in or proved within the last ten minutes.',
    body: Proof,
    answers: done('Proved.'),
    refusals: ['credentials_wrong', 'second_factor_wrong', 'code_invalid', 'passkey_invalid', 'challenge_invalid'],
  },
  askProofCode: {
    at: 'POST /v1/sessions/current/proof/code',
    summary: 'Send a code to my address, as a proof',
    description:
      'The address of the account, so there must be one. Show the code at `POST /v1/sessions/current/proof`.',
    answers: { 202: answered('A code is on its way.', AskedCode) },
    refusals: ['factor_conflict', 'mail_unavailable'],
  },
  askProofPasskey: {
    at: 'POST /v1/sessions/current/proof/passkey',
    summary: 'Ask what a passkey must sign, as a proof',
    description:
      'Give the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/current/proof`.',
    answers: {
      200: answered('The options for the authenticator, and the challenge to show with its answer.', toUse),
    },
    refusals: ['factor_conflict'],
  },
})
