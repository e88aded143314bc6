/** Signing in, staying signed in, signing out. A browser asks for the refresh token as a cookie (cookies.ts). */
import { sessions } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import {
  clearRefreshCookie,
  CookieHeader,
  deviceOf,
  deviceToken,
  readRefreshCookie,
  setDeviceCookie,
  setRefreshCookie,
  wantsCookie,
} from '../cookies.ts'
import { takeTryByName, withPlace } from '../password-tries.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import {
  answered,
  DeviceName,
  DeviceToken,
  FactorNeeded,
  Password,
  ShownCode,
  SignedIn,
  SignInName,
} from '../shapes.ts'
import { signAccessToken, signRefreshToken, verifyRefreshToken } from '../tokens.ts'
import { takeTry } from './codes.ts'

const closed = { additionalProperties: false }
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
  const device = { user: user.id, session }
  if (!wantsCookie(request)) return { ...answer, refreshToken, device: deviceToken(deps, device) }
  setRefreshCookie(deps, reply, refreshToken)
  setDeviceCookie(deps, reply, device)
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
          'Takes the username, or the address of the account instead. With a second factor set up, the answer is 200 and names what will do: go on at `POST /v1/sessions/second-factor`. After many wrong passwords for one name the answer is `rate_limited`, for growing times; a device that shows the `device` of an earlier sign-in is counted by itself.',
        tags: ['sign-in'],
        headers: CookieHeader,
        body: Type.Object(
          {
            username: SignInName,
            password: Password,
            deviceName: Type.Optional(DeviceName),
            device: Type.Optional(DeviceToken),
          },
          closed,
        ),
        response: { ...signInAnswers, ...refusals(...bodyCodes, 'credentials_wrong', 'account_suspended') },
      },
    },
    async (request, reply) => {
      const { username, password, deviceName, device } = request.body
      const client = clientOf(deps, request, deviceName)
      const result = await withPlace(chat, async place => {
        const tried = await takeTryByName(deps, request, username, deviceOf(deps, request, device))
        const signed = await sessions.signIn(chat, { username, password, client, place, mayTry: tried.mayTry })
        await tried.wasRight()
        return signed
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
      const { refreshToken } = request.body
      const cookie = readRefreshCookie(deps, request)
      const stated = refreshToken === undefined ? cookie.stated : verifyRefreshToken(deps.keys.refresh, refreshToken)
      try {
        if (stated === undefined) throw new Refusal('refresh_invalid')
        const input = { ...stated, client: clientOf(deps, request), attempt: request.body.attempt }
        return answerSignedIn(app, deps, request, reply, await sessions.refresh(chat, input))
      } catch (error) {
        // A dead cookie would be sent again for ever.
        const dead = error instanceof Refusal && error.code.startsWith('refresh_')
        if (dead && cookie.held) clearRefreshCookie(deps, reply)
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
