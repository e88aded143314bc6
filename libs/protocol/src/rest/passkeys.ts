/**
 * Passkeys: sign in and register with one, manage one's own. Bodies are the JSON forms of WebAuthn (`toJSON()` of a
 * credential, `parse…OptionsFromJSON()` of PublicKeyCredential). Browsers may add fields at any time: unknown ones are
 * accepted and ignored, within the limit of the body.
 */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import {
  registrationRefusals,
  answered,
  closed,
  CookieHeader,
  DeviceName,
  DisplayName,
  done,
  InvitationCode,
  listOf,
  named,
  nameOf,
  Username,
} from './fields.ts'
import { Check } from './registration.ts'
import { routes } from './route.ts'
import { SignedIn, signInAnswers } from './sessions.ts'
import { passkeysMax } from './words.ts'

const open = { additionalProperties: true, maxProperties: 16 }

/** Of an id of 1023 bytes, which is as long as they get. */
export const passkeyIdLengthMax = 1_364
const handleLengthMax = 88
const clientDataLengthMax = 4_096
const authenticatorDataLengthMax = 4_096
const attestationLengthMax = 8_192
const signatureLengthMax = 1_400
const transportsMax = 16

const base64Url = (max: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{1,${max}}$` })

const PasskeyId = base64Url(passkeyIdLengthMax)
const PasskeyName = nameOf(limits.nameLengthMax, { description: 'A name chosen by the user.' })

const credential = { id: PasskeyId, rawId: PasskeyId, type: Type.Literal('public-key') }

/** `RegistrationResponseJSON`, as far as it is looked at. */
export const CreatedPasskey = named(
  'CreatedPasskey',
  Type.Object(
    {
      ...credential,
      response: Type.Object(
        {
          clientDataJSON: base64Url(clientDataLengthMax),
          attestationObject: base64Url(attestationLengthMax),
          transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: transportsMax })),
        },
        open,
      ),
    },
    { ...open, description: 'The result of `navigator.credentials.create`, as `toJSON()`.' },
  ),
)
export type CreatedPasskey = Type.Static<typeof CreatedPasskey>

/** `AuthenticationResponseJSON`, as far as it is looked at. */
export const UsedPasskey = named(
  'UsedPasskey',
  Type.Object(
    {
      ...credential,
      response: Type.Object(
        {
          clientDataJSON: base64Url(clientDataLengthMax),
          authenticatorData: base64Url(authenticatorDataLengthMax),
          signature: base64Url(signatureLengthMax),
          userHandle: Type.Optional(Type.Union([base64Url(handleLengthMax), Type.Null()])),
        },
        open,
      ),
    },
    { ...open, description: 'The result of `navigator.credentials.get`, as `toJSON()`.' },
  ),
)
export type UsedPasskey = Type.Static<typeof UsedPasskey>

// Types that fit those of browsers, to which these are given: lists that may be written to, and their words.
type Transport = 'ble' | 'cable' | 'hybrid' | 'internal' | 'nfc' | 'smart-card' | 'usb'
type Hint = 'hybrid' | 'security-key' | 'client-device'

const Reference = Type.Object(
  {
    id: PasskeyId,
    type: Type.Literal('public-key'),
    transports: Type.Optional(Type.Array(Type.Unsafe<Transport>(Type.String()))),
  },
  closed,
)

/** `PublicKeyCredentialCreationOptionsJSON`. */
export const PasskeyCreationOptions = named(
  'PasskeyCreationOptions',
  Type.Object(
    {
      rp: Type.Object({ id: Type.String(), name: Type.String() }, closed),
      user: Type.Object({ id: Type.String(), name: Type.String(), displayName: Type.String() }, closed),
      challenge: Type.String(),
      pubKeyCredParams: Type.Array(Type.Object({ alg: Type.Integer(), type: Type.Literal('public-key') }, closed)),
      timeout: Type.Integer({ minimum: 1 }),
      attestation: Type.Literal('none'),
      excludeCredentials: Type.Array(Reference),
      authenticatorSelection: Type.Object(
        {
          residentKey: Type.Literal('required'),
          requireResidentKey: Type.Literal(true),
          userVerification: Type.Literal('required'),
        },
        closed,
      ),
      extensions: Type.Object({ credProps: Type.Literal(true) }, closed),
      hints: Type.Array(Type.Unsafe<Hint>(Type.String())),
    },
    { ...closed, description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON`.' },
  ),
)
export type PasskeyCreationOptions = Type.Static<typeof PasskeyCreationOptions>

/** `PublicKeyCredentialRequestOptionsJSON`. */
export const PasskeyRequestOptions = named(
  'PasskeyRequestOptions',
  Type.Object(
    {
      rpId: Type.String(),
      challenge: Type.String(),
      timeout: Type.Integer({ minimum: 1 }),
      userVerification: Type.Union([Type.Literal('required'), Type.Literal('preferred')]),
      allowCredentials: Type.Optional(Type.Array(Reference)),
    },
    { ...closed, description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.' },
  ),
)
export type PasskeyRequestOptions = Type.Static<typeof PasskeyRequestOptions>

export const Passkey = named(
  'Passkey',
  Type.Object(
    {
      id: PasskeyId,
      name: PasskeyName,
      synced: Type.Boolean({ description: 'Synced across the user’s devices.' }),
      createdAt: At,
      usedAt: Type.Union([At, Type.Null()]),
    },
    closed,
  ),
)
export type Passkey = Type.Static<typeof Passkey>

export const toUse = Type.Object({ challenge: Uuid, options: PasskeyRequestOptions }, closed)
const toCreate = Type.Object({ challenge: Uuid, options: PasskeyCreationOptions }, closed)
const ofPasskey = Type.Object({ id: PasskeyId }, closed)

export const passkeySignIn = routes('sign-in', 'nothing', {
  beginPasskeySignIn: {
    at: 'POST /v1/passkeys/options',
    summary: 'Begin a passkey sign-in',
    description:
      'The authenticator offers the passkeys it holds; no username is needed. The challenge is valid once, for five minutes.',
    answers: {
      200: answered('The options for the authenticator, and the challenge to submit with its response.', toUse),
    },
  },
  signInWithPasskey: {
    at: 'POST /v1/sessions/with-passkey',
    summary: 'Sign in with a passkey',
    description: 'The authenticator must verify the user, so no second factor is required.',
    headers: CookieHeader,
    body: Type.Object({ challenge: Uuid, passkey: UsedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
    answers: signInAnswers,
    refusals: ['challenge_invalid', 'passkey_invalid', 'account_suspended'],
  },
  beginPasskeyRegistration: {
    at: 'POST /v1/users/with-passkey/options',
    summary: 'Begin registering with a passkey',
    description:
      'Registers without a password. Pass the options to `navigator.credentials.create`, and its result to `POST /v1/users/with-passkey`.',
    body: Type.Object(
      {
        username: Username,
        displayName: Type.Optional(DisplayName),
        invitation: Type.Optional(InvitationCode),
        check: Type.Optional(Check),
      },
      closed,
    ),
    answers: {
      200: answered('The options for the authenticator, and the challenge to submit with its response.', toCreate),
    },
    refusals: [...registrationRefusals, 'username_taken', 'check_required'],
  },
  registerWithPasskey: {
    at: 'POST /v1/users/with-passkey',
    summary: 'Register with a passkey and sign in',
    description: 'Creates the account, its first passkey and its first session.',
    headers: CookieHeader,
    body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, deviceName: Type.Optional(DeviceName) }, closed),
    answers: { 201: answered('Signed in: the person, the session, and its tokens.', SignedIn) },
    refusals: [...registrationRefusals, 'challenge_invalid', 'passkey_invalid', 'username_taken'],
  },
})

export const passkeys = routes('account', 'session', {
  listPasskeys: {
    at: 'GET /v1/me/passkeys',
    summary: 'List my passkeys',
    description: 'Oldest first.',
    answers: {
      200: answered('The passkeys.', Type.Object({ passkeys: listOf(Passkey, { maxItems: passkeysMax }) }, closed)),
    },
  },
  beginAddPasskey: {
    at: 'POST /v1/me/passkeys/options',
    needs: 'reauthentication',
    summary: 'Begin adding a passkey',
    description:
      'Pass the options to `navigator.credentials.create`. Authenticators that already hold a passkey of the caller are excluded.',
    answers: {
      200: answered('The options for the authenticator, and the challenge to submit with its response.', toCreate),
    },
    refusals: ['limit_reached'],
  },
  addPasskey: {
    at: 'POST /v1/me/passkeys',
    summary: 'Add a passkey',
    description:
      'Requires the result of `navigator.credentials.create` for the options from `POST /v1/me/passkeys/options`.',
    body: Type.Object({ challenge: Uuid, passkey: CreatedPasskey, name: PasskeyName }, closed),
    answers: { 201: answered('The new passkey.', Passkey) },
    refusals: ['challenge_invalid', 'passkey_invalid', 'limit_reached'],
  },
  renamePasskey: {
    at: 'PATCH /v1/me/passkeys/{id}',
    summary: 'Rename a passkey',
    description: 'The name is visible only to the caller.',
    params: ofPasskey,
    body: Type.Object({ name: PasskeyName }, closed),
    answers: { 200: answered('The renamed passkey.', Passkey) },
    refusals: ['passkey_unknown'],
  },
  removePasskey: {
    at: 'DELETE /v1/me/passkeys/{id}',
    needs: 'reauthentication',
    summary: 'Remove a passkey',
    description: 'Refused if it is the only way to sign in.',
    params: ofPasskey,
    answers: done(),
    refusals: ['passkey_unknown', 'last_sign_in_method'],
  },
})
