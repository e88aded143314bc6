/** Contacts, and the requests by which people become contacts. Live, both sides hear of each step (event `contact`). */
import type { Contact, ContactRequest } from '@flotilla/protocol'
import type { Ask, Page } from './ask.ts'

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

export const createContacts = (ask: Ask) => ({
  /** In the order of their ids; it goes on at `next`. */
  list: (page: Page = {}) => ask('GET /v1/contacts', { query: page }),
  /** Ends it for both. @throws FlotillaError contact_unknown */
  remove: (user: string) => ask('DELETE /v1/contacts/{user}', { user }),

  /** The open ones that one sent, or got, the latest first; it goes on at `next`. */
  requests: (page: Page & { readonly direction: 'sent' | 'received' }) =>
    ask('GET /v1/contact-requests', { query: page }),
  /**
   * Asks somebody to be contacts.
   * @throws FlotillaError user_unknown, contact_exists, request_exists, direct_closed, too_many, rate_limited
   */
  async request(question: ContactQuestion): Promise<Requested> {
    const answer = await ask('POST /v1/contact-requests', { body: question })
    if ('id' in answer) return { request: answer }
    return 'user' in answer ? { contact: answer } : {}
  },
  /** @throws FlotillaError request_unknown, too_many */
  accept: (request: string) => ask('POST /v1/contact-requests/{id}/accept', { id: request }),
  /** @throws FlotillaError request_unknown */
  reject: (request: string) => ask('POST /v1/contact-requests/{id}/reject', { id: request }),
  /** Takes back one that one sent. @throws FlotillaError request_unknown */
  cancel: (request: string) => ask('DELETE /v1/contact-requests/{id}', { id: request }),
})
