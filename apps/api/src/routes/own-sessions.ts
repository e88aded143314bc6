/** The caller's own sign-ins: which there are, and ending those that should not be. */
import { sessions } from '@flotilla/chat'
import { At, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { clearRefreshCookie } from '../cookies.ts'
import { refusals } from '../refusals.ts'
import { answered, ById, listOf, named } from '../shapes.ts'

const closed = { additionalProperties: false }

/** Where something came from, for its owner to recognise. */
export const whence = {
  address: Type.String({ description: 'The network address; empty when there was none.' }),
  country: Type.String({ description: 'ISO 3166-1 alpha-2; empty where it is not known.' }),
  agent: Type.String({ description: 'What the program called itself.' }),
}

const Session = named(
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

export function ownSessionRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['sign-in'], security: [{ accessToken: [] }] }
  const done = Type.Null({ description: 'Done.' })

  app.get(
    '/sessions',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listSessions',
        summary: 'List my sessions',
        description: 'The one that asks comes first, then the newest; 100 at most.',
        response: {
          200: answered('The sessions.', Type.Object({ sessions: listOf(Session) }, closed)),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => ({ sessions: await sessions.list(chat, request.caller.user, request.caller.session) }),
  )

  app.delete(
    '/sessions/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'revokeSession',
        summary: 'End one of my sessions',
        description:
          'Its tokens become worthless at once, its sockets close within two seconds, and nothing is pushed to its devices.',
        params: ById,
        response: { 204: done, ...refusals('unauthenticated', 'session_unknown') },
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      await sessions.revoke(chat, caller.user, { session: params.id, client: clientOf(deps, request) })
      if (params.id === caller.session) clearRefreshCookie(deps, reply)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/sessions',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'revokeSessions',
        summary: 'End all my other sessions',
        description:
          'Their tokens become worthless at once, their sockets close within two seconds, and nothing is pushed to their devices.',
        querystring: Type.Object(
          { current: Type.Optional(Type.Literal('true', { description: 'The one of this request too.' })) },
          closed,
        ),
        response: { 204: done, ...refusals('unauthenticated') },
      },
    },
    async (request, reply) => {
      const { caller, query } = request
      const all = query.current === 'true'
      const except = all ? undefined : caller.session
      await sessions.revokeAll(chat, caller.user, { except, client: clientOf(deps, request) })
      if (all) clearRefreshCookie(deps, reply)
      return reply.code(204).send(null)
    },
  )
}
