/** Accounts elsewhere (Google, GitHub, whatever the deployment has) that belong to one's account here. */
import type { Signed } from './signed.ts'

export interface Identity {
  readonly provider: string
  /** What one is called there. */
  readonly name: string
  /** As the provider last vouched for it. */
  readonly email?: string
  /** Milliseconds since 1970. */
  readonly linkedAt: number
  readonly usedAt: number
}

/** A visit at a provider: the page goes to `url` within `lifeMs` and comes back to `returnTo` with a grant. */
export interface Visit {
  readonly url: string
  /** To keep until the page is back (`sessionStorage` will do), and to show together with the grant. */
  readonly secret: string
  readonly lifeMs: number
}

/** What a visit has brought (`readVisit`), and the secret of the answer that began it. */
export interface ShownVisit {
  /** Good once, for a minute. */
  readonly grant: string
  readonly secret: string
}

export function createIdentities(signed: Signed) {
  return {
    /** What is linked. */
    list: () => signed<{ identities: readonly Identity[] }>('GET', '/v1/me/identities'),
    /**
     * Begins a visit to link an account elsewhere, or with `prove` to show with one that is linked who one is (then
     * `proveByVisit` of createSignIn ends it). @throws FlotillaError proof_needed, provider_unknown, provider_failed
     */
    beginVisit: (visit: { readonly provider: string; readonly returnTo: string; readonly prove?: boolean }) =>
      signed<Visit>('POST', '/v1/me/identities/visits', { body: visit }),
    /** Links what the visit has brought. @throws FlotillaError identity_refused, identity_taken, too_many */
    link: (shown: ShownVisit) => signed<undefined>('POST', '/v1/me/identities', { body: shown }),
    /** @throws FlotillaError proof_needed, identity_unknown, last_way_in */
    unlink: (provider: string) => signed<undefined>('DELETE', `/v1/me/identities/${encodeURIComponent(provider)}`),
  }
}

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
