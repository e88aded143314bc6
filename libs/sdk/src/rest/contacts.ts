/** Contacts and contact requests. Live, both sides receive each change (event `contact`). */
import type { Contact, ContactRequest } from '@flotilla/protocol'
import type { Ask, Page } from './ask.ts'

/** The recipient, named in one way, and an optional note of up to 300 characters. */
export type NewContactRequest = (
  | { readonly user: string }
  | { readonly username: string }
  | { readonly email: string }
) & { readonly note?: string }

/** The result of a request: a contact, if the other user had already asked, or an open request. */
export interface ContactRequestResult {
  readonly contact?: Contact
  /** By email, both are missing, so as not to reveal whether the address is known. */
  readonly request?: ContactRequest
}

export const createContacts = (ask: Ask) => ({
  /** Ordered by user id; it continues at `next`. */
  list: (page: Page = {}) => ask('GET /v1/contacts', { query: page }),
  /** Removes it for both. @throws FlotillaError contact_unknown */
  remove: (user: string) => ask('DELETE /v1/contacts/{user}', { user }),

  /** Open requests, sent or received, newest first; it continues at `next`. */
  requests: (page: Page & { readonly direction: 'sent' | 'received' }) =>
    ask('GET /v1/contact-requests', { query: page }),
  /**
   * Sends a contact request.
   * @throws FlotillaError user_unknown, contact_exists, request_exists, blocked, limit_reached, rate_limited
   */
  async request(question: NewContactRequest): Promise<ContactRequestResult> {
    const answer = await ask('POST /v1/contact-requests', { body: question })
    if ('id' in answer) return { request: answer }
    return 'user' in answer ? { contact: answer } : {}
  },
  /** @throws FlotillaError request_unknown, limit_reached */
  accept: (request: string) => ask('POST /v1/contact-requests/{id}/accept', { id: request }),
  /** @throws FlotillaError request_unknown */
  decline: (request: string) => ask('POST /v1/contact-requests/{id}/decline', { id: request }),
  /** Cancels a sent request. @throws FlotillaError request_unknown */
  cancel: (request: string) => ask('DELETE /v1/contact-requests/{id}', { id: request }),
})
