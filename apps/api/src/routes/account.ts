/** What one signs in by: the password, the address, the username. */
import { accounts } from '@flotilla/chat'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { take } from '../limits.ts'
import { takeOwnTry, withPlace } from '../password-tries.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, AskedCode, DeviceName, Email, NewPassword, Password, ShownCode, User, Username } from '../shapes.ts'
import { takeCode, takeTry } from './codes.ts'
import { CookieHeader } from '../cookies.ts'
import { answerSignIn, signInAnswers } from './sessions.ts'

const closed = { additionalProperties: false }
const security = [{ accessToken: [] }]
const tags = ['account']
const Done = Type.Null({ description: 'Done.' })

export function accountRoutes(app: Api, deps: RouteDeps): void {
  passwordRoutes(app, deps)
  emailRoutes(app, deps)
  usernameRoute(app, deps)
}

function passwordRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticateChange } = deps

  app.post(
    '/password-resets',
    {
      schema: {
        operationId: 'resetPassword',
        summary: 'Set a new password by a code, and sign in',
        description: 'Takes a code for `reset-password`. All earlier sessions end.',
        tags,
        headers: CookieHeader,
        body: Type.Object(
          { ...ShownCode.properties, password: NewPassword, deviceName: Type.Optional(DeviceName) },
          closed,
        ),
        response: { ...signInAnswers, ...refusals(...bodyCodes, 'code_invalid', 'password_weak', 'account_suspended') },
      },
    },
    async (request, reply) => {
      const { deviceName, ...shown } = request.body
      const client = clientOf(deps, request, deviceName)
      const result = await withPlace(chat, async place => {
        await takeTry(deps, request, shown)
        return accounts.resetPassword(chat, { ...shown, client, place })
      })
      return answerSignIn(app, deps, request, reply, result)
    },
  )

  app.put(
    '/me/password',
    {
      preParsing: authenticateChange,
      schema: {
        operationId: 'setPassword',
        summary: 'Set my password',
        description:
          'With the current password, if there is one; without one, a fresh proof is asked for. All other sessions end.',
        tags,
        security,
        body: Type.Object({ current: Type.Optional(Password), password: NewPassword }, closed),
        response: {
          204: Done,
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'user_unknown',
            'credentials_wrong',
            'proof_needed',
            'password_weak',
          ),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      const client = clientOf(deps, request)
      await withPlace(chat, async place => {
        await takeOwnTry(deps, request, user)
        await take(deps.counter, `factor:${user}:${session}`, deps.settings.factorTries)
        await accounts.setPassword(chat, user, { ...request.body, session, client, place })
      })
      return reply.code(204).send(null)
    },
  )
}

function emailRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate, authenticateChange } = deps

  app.post(
    '/me/email',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'askEmail',
        summary: 'Send a code to my new address',
        description: 'Asks for a fresh proof. It does not tell whether another account has the address.',
        tags,
        security,
        body: Type.Object({ email: Email }, closed),
        response: {
          202: answered('The request to show together with the code.', AskedCode),
          ...refusals(...bodyCodes, 'unauthenticated', 'proof_needed', 'mail_unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      const taken = await takeCode(deps, request, request.body.email)
      return reply.code(202).send(await accounts.askEmail(chat, user, { session, ...taken }))
    },
  )

  app.put(
    '/me/email',
    {
      preParsing: authenticateChange,
      schema: {
        operationId: 'changeEmail',
        summary: 'Take a new address, by its code',
        description: 'The previous address is told by mail.',
        tags,
        security,
        body: ShownCode,
        response: { 204: Done, ...refusals(...bodyCodes, 'unauthenticated', 'code_invalid', 'email_taken') },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await takeTry(deps, request, request.body)
      await accounts.changeEmail(chat, user, { ...request.body, session, client: clientOf(deps, request) })
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/me/email',
    {
      preParsing: authenticateChange,
      schema: {
        operationId: 'removeEmail',
        summary: 'Remove my address',
        description: 'Asks for a fresh proof, and for another way to sign in.',
        tags,
        security,
        response: {
          204: Done,
          ...refusals('unauthenticated', 'user_unknown', 'proof_needed', 'last_way_in', 'factor_conflict'),
        },
      },
    },
    async (request, reply) => {
      const { user, session } = request.caller
      await accounts.removeEmail(chat, user, { session, client: clientOf(deps, request) })
      return reply.code(204).send(null)
    },
  )
}

function usernameRoute(app: Api, deps: RouteDeps): void {
  const { chat, authenticate } = deps

  app.put(
    '/me/username',
    {
      preParsing: authenticate,
      schema: {
        operationId: 'changeUsername',
        summary: 'Change my username',
        description: 'For a time nobody else gets the previous name, nor one that looks like it.',
        tags,
        security,
        body: Type.Object({ username: Username }, closed),
        response: {
          200: answered('The person with the new name.', User),
          ...refusals(...bodyCodes, 'unauthenticated', 'username_taken'),
        },
      },
    },
    async request => {
      const { user, session } = request.caller
      await take(deps.counter, `username:${user}`, deps.settings.usernameChanges)
      const { username } = request.body
      return accounts.changeUsername(chat, user, { username, session, client: clientOf(deps, request) })
    },
  )
}
