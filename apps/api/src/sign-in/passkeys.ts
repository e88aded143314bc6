/**
 * The ceremonies of passkeys (WebAuthn), by a library: what a browser is asked for, and whether its answer verifies. The
 * domain keeps the challenges and the passkeys, and decides what an answer is held against.
 *
 * No attestation is asked for, so none is taken: its certificates would be a stranger's bytes to parse, and name URLs
 * that the library would fetch.
 */
import type { passkeys } from '@flotilla/chat'
import type { CreatedPasskey, PasskeyCreationOptions, PasskeyRequestOptions, UsedPasskey } from '@flotilla/protocol'
import { passkeyIdLengthMax } from '@flotilla/protocol/schemas'
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { COSEALG, decodeAttestationObject, decodeClientDataJSON } from '@simplewebauthn/server/helpers'
import type { RouteDeps } from '../app.ts'

const algorithms = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256]
/** An RSA key of 8192 bits. More would cost time with every sign-in. */
const publicKeyBytesMax = 1_100
const transportsMax = 8
const transportPattern = /^[a-z-]{1,20}$/

/** For `navigator.credentials.create`. The types of the library leave open what it always fills in. */
export function creationOptions(
  deps: RouteDeps,
  begun: passkeys.RegisterCeremony & { readonly known?: readonly passkeys.PasskeyRef[] },
): Promise<PasskeyCreationOptions> {
  const { rpId, rpName } = deps.settings.webauthn
  return generateRegistrationOptions({
    rpID: rpId,
    rpName,
    userID: handleOf(begun.user),
    userName: begun.username,
    userDisplayName: begun.displayName,
    challenge: begun.nonce,
    timeout: begun.expiresInMs,
    attestationType: 'none',
    excludeCredentials: refs(begun.known ?? []),
    // Without these it could not sign in by itself, which is what makes it a passkey.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  }) as Promise<PasskeyCreationOptions>
}

/**
 * For `navigator.credentials.get`.
 * @param asked.known left out when the authenticator is to offer what it has
 */
export function requestOptions(
  deps: RouteDeps,
  asked: {
    readonly nonce: Uint8Array<ArrayBuffer>
    readonly known?: readonly passkeys.PasskeyRef[]
    readonly expiresInMs?: number
    readonly ownerChecked: boolean
  },
): Promise<PasskeyRequestOptions> {
  const { nonce, known, expiresInMs, ownerChecked } = asked
  return generateAuthenticationOptions({
    rpID: deps.settings.webauthn.rpId,
    challenge: nonce,
    userVerification: ownerChecked ? 'required' : 'preferred',
    ...(expiresInMs === undefined ? {} : { timeout: expiresInMs }),
    ...(known === undefined ? {} : { allowCredentials: refs(known) }),
  }) as Promise<PasskeyRequestOptions>
}

/** A new passkey as the browser brought it, for the domain. */
export function newPasskey(deps: RouteDeps, response: CreatedPasskey): passkeys.NewPasskey {
  return {
    verify: nonce =>
      undefinedOnError(deps, async () => {
        demandPlain(response)
        const { rpId, origins } = deps.settings.webauthn
        const { registrationInfo: made } = await verifyRegistrationResponse({
          response: { ...credentialOf(response), response: response.response },
          expectedChallenge: nonce,
          expectedOrigin: [...origins],
          expectedRPID: rpId,
          requireUserVerification: true,
          supportedAlgorithmIDs: algorithms,
        })
        if (made === undefined) return undefined
        const { id, publicKey, counter } = made.credential
        if (id.length > passkeyIdLengthMax || publicKey.length > publicKeyBytesMax) return undefined
        const named = (response.response.transports ?? []).filter(one => transportPattern.test(one))
        return { id, publicKey, counter, transports: named.slice(0, transportsMax), synced: made.credentialBackedUp }
      }),
  }
}

/** A passkey that was used, as the browser brought it, for the domain. */
export function shownPasskey(deps: RouteDeps, response: UsedPasskey): passkeys.ShownPasskey {
  return {
    id: response.id,
    user: userOf(response.response.userHandle),
    verify: held =>
      undefinedOnError(deps, async () => {
        const { clientDataJSON, authenticatorData, signature } = response.response
        demandOwnPage(clientDataJSON)
        const { rpId, origins } = deps.settings.webauthn
        const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
          response: { ...credentialOf(response), response: { clientDataJSON, authenticatorData, signature } },
          expectedChallenge: held.nonce,
          expectedOrigin: [...origins],
          expectedRPID: rpId,
          credential: { id: held.id, publicKey: new Uint8Array(held.publicKey), counter: held.counter },
          requireUserVerification: held.ownerChecked,
        })
        return verified ? { counter: info.newCounter, synced: info.credentialBackedUp } : undefined
      }),
  }
}

/** What is known of it only: what browsers add is not looked at. */
const credentialOf = ({ id, rawId, type }: CreatedPasskey | UsedPasskey) => ({
  id,
  rawId,
  type,
  clientExtensionResults: {},
})

/** The library says by throwing what does not fit. All of it is one answer to the caller. */
async function undefinedOnError<T>(deps: RouteDeps, work: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    deps.logger.debug({ err: error }, 'passkey verification failed')
    return undefined
  }
}

/** Browsers take the attestation off where none was asked for, but one that a key makes of itself. */
function demandPlain({ response }: CreatedPasskey): void {
  demandOwnPage(response.clientDataJSON)
  const attestation = decodeAttestationObject(new Uint8Array(Buffer.from(response.attestationObject, 'base64url')))
  const format = attestation.get('fmt')
  const isPlain = format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined)
  if (!isPlain) throw new Error(`unable to take the passkey: it comes with an attestation (${format})`)
}

/** Not within a page of somebody else, who would choose what is seen around it. */
function demandOwnPage(clientDataJSON: string): void {
  if (decodeClientDataJSON(clientDataJSON).crossOrigin === true)
    throw new Error('unable to take the passkey: it was used within a page of another origin')
}

const refs = (known: readonly passkeys.PasskeyRef[]) =>
  known.map(({ id, transports }) => ({ id, transports: [...transports] }))

// ── the handle: the person's id as the authenticator keeps it ────────────────────────────────────────────────────────

const handleBytes = 16

const handleOf = (user: string) => new Uint8Array(Buffer.from(user.replaceAll('-', ''), 'hex'))

function userOf(handle: string | null | undefined): string | undefined {
  const bytes = Buffer.from(handle ?? '', 'base64url')
  if (bytes.length !== handleBytes) return undefined
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
