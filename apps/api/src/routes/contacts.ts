/** Contacts, and the requests by which people become contacts. Live, both sides hear `contact.…`. */
import { contacts, users } from '@flotilla/chat'
import { limits, Refusal } from '@flotilla/protocol'
import { ContactRequest, Uuid } from '@flotilla/protocol/schemas'
import { type Static, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import {
  answered,
  ById,
  Contact,
  ContactPage,
  ContactRequestPage,
  Email,
  named,
  PageCursor,
  pageLimit,
  Username,
  saying,
  textOf,
} from '../shapes.ts'

const closed = { additionalProperties: false }
const contactsPageDefault = 100
const contactsPageMax = 200
const requestsPageDefault = 50
const requestsPageMax = 100

const Asking = saying(
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

/** @throws Refusal field_invalid unless one person is named, in one way */
function demandOneName({ user, username, email }: Static<typeof Asking>): void {
  if ([user, username, email].filter(one => one !== undefined).length === 1) return
  const rule = 'one of user, username and email'
  throw new Refusal('field_invalid', `user: must be ${rule}`, { field: 'user', rule })
}

export function contactRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['contacts'], security: [{ accessToken: [] }] }

  app.get(
    '/contacts',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listContacts',
        summary: 'List my contacts',
        description: 'In the order of their ids.',
        querystring: Type.Object(
          { limit: pageLimit(contactsPageDefault, contactsPageMax), after: Type.Optional(Uuid) },
          closed,
        ),
        response: { 200: answered('A page of contacts.', ContactPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { limit = contactsPageDefault, after } = request.query
      return contacts.list(chat, request.caller.user, { limit, after })
    },
  )

  app.delete(
    '/contacts/:user',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'removeContact',
        summary: 'End a contact',
        description: 'For both. The other hears of it by `contact.removed`.',
        params: Type.Object({ user: Uuid }, closed),
        response: {
          204: Type.Null({ description: 'They are contacts no more.' }),
          ...refusals('unauthenticated', 'contact_unknown'),
        },
      },
    },
    async (request, reply) => {
      await contacts.remove(chat, request.caller.user, request.params.user)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/contact-requests',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listContactRequests',
        summary: 'List my open contact requests',
        description: 'Those that the caller sent, or those that they got; the latest first.',
        querystring: Type.Object(
          {
            direction: Type.Union([Type.Literal('sent'), Type.Literal('received')]),
            limit: pageLimit(requestsPageDefault, requestsPageMax),
            after: Type.Optional(PageCursor),
          },
          closed,
        ),
        response: { 200: answered('A page of requests.', ContactRequestPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { direction, limit = requestsPageDefault, after } = request.query
      return contacts.requests(chat, request.caller.user, { direction, limit, after })
    },
  )

  app.post(
    '/contact-requests',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'requestContact',
        summary: 'Ask somebody to be a contact',
        description:
          'By id, by username, or by an address, whose answer is the same whether or not somebody has it. Somebody who has asked the caller before becomes a contact at once. 100 requests may be open, and 5,000 contacts made.',
        body: Asking,
        response: {
          200: answered('The person had asked already: a contact.', Contact),
          201: answered('The person is asked.', named('ContactRequest', ContactRequest)),
          202: Type.Object(
            {},
            { ...closed, description: 'By address: whoever has it and lets the caller find them by it is asked.' },
          ),
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'user_unknown',
            'direct_closed',
            'contact_exists',
            'request_exists',
            'too_many',
          ),
        },
      },
    },
    async (request, reply) => {
      const { body, caller } = request
      demandOneName(body)
      await take(deps.counter, `contact-request:${caller.user}`, deps.settings.contactRequests)
      const { note, email } = body
      if (email !== undefined) {
        await contacts.requestByEmail(chat, caller.user, { email, note })
        return reply.code(202).send({})
      }
      const user = body.user ?? (await users.find(chat, body.username ?? '')).id
      const field = body.user === undefined ? 'username' : 'user'
      const requested = await contacts.request(chat, caller.user, { user, note, field })
      if ('contact' in requested) return reply.code(200).send(requested.contact)
      return reply.code(201).send(requested.request)
    },
  )

  decisionRoutes(app, deps)
}

function decisionRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['contacts'], security: [{ accessToken: [] }], params: ById }

  app.post(
    '/contact-requests/:id/accept',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'acceptContactRequest',
        summary: 'Accept a contact request',
        description: 'The two are contacts from then on; the sender hears of it by `contact.accepted`.',
        response: {
          200: answered('The new contact.', Contact),
          ...refusals('unauthenticated', 'request_unknown', 'too_many'),
        },
      },
    },
    async request => contacts.accept(chat, request.caller.user, request.params.id),
  )

  app.post(
    '/contact-requests/:id/reject',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'rejectContactRequest',
        summary: 'Reject a contact request',
        description: 'The sender hears of it by `contact.rejected`.',
        response: {
          204: Type.Null({ description: 'It is gone, and both sides know.' }),
          ...refusals('unauthenticated', 'request_unknown'),
        },
      },
    },
    async (request, reply) => {
      await contacts.reject(chat, request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/contact-requests/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'cancelContactRequest',
        summary: 'Take back a contact request',
        description: 'The request disappears for the other too, by `contact.cancelled`.',
        response: {
          204: Type.Null({ description: 'It is gone, and both sides know.' }),
          ...refusals('unauthenticated', 'request_unknown'),
        },
      },
    },
    async (request, reply) => {
      await contacts.cancel(chat, request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )
}
