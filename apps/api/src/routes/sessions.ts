/**
 * Signing in, staying signed in, signing out. A browser asks for the refresh token as a cookie that its scripts cannot
 * read. The cookie is SameSite=Strict, goes to these routes only, is read by the refresh alone, and that only with a header
 * that a foreign page cannot send without being asked by CORS first: three walls against forged requests.
 */
import { sessions } from '@flotilla/chat'
import { Refusal, Uuid } from '@flotilla/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { takeTryByName, withPlace } from '../password-tries.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, DeviceName, FactorNeeded, Password, ShownCode, SignedIn, SignInName } from '../shapes.ts'
import { signAccessToken, signRefreshToken, verifyRefreshToken } from '../tokens.ts'
import { takeTry } from './codes.ts'

const closed = { additionalProperties: false }
const cookieName = 'flotilla_refresh'

export const CookieHeader = Type.Object({
  'x-flotilla-cookie': Type.Optional(
    Type.Literal('1', { description: 'Put the refresh token into an HTTP-only cookie instead of the body.' }),
  ),
})

const wantsCookie = (request: FastifyRequest) => request.headers['x-flotilla-cookie'] === '1'

const cookieOptions = (deps: RouteDeps) =>
  ({ path: '/v1/sessions', httpOnly: true, sameSite: 'strict', secure: deps.settings.cookieSecure }) as const

/** Takes the cookie away from a browser whose session is over. */
export const clearRefreshCookie = (deps: RouteDeps, reply: FastifyReply) =>
  reply.clearCookie(cookieName, cookieOptions(deps))

/** What a route that signs in can answer. */
export const signInAnswers = {
  200: FactorNeeded,
  201: answered('Signed in: the person, the session, and its tokens.', SignedIn),
}

/** The answer to everything that signs in: the tokens with 201, or with 200 the question for a second factor. */
export function answerSignIn(
  app: Api,
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  result: sessions.SignedIn | sessions.FactorNeeded,
): FastifyReply {
  if ('challenge' in result) return reply.code(200).send({ secondFactor: result })
  return reply.code(201).send(answerSignedIn(app, deps, request, reply, result))
}

/** Both tokens, the second where the caller wants it. */
function answerSignedIn(
  app: Api,
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: sessions.SignedIn,
): Static<typeof SignedIn> {
  const { user, session, number } = opened
  const refreshToken = signRefreshToken(deps.keys.refresh, session, number)
  const answer = {
    user,
    session,
    accessToken: signAccessToken(app, { user: user.id, session }, deps.chat.clock()),
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
        summary: 'Sign in by a password',
        description:
          'Takes the username, or the address of the account instead. With a second factor set up, the answer is 200 and names what will do: go on at `POST /v1/sessions/second-factor`.',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object({ username: SignInName, password: Password, deviceName: Type.Optional(DeviceName) }, closed),
        response: { ...signInAnswers, ...refusals(...bodyCodes, 'credentials_wrong', 'account_suspended') },
      },
    },
    async (request, reply) => {
      const { username, password, deviceName } = request.body
      const client = clientOf(deps, request, deviceName)
      const result = await withPlace(chat, async place => {
        const mayTry = await takeTryByName(deps, request, username)
        return sessions.signIn(chat, { username, password, client, place, mayTry })
      })
      return answerSignIn(app, deps, request, reply, result)
    },
  )

  app.post(
    '/sessions/by-code',
    {
      schema: {
        operationId: 'signInByCode',
        summary: 'Sign in by a code',
        description: 'Takes a code for `sign-in`, sent by `POST /v1/codes`.',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object({ ...ShownCode.properties, deviceName: Type.Optional(DeviceName) }, closed),
        response: { ...signInAnswers, ...refusals(...bodyCodes, 'code_invalid', 'account_suspended') },
      },
    },
    async (request, reply) => {
      const { deviceName, ...shown } = request.body
      await takeTry(deps, request, shown)
      const client = clientOf(deps, request, deviceName)
      return answerSignIn(app, deps, request, reply, await sessions.signInByCode(chat, { ...shown, client }))
    },
  )

  app.post(
    '/sessions/refresh',
    {
      schema: {
        operationId: 'refresh',
        summary: 'Exchange a refresh token for new tokens',
        description:
          'A refresh token is good once; using an older one ends the session. The one just before is tolerated for ten seconds if the request carries the `attempt` of the refresh that used it, or comes from the same address and program: that is a repeated request, or two tabs that refresh at once. The cookie is read only with the header `x-flotilla-cookie: 1`.',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object(
          {
            refreshToken: Type.Optional(Type.String({ maxLength: 256 })),
            attempt: Type.Optional(
              Type.With(Uuid, { description: 'Chosen anew for each refresh; the same when that is tried again.' }),
            ),
          },
          closed,
        ),
        response: {
          200: answered('The person, the session, and new tokens.', SignedIn),
          ...refusals(...bodyCodes, 'refresh_invalid', 'refresh_reused', 'account_suspended'),
        },
      },
    },
    async (request, reply) => {
      const cookie = wantsCookie(request) ? request.cookies[cookieName] : undefined
      const stated = verifyRefreshToken(deps.keys.refresh, request.body.refreshToken ?? cookie ?? '')
      try {
        if (stated === undefined) throw new Refusal('refresh_invalid')
        const input = { ...stated, client: clientOf(deps, request), attempt: request.body.attempt }
        return answerSignedIn(app, deps, request, reply, await sessions.refresh(chat, input))
      } catch (error) {
        // A dead cookie would be sent again for ever.
        const dead = error instanceof Refusal && error.code.startsWith('refresh_')
        if (dead && cookie !== undefined) clearRefreshCookie(deps, reply)
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
        description: 'The session ends: its tokens become worthless at once, and its sockets close.',
        tags: ['sign-in'],
        security: [{ accessToken: [] }],
        response: { 204: Type.Null({ description: 'Done.' }), ...refusals('unauthenticated') },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await sessions.signOut(chat, user, { session, client: clientOf(deps, request) })
      return clearRefreshCookie(deps, reply).code(204).send(null)
    },
  )
}
