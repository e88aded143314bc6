/** The security events of the caller's account. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { clientInfo, answered, closed, listOf, named, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const EventId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })

export const SecurityEvent = named(
  'SecurityEvent',
  Type.Object(
    {
      id: EventId,
      kind: Type.String({ description: 'The kind of event: `signed_in`, `password_changed`, `refresh_token_reused`…' }),
      at: At,
      ...clientInfo,
      session: Type.Optional(
        Type.With(Uuid, { description: 'The session that caused the event or is affected by it.' }),
      ),
      detail: Type.Record(Type.String(), Type.String(), { description: 'Additional details.' }),
    },
    closed,
  ),
)
export type SecurityEvent = Type.Static<typeof SecurityEvent>

export const security = routes('account', 'session', {
  listSecurityEvents: {
    at: 'GET /v1/me/security-events',
    summary: 'List my security events',
    description: 'Sign-ins and changes to passwords, addresses and factors, newest first.',
    query: Type.Object(
      {
        limit: pageLimit(50, 100),
        after: Type.Optional(Type.With(EventId, { description: '`next` of the previous page.' })),
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
