/** One's passkeys, and what the SDK and a browser tell each other about them. */
import { asFlotillaError, FlotillaError } from '../flotilla-error.ts'
import type { Signed } from './signed.ts'

interface PasskeyReference {
  id: string
  type: 'public-key'
  transports?: ('ble' | 'cable' | 'hybrid' | 'internal' | 'nfc' | 'smart-card' | 'usb')[]
}

/** What a new passkey is to be made of: `PublicKeyCredentialCreationOptionsJSON` of WebAuthn. */
export interface PasskeyCreationOptions {
  rp: { id: string; name: string }
  user: { id: string; name: string; displayName: string }
  challenge: string
  pubKeyCredParams: { alg: number; type: 'public-key' }[]
  timeout: number
  attestation: 'none'
  excludeCredentials: PasskeyReference[]
  authenticatorSelection: { residentKey: 'required'; requireResidentKey: true; userVerification: 'required' }
  extensions: { credProps: true }
  hints: ('hybrid' | 'security-key' | 'client-device')[]
}

/** What a passkey is to sign: `PublicKeyCredentialRequestOptionsJSON` of WebAuthn. */
export interface PasskeyRequestOptions {
  rpId: string
  challenge: string
  timeout: number
  userVerification: 'required' | 'preferred'
  allowCredentials?: PasskeyReference[]
}

/** `RegistrationResponseJSON` of WebAuthn, as far as it is looked at. */
export interface CreatedPasskey {
  readonly id: string
  readonly rawId: string
  readonly type: string
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports?: readonly string[]
  }
}

/** `AuthenticationResponseJSON` of WebAuthn, as far as it is looked at. */
export interface UsedPasskey {
  readonly id: string
  readonly rawId: string
  readonly type: string
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string | null
  }
}

/**
 * The ceremonies of the browser. The SDK has none of its own, so that it needs no package and runs outside of browsers
 * too: give it `{ create: startRegistration, get: startAuthentication }` of @simplewebauthn/browser, or two functions
 * around `navigator.credentials` (`PublicKeyCredential.parse…OptionsFromJSON` and `toJSON()` of what comes).
 */
export interface PasskeyCeremonies {
  create(ceremony: { optionsJSON: PasskeyCreationOptions }): Promise<CreatedPasskey>
  get(ceremony: { optionsJSON: PasskeyRequestOptions }): Promise<UsedPasskey>
}

/** A passkey of one's own. */
export interface Passkey {
  readonly id: string
  readonly name: string
  /** It lives on several devices of its owner. */
  readonly synced: boolean
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly usedAt: number | null
}

/** What the browser is asked, and the challenge that its answer goes back with. */
export interface AskedPasskey<Options> {
  readonly challenge: string
  readonly options: Options
}

export function createPasskeys(signed: Signed) {
  const at = (passkey: string) => `/v1/me/passkeys/${encodeURIComponent(passkey)}`
  return {
    /** The oldest first. */
    list: () => signed<{ passkeys: readonly Passkey[] }>('GET', '/v1/me/passkeys'),
    /**
     * Has the browser make one and adds it.
     * @throws FlotillaError proof_needed, passkey_failed (the browser brought none), passkey_invalid, too_many
     */
    async add(input: { readonly name: string; readonly create: PasskeyCeremonies['create'] }): Promise<Passkey> {
      const { name, create } = input
      const asked = await signed<AskedPasskey<PasskeyCreationOptions>>('POST', '/v1/me/passkeys/options')
      const passkey = await createPasskey({ create }, asked.options)
      return signed<Passkey>('POST', '/v1/me/passkeys', { body: { challenge: asked.challenge, passkey, name } })
    },
    /** @throws FlotillaError passkey_unknown */
    rename: (passkey: string, name: string) => signed<Passkey>('PATCH', at(passkey), { body: { name } }),
    /** @throws FlotillaError proof_needed, passkey_unknown, last_way_in */
    remove: (passkey: string) => signed<undefined>('DELETE', at(passkey)),
  }
}

/** Has the browser make a passkey. @throws FlotillaError passkey_failed */
export function createPasskey(
  ceremonies: Pick<PasskeyCeremonies, 'create'> | undefined,
  optionsJSON: PasskeyCreationOptions,
): Promise<CreatedPasskey> {
  return bring(async () => ceremonies?.create({ optionsJSON }))
}

/** Has the browser sign with a passkey. @throws FlotillaError passkey_failed */
export function getPasskey(
  ceremonies: Pick<PasskeyCeremonies, 'get'> | undefined,
  optionsJSON: PasskeyRequestOptions,
): Promise<UsedPasskey> {
  return bring(async () => ceremonies?.get({ optionsJSON }))
}

async function bring<T>(ceremony: () => Promise<T | undefined>): Promise<T> {
  const brought = await ceremony().catch((thrown: unknown) => {
    throw asFlotillaError(thrown, 'passkey_failed', 'use a passkey')
  })
  if (brought !== undefined) return brought
  throw new FlotillaError('passkey_failed', 'unable to use a passkey: createSignIn was given no `passkeys`')
}
