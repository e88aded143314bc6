/** What happened to one’s own account. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { whence, answered, closed, listOf, named, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const EventId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const SecurityEvent = named(
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
export type SecurityEvent = Type.Static<typeof SecurityEvent>

export const security = routes('account', 'session', {
  listSecurityEvents: {
    at: 'GET /v1/me/security-events',
    summary: 'List what happened to my account',
    description: 'Sign-ins, changed passwords, addresses and factors: the latest first.',
    query: Type.Object(
      {
        limit: pageLimit(50, 100),
        after: Type.Optional(Type.With(EventId, { description: '`next` of the page before.' })),
      },
      closed,
    ),
    answers: {
      200: answered(
        'A page of events.',
        Type.Object({ events: listOf(SecurityEvent), next: Type.Optional(EventId) }, closed),
      ),
    },
  },
})
