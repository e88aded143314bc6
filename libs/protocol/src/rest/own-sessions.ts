/** The caller’s own sessions: list and revoke. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { clientInfo, answered, ById, closed, done, listOf, named } from './fields.ts'
import { routes } from './route.ts'

export const Session = named(
  'Session',
  Type.Object(
    {
      id: Uuid,
      deviceName: Type.String(),
      signInMethod: Type.String({ description: 'How the user signed in: `password`, `email_code`, `passkey`…' }),
      ...clientInfo,
      createdAt: At,
      seenAt: Type.With(At, { description: 'When it was last refreshed, in milliseconds since 1970.' }),
      current: Type.Boolean({ description: 'The session of this request.' }),
    },
    closed,
  ),
)
export type Session = Type.Static<typeof Session>

export const ownSessions = routes('sign-in', 'session', {
  listSessions: {
    at: 'GET /v1/sessions',
    summary: 'List my sessions',
    description: 'The current session first, then newest first; at most 100.',
    answers: { 200: answered('The sessions.', Type.Object({ sessions: listOf(Session) }, closed)) },
  },
  revokeSession: {
    at: 'DELETE /v1/sessions/{id}',
    summary: 'Revoke a session',
    description:
      'Invalidates its tokens at once, closes its sockets within two seconds, and stops push notifications to its devices.',
    params: ById,
    answers: done(),
    refusals: ['session_unknown'],
  },
  revokeSessions: {
    at: 'DELETE /v1/sessions',
    summary: 'Revoke all other sessions',
    description:
      'Invalidates their tokens at once, closes their sockets within two seconds, and stops push notifications to their devices.',
    query: Type.Object(
      { current: Type.Optional(Type.Literal('true', { description: 'Also revoke the current session.' })) },
      closed,
    ),
    answers: done(),
  },
})
