/** Contacts and contact requests. Both sides receive `contact.…` events. */
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

/** The recipient, named in one way, and an optional note. */
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
    description: 'Ordered by user id.',
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of contacts.', ContactPage) },
  },
  removeContact: {
    at: 'DELETE /v1/contacts/{user}',
    summary: 'Remove a contact',
    description: 'Removes it for both. The other user receives `contact.removed`.',
    params: Type.Object({ user: Uuid }, closed),
    answers: done('Removed.'),
    refusals: ['contact_unknown'],
  },
  listContactRequests: {
    at: 'GET /v1/contact-requests',
    summary: 'List my open contact requests',
    description: 'Sent or received requests, newest first.',
    query: Type.Object(
      { direction: oneOf(['sent', 'received']), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of requests.', ContactRequestPage) },
  },
  requestContact: {
    at: 'POST /v1/contact-requests',
    summary: 'Send a contact request',
    description:
      'By user id, username or email address. By email, the response does not reveal whether the address is known. If the other user has already sent a request, both become contacts at once. Limits: 100 open requests, 5,000 contacts.',
    body: Question,
    answers: {
      200: answered('The other user had already asked: a new contact.', Contact),
      201: answered('The request was sent.', ContactRequest),
      202: Type.Object(
        {},
        {
          ...closed,
          description:
            'By email: the request was sent if the address belongs to someone the caller may discover by it.',
        },
      ),
    },
    refusals: ['user_unknown', 'blocked', 'contact_exists', 'request_exists', 'limit_reached'],
  },
  acceptContactRequest: {
    at: 'POST /v1/contact-requests/{id}/accept',
    summary: 'Accept a contact request',
    description: 'The sender receives `contact.accepted`.',
    params: ById,
    answers: { 200: answered('The new contact.', Contact) },
    refusals: ['request_unknown', 'limit_reached'],
  },
  declineContactRequest: {
    at: 'POST /v1/contact-requests/{id}/decline',
    summary: 'Decline a contact request',
    description: 'The sender receives `contact.declined`.',
    params: ById,
    answers: done('Removed for both.'),
    refusals: ['request_unknown'],
  },
  cancelContactRequest: {
    at: 'DELETE /v1/contact-requests/{id}',
    summary: 'Cancel a contact request',
    description: 'The recipient receives `contact.cancelled`.',
    params: ById,
    answers: done('Removed for both.'),
    refusals: ['request_unknown'],
  },
})
