/** The caller’s own sign-ins: which there are, and ending those that should not be. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { whence, answered, ById, closed, done, listOf, named } from './fields.ts'
import { routes } from './route.ts'

export const Session = named(
  'Session',
  Type.Object(
    {
      id: Uuid,
      deviceName: Type.String(),
      signedInBy: Type.String({ description: 'What was shown to sign in.' }),
      ...whence,
      createdAt: At,
      seenAt: Type.With(At, { description: 'When it was last refreshed, from that address; milliseconds since 1970.' }),
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
    description: 'The one that asks comes first, then the newest; 100 at most.',
    answers: { 200: answered('The sessions.', Type.Object({ sessions: listOf(Session) }, closed)) },
  },
  revokeSession: {
    at: 'DELETE /v1/sessions/{id}',
    summary: 'End one of my sessions',
    description:
      'Its tokens become worthless at once, its sockets close within two seconds, and nothing is pushed to its devices.',
    params: ById,
    answers: done(),
    refusals: ['session_unknown'],
  },
  revokeSessions: {
    at: 'DELETE /v1/sessions',
    summary: 'End all my other sessions',
    description:
      'Their tokens become worthless at once, their sockets close within two seconds, and nothing is pushed to their devices.',
    query: Type.Object(
      { current: Type.Optional(Type.Literal('true', { description: 'The one of this request too.' })) },
      closed,
    ),
    answers: done(),
  },
})
