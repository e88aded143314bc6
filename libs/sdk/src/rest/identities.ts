/** Linked identities: accounts at sign-in providers (Google, GitHub, whatever the deployment has). */
import type { AuthorizationGrant } from '@flotilla/protocol'
import type { Ask, BodyOf } from './ask.ts'

export const createIdentities = (ask: Ask) => ({
  /** The linked identities. */
  list: () => ask('GET /v1/me/identities'),
  /**
   * Begins an authorization to link an identity, or with `reauthenticate` to reauthenticate with a linked one (finish with
   * `reauthenticateWithProvider` of createSignIn). @throws FlotillaError reauthentication_required, provider_unknown, provider_failed
   */
  beginAuthorization: (authorization: BodyOf<'POST /v1/me/identities/authorizations'>) =>
    ask('POST /v1/me/identities/authorizations', { body: authorization }),
  /** Links the identity that the authorization returned. @throws FlotillaError authorization_failed, identity_taken, limit_reached */
  link: (shown: AuthorizationGrant) => ask('POST /v1/me/identities', { body: shown }),
  /** @throws FlotillaError reauthentication_required, identity_unknown, last_sign_in_method */
  unlink: (provider: string) => ask('DELETE /v1/me/identities/{provider}', { provider }),
})

/**
 * Reads the result of an authorization from the URL that the browser returned to: `#grant=…`, or `#error=` and a code
 * (`authorization_failed`, `provider_failed`). Undefined if there is none.
 * @param url `location.href`; remove the fragment afterwards, so that a reload does not submit it again
 */
export function readAuthorizationResult(
  url: string,
): { readonly grant: string } | { readonly error: string } | undefined {
  const fragment = new URLSearchParams(url.split('#')[1])
  const [grant, error] = [fragment.get('grant'), fragment.get('error')]
  if (grant !== null) return { grant }
  return error === null ? undefined : { error }
}
