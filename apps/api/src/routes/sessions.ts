/**
 * Signing in, staying signed in, signing out. A browser asks for the refresh token as a cookie that its scripts cannot
 * read. The cookie is SameSite=Strict, goes to these routes only, is read by the refresh alone, and that only with a header
 * that a foreign page cannot send without being asked by CORS first: three walls against forged requests.
 */
import { sessions } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { addressOf, take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { DeviceName, Password, SignedIn, type User, Username } from '../shapes.ts'
import { signAccessToken, signRefreshToken, verifyRefreshToken } from '../tokens.ts'

const closed = { additionalProperties: false }
const cookieName = 'flotilla_refresh'
export const deviceNameDefault = 'unnamed device'

export const CookieHeader = Type.Object({
  'x-flotilla-cookie': Type.Optional(
    Type.Literal('1', { description: 'Put the refresh token into an HTTP-only cookie instead of the body.' }),
  ),
})

interface Opened {
  readonly user: Static<typeof User>
  readonly session: string
  readonly number: number
}

const wantsCookie = (request: FastifyRequest) => request.headers['x-flotilla-cookie'] === '1'

const cookieOptions = (deps: RouteDeps) =>
  ({ path: '/v1/sessions', httpOnly: true, sameSite: 'strict', secure: deps.settings.cookieSecure }) as const

/** The answer to everything that signs in: both tokens, the second where the caller wants it. */
export function answerSignedIn(
  app: Api,
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: Opened,
): Static<typeof SignedIn> {
  const { user, session, number } = opened
  const refreshToken = signRefreshToken(deps.keys.refresh, session, number)
  const answer = {
    user,
    session,
    accessToken: signAccessToken(app, { user: user.id, session }),
    accessTokenExpiresInMs: deps.settings.accessTokenLifeMs,
  }
  if (!wantsCookie(request)) return { ...answer, refreshToken }
  const maxAge = Math.floor(deps.chat.settings.sessionIdleMs / 1000)
  reply.setCookie(cookieName, refreshToken, { ...cookieOptions(deps), maxAge })
  return answer
}

export function sessionRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps

  app.post(
    '/sessions',
    {
      schema: {
        operationId: 'signIn',
        summary: 'Sign in',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object({ username: Username, password: Password, deviceName: Type.Optional(DeviceName) }, closed),
        response: { 201: SignedIn, ...refusals(...bodyCodes, 'credentials_wrong') },
      },
    },
    async (request, reply) => {
      const { username, password, deviceName = deviceNameDefault } = request.body
      await take(deps.counter, `sign-in:${username.toLowerCase()}:${addressOf(request)}`, deps.settings.signIns)
      const opened = await sessions.signIn(chat, { username, password, deviceName })
      return answerSignedIn(app, deps, request, reply.code(201), opened)
    },
  )

  app.post(
    '/sessions/refresh',
    {
      schema: {
        operationId: 'refresh',
        summary: 'New tokens for an old refresh token',
        description:
          'Each refresh token is good once; to use an older one ends the session. The one just before is tolerated for a moment, for two tabs that refresh at once. The cookie is read only with the header `x-flotilla-cookie: 1`.',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object({ refreshToken: Type.Optional(Type.String({ maxLength: 256 })) }, closed),
        response: { 200: SignedIn, ...refusals(...bodyCodes, 'refresh_invalid', 'refresh_reused') },
      },
    },
    async (request, reply) => {
      const cookie = wantsCookie(request) ? request.cookies[cookieName] : undefined
      const stated = verifyRefreshToken(deps.keys.refresh, request.body.refreshToken ?? cookie ?? '')
      try {
        if (stated === undefined) throw new Refusal('refresh_invalid')
        return answerSignedIn(app, deps, request, reply, await sessions.refresh(chat, stated))
      } catch (error) {
        // A dead cookie would be sent again for ever.
        const dead = error instanceof Refusal && error.code.startsWith('refresh_')
        if (dead && cookie !== undefined) reply.clearCookie(cookieName, cookieOptions(deps))
        throw error
      }
    },
  )

  app.delete(
    '/sessions/current',
    {
      preParsing: deps.authenticate,
      schema: {
        operationId: 'signOut',
        summary: 'Sign out',
        description: 'The session ends: its tokens are worth nothing from now on, and its sockets close.',
        tags: ['sign-in'],
        security: [{ accessToken: [] }],
        response: { 204: Type.Null({ description: 'Done.' }), ...refusals('unauthenticated') },
      },
    },
    async (request, reply) => {
      await sessions.end(chat, request.caller.session)
      return reply.clearCookie(cookieName, cookieOptions(deps)).code(204).send(null)
    },
  )
}
