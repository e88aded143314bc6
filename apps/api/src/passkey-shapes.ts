/**
 * What browsers and this API tell each other about passkeys: the JSON forms of WebAuthn (`toJSON()` of a credential,
 * `parse…OptionsFromJSON()` of PublicKeyCredential). Browsers may add to theirs at any time: what is not known here is let
 * through and not looked at, within the limit of the body.
 */
import { limits } from '@flotilla/protocol'
import { At } from '@flotilla/protocol/schemas'
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import { Type } from 'typebox'
import { listOf, named, nameOf } from './shapes.ts'

const closed = { additionalProperties: false }
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

export const PasskeyId = base64Url(passkeyIdLengthMax)
export const PasskeyName = nameOf(limits.nameLengthMax, { description: 'What the person calls it.' })

const credential = { id: PasskeyId, rawId: PasskeyId, type: Type.Literal('public-key') }

/** `RegistrationResponseJSON`. */
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
    { ...open, description: 'What `navigator.credentials.create` brought, as `toJSON()` writes it.' },
  ),
)

/** `AuthenticationResponseJSON`. */
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
    { ...open, description: 'What `navigator.credentials.get` brought, as `toJSON()` writes it.' },
  ),
)

const Reference = Type.Object(
  { id: PasskeyId, type: Type.Literal('public-key'), transports: Type.Optional(listOf(Type.String())) },
  closed,
)

/** `PublicKeyCredentialCreationOptionsJSON`. */
export const CreationOptions = named(
  'PasskeyCreationOptions',
  Type.Unsafe<PublicKeyCredentialCreationOptionsJSON>(
    Type.Object(
      {
        rp: Type.Object({ id: Type.String(), name: Type.String() }, closed),
        user: Type.Object({ id: Type.String(), name: Type.String(), displayName: Type.String() }, closed),
        challenge: Type.String(),
        pubKeyCredParams: listOf(Type.Object({ alg: Type.Integer(), type: Type.Literal('public-key') }, closed)),
        timeout: Type.Integer({ minimum: 1 }),
        attestation: Type.Literal('none'),
        excludeCredentials: listOf(Reference),
        authenticatorSelection: Type.Object(
          {
            residentKey: Type.Literal('required'),
            requireResidentKey: Type.Literal(true),
            userVerification: Type.Literal('required'),
          },
          closed,
        ),
        extensions: Type.Object({ credProps: Type.Literal(true) }, closed),
        hints: listOf(Type.String()),
      },
      { ...closed, description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON`.' },
    ),
  ),
)

/** `PublicKeyCredentialRequestOptionsJSON`. */
export const RequestOptions = named(
  'PasskeyRequestOptions',
  Type.Unsafe<PublicKeyCredentialRequestOptionsJSON>(
    Type.Object(
      {
        rpId: Type.String(),
        challenge: Type.String(),
        timeout: Type.Integer({ minimum: 1 }),
        userVerification: Type.Union([Type.Literal('required'), Type.Literal('preferred')]),
        allowCredentials: Type.Optional(listOf(Reference)),
      },
      { ...closed, description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`.' },
    ),
  ),
)

export const Passkey = named(
  'Passkey',
  Type.Object(
    {
      id: PasskeyId,
      name: PasskeyName,
      synced: Type.Boolean({ description: 'It lives on several devices of its owner.' }),
      createdAt: At,
      usedAt: Type.Union([At, Type.Null()]),
    },
    closed,
  ),
)
