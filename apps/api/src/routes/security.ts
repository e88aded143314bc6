/** What happened to one's own account. */
import { security } from '@flotilla/chat'
import { At, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from '../refusals.ts'
import { answered, listOf, named, pageLimit } from '../shapes.ts'
import { whence } from './own-sessions.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

const EventId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

const SecurityEvent = named(
  'SecurityEvent',
  Type.Object(
    {
      id: EventId,
      kind: Type.String({ description: 'What happened: `signed_in`, `password_changed`, `refresh_reused`…' }),
      at: At,
      ...whence,
      session: Type.Optional(Type.With(Uuid, { description: 'The session that it was done with, or is about.' })),
      detail: Type.Record(Type.String(), Type.String(), { description: 'Short facts that belong to the kind.' }),
    },
    closed,
  ),
)

export function securityRoutes(app: Api, deps: RouteDeps): void {
  app.get(
    '/me/security-events',
    {
      preParsing: deps.authenticate,
      schema: {
        operationId: 'listSecurityEvents',
        summary: 'List what happened to my account',
        description: 'Sign-ins, changed passwords, addresses and factors: the latest first.',
        tags: ['account'],
        security: [{ accessToken: [] }],
        querystring: Type.Object(
          {
            limit: pageLimit(pageDefault, pageMax),
            after: Type.Optional(Type.With(EventId, { description: '`next` of the page before.' })),
          },
          closed,
        ),
        response: {
          200: answered(
            'A page of events.',
            Type.Object({ events: listOf(SecurityEvent), next: Type.Optional(EventId) }, closed),
          ),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return security.list(deps.chat, request.caller.user, { limit, after })
    },
  )
}
