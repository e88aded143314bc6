/** Passkeys, and the browser ceremonies that create and use them. */
import type {
  CreatedPasskey,
  Passkey,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
  UsedPasskey,
} from '@flotilla/protocol'
import { asFlotillaError, FlotillaError } from '../flotilla-error.ts'
import type { Ask } from './ask.ts'

/**
 * The ceremonies of the browser. The SDK has none of its own, so that it needs no package and runs outside of browsers
 * too: give it `{ create: startRegistration, get: startAuthentication }` of @simplewebauthn/browser, or two functions
 * around `navigator.credentials` (`PublicKeyCredential.parse…OptionsFromJSON` and `toJSON()` of what comes).
 */
export interface PasskeyCeremonies {
  create(ceremony: { optionsJSON: PasskeyCreationOptions }): Promise<CreatedPasskey>
  get(ceremony: { optionsJSON: PasskeyRequestOptions }): Promise<UsedPasskey>
}

export const createPasskeys = (ask: Ask) => ({
  /** Oldest first. */
  list: () => ask('GET /v1/me/passkeys'),
  /**
   * Has the browser create a passkey and adds it.
   * @throws FlotillaError reauthentication_required, passkey_failed (the browser returned none), passkey_invalid, limit_reached
   */
  async add(input: { readonly name: string; readonly create: PasskeyCeremonies['create'] }): Promise<Passkey> {
    const { name, create } = input
    const { challenge, options } = await ask('POST /v1/me/passkeys/options')
    return ask('POST /v1/me/passkeys', { body: { challenge, passkey: await createPasskey({ create }, options), name } })
  },
  /** @throws FlotillaError passkey_unknown */
  rename: (passkey: string, name: string) => ask('PATCH /v1/me/passkeys/{id}', { id: passkey, body: { name } }),
  /** @throws FlotillaError reauthentication_required, passkey_unknown, last_sign_in_method */
  remove: (passkey: string) => ask('DELETE /v1/me/passkeys/{id}', { id: passkey }),
})

/** Has the browser create a passkey. @throws FlotillaError passkey_failed */
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
