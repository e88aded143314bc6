/** Signing in, staying signed in, signing out. A browser asks for the refresh token as a cookie (cookies.ts). */
import { sessions } from '@flotilla/chat'
import { Refusal, type SecondFactorChallenge, type SignedIn } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import {
  clearRefreshCookie,
  deviceOf,
  deviceToken,
  readRefreshCookie,
  setDeviceCookie,
  setRefreshCookie,
  wantsCookie,
} from '../sign-in/cookies.ts'
import { takeTryByName, withHashSlot } from '../sign-in/password-tries.ts'
import { answer, serve } from '../http/serve.ts'
import { signAccessToken, signRefreshToken, verifyRefreshToken } from '../sign-in/tokens.ts'
import { takeTry } from './codes.ts'

/** The answer to everything that signs in: the tokens with 201, or with 200 the question for a second factor. */
export function answerSignIn(
  app: Api,
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  result: sessions.SignedIn | SecondFactorChallenge,
) {
  if ('challenge' in result) return answer(200, { secondFactor: result })
  return answer(201, answerSignedIn(app, deps, request, reply, result))
}

/** Both tokens, the second where the caller wants it. */
export function answerSignedIn(
  app: Api,
  deps: RouteDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  opened: sessions.SignedIn,
): SignedIn {
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
  serve(app, deps, rest.sessions, {
    signIn: async (request, reply) => {
      const { username, password, deviceName, device } = request.body
      const client = clientOf(deps, request, deviceName)
      const result = await withHashSlot(chat, async slot => {
        const tried = await takeTryByName(deps, request, username, deviceOf(deps, request, device))
        const signed = await sessions.signIn(chat, { username, password, client, slot, mayTry: tried.mayTry })
        await tried.wasRight()
        return signed
      })
      return answerSignIn(app, deps, request, reply, result)
    },

    signInWithCode: async (request, reply) => {
      const { deviceName, ...shown } = request.body
      await takeTry(deps, request, shown)
      const client = clientOf(deps, request, deviceName)
      return answerSignIn(app, deps, request, reply, await sessions.signInWithCode(chat, { ...shown, client }))
    },

    refresh: async (request, reply) => {
      const { refreshToken } = request.body
      const cookie = readRefreshCookie(deps, request)
      const stated = refreshToken === undefined ? cookie.stated : verifyRefreshToken(deps.keys.refresh, refreshToken)
      try {
        if (stated === undefined) throw new Refusal('refresh_token_invalid')
        const input = { ...stated, client: clientOf(deps, request), attempt: request.body.attempt }
        return answerSignedIn(app, deps, request, reply, await sessions.refresh(chat, input))
      } catch (error) {
        // A dead cookie would be sent again for ever.
        const dead = error instanceof Refusal && error.code.startsWith('refresh_')
        if (dead && cookie.held) clearRefreshCookie(deps, reply)
        throw error
      }
    },

    signOut: async (request, reply) => {
      const { user, session } = request.caller
      await sessions.signOut(chat, user, { session, client: clientOf(deps, request) })
      clearRefreshCookie(deps, reply)
    },
  })
}
