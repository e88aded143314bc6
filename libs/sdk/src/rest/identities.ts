/** Accounts elsewhere (Google, GitHub, whatever the deployment has) that belong to one's account here. */
import type { ShownVisit } from '@flotilla/protocol'
import type { Ask, BodyOf } from './ask.ts'

export const createIdentities = (ask: Ask) => ({
  /** What is linked. */
  list: () => ask('GET /v1/me/identities'),
  /**
   * Begins a visit to link an account elsewhere, or with `prove` to show with one that is linked who one is (then
   * `proveByVisit` of createSignIn ends it). @throws FlotillaError proof_needed, provider_unknown, provider_failed
   */
  beginVisit: (visit: BodyOf<'POST /v1/me/identities/visits'>) => ask('POST /v1/me/identities/visits', { body: visit }),
  /** Links what the visit has brought. @throws FlotillaError identity_refused, identity_taken, too_many */
  link: (shown: ShownVisit) => ask('POST /v1/me/identities', { body: shown }),
  /** @throws FlotillaError proof_needed, identity_unknown, last_way_in */
  unlink: (provider: string) => ask('DELETE /v1/me/identities/{provider}', { provider }),
})

/**
 * What a page was given that comes back from a visit: `#grant=…`, or `#error=` and a code (`identity_refused`,
 * `provider_failed`). Undefined when it comes from nowhere.
 * @param url `location.href`; take the fragment away then, so that a reload does not show it again
 */
export function readVisit(url: string): { readonly grant: string } | { readonly error: string } | undefined {
  const fragment = new URLSearchParams(url.split('#')[1])
  const [grant, error] = [fragment.get('grant'), fragment.get('error')]
  if (grant !== null) return { grant }
  return error === null ? undefined : { error }
}
