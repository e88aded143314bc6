/** Contacts, and the requests by which people become contacts. Live, both sides hear `contact.…`. */
import { Type } from 'typebox'
import * as wire from '../down/contacts.ts'
import { At, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import {
  answered,
  ById,
  closed,
  done,
  Email,
  listOf,
  named,
  oneOf,
  PageCursor,
  pageLimit,
  saying,
  textOf,
  User,
  Username,
} from './fields.ts'
import { routes } from './route.ts'

export const Contact = named('Contact', Type.Object({ user: User, at: At }, closed))
export type Contact = Type.Static<typeof Contact>
const ContactPage = Type.Object({ contacts: listOf(Contact), next: Type.Optional(Uuid) }, closed)

const ContactRequest = named('ContactRequest', wire.ContactRequest)
const ContactRequestPage = Type.Object({ requests: listOf(ContactRequest), next: Type.Optional(PageCursor) }, closed)

/** Whom a request is for, in one way, and what goes with it. */
const Question = saying(
  { oneOf: [{ required: ['user'] }, { required: ['username'] }, { required: ['email'] }] },
  Type.Object(
    {
      user: Type.Optional(Uuid),
      username: Type.Optional(Username),
      email: Type.Optional(Email),
      note: Type.Optional(textOf(limits.contactNoteLengthMax)),
    },
    { ...closed, description: 'One of `user`, `username` and `email`.' },
  ),
)
export const contacts = routes('contacts', 'session', {
  listContacts: {
    at: 'GET /v1/contacts',
    summary: 'List my contacts',
    description: 'In the order of their ids.',
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of contacts.', ContactPage) },
  },
  removeContact: {
    at: 'DELETE /v1/contacts/{user}',
    summary: 'End a contact',
    description: 'For both. The other hears of it by `contact.removed`.',
    params: Type.Object({ user: Uuid }, closed),
    answers: done('They are contacts no more.'),
    refusals: ['contact_unknown'],
  },
  listContactRequests: {
    at: 'GET /v1/contact-requests',
    summary: 'List my open contact requests',
    description: 'Those that the caller sent, or those that they got; the latest first.',
    query: Type.Object(
      { direction: oneOf(['sent', 'received']), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of requests.', ContactRequestPage) },
  },
  requestContact: {
    at: 'POST /v1/contact-requests',
    summary: 'Ask somebody to be a contact',
    description:
      'By id, by username, or by an address, whose answer is the same whether or not somebody has it. Somebody who has asked the caller before becomes a contact at once. 100 requests may be open, and 5,000 contacts made.',
    body: Question,
    answers: {
      200: answered('The person had asked already: a contact.', Contact),
      201: answered('The person is asked.', ContactRequest),
      202: Type.Object(
        {},
        { ...closed, description: 'By address: whoever has it and lets the caller find them by it is asked.' },
      ),
    },
    refusals: ['user_unknown', 'direct_closed', 'contact_exists', 'request_exists', 'too_many'],
  },
  acceptContactRequest: {
    at: 'POST /v1/contact-requests/{id}/accept',
    summary: 'Accept a contact request',
    description: 'The two are contacts from then on; the sender hears of it by `contact.accepted`.',
    params: ById,
    answers: { 200: answered('The new contact.', Contact) },
    refusals: ['request_unknown', 'too_many'],
  },
  rejectContactRequest: {
    at: 'POST /v1/contact-requests/{id}/reject',
    summary: 'Reject a contact request',
    description: 'The sender hears of it by `contact.rejected`.',
    params: ById,
    answers: done('It is gone, and both sides know.'),
    refusals: ['request_unknown'],
  },
  cancelContactRequest: {
    at: 'DELETE /v1/contact-requests/{id}',
    summary: 'Take back a contact request',
    description: 'The request disappears for the other too, by `contact.cancelled`.',
    params: ById,
    answers: done('It is gone, and both sides know.'),
    refusals: ['request_unknown'],
  },
})
