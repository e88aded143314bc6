/** Contacts, and the requests by which people become contacts. Live, both sides hear of each step (event `contact`). */
import type { ContactRequest } from '@flotilla/protocol'
import type { User } from './people.ts'
import type { Page, Signed } from './signed.ts'

export interface Contact {
  readonly user: User
  /** Since when: milliseconds since 1970. */
  readonly at: number
}

/** Whom a request is for, in one way, and what goes with it (300 characters at the most). */
export type ContactQuestion = (
  | { readonly user: string }
  | { readonly username: string }
  | { readonly email: string }
) & { readonly note?: string }

/** What has become of a request: a contact at once, as the person had asked already, or an open request. */
export interface Requested {
  readonly contact?: Contact
  /** Neither comes when it was sent by address: whether somebody has it is not told. */
  readonly request?: ContactRequest
}

export function createContacts(signed: Signed) {
  const at = (request: string, more = '') => `/v1/contact-requests/${encodeURIComponent(request)}${more}`
  return {
    /** In the order of their ids; it goes on at `next`. */
    list: (page: Page = {}) =>
      signed<{ contacts: readonly Contact[]; next?: string }>('GET', '/v1/contacts', { query: { ...page } }),
    /** Ends it for both. @throws FlotillaError contact_unknown */
    remove: (user: string) => signed<undefined>('DELETE', `/v1/contacts/${encodeURIComponent(user)}`),

    /** The open ones that one sent, or got, the latest first; it goes on at `next`. */
    requests: (page: Page & { readonly direction: 'sent' | 'received' }) =>
      signed<{ requests: readonly ContactRequest[]; next?: string }>('GET', '/v1/contact-requests', {
        query: { ...page },
      }),
    /**
     * Asks somebody to be contacts.
     * @throws FlotillaError user_unknown, contact_exists, request_exists, direct_closed, too_many, rate_limited
     */
    async request(question: ContactQuestion): Promise<Requested> {
      const answer = await signed<Contact | ContactRequest | object>('POST', '/v1/contact-requests', { body: question })
      if ('id' in answer) return { request: answer }
      return 'user' in answer ? { contact: answer } : {}
    },
    /** @throws FlotillaError request_unknown, too_many */
    accept: (request: string) => signed<Contact>('POST', at(request, '/accept')),
    /** @throws FlotillaError request_unknown */
    reject: (request: string) => signed<undefined>('POST', at(request, '/reject')),
    /** Takes back one that one sent. @throws FlotillaError request_unknown */
    cancel: (request: string) => signed<undefined>('DELETE', at(request)),
  }
}
