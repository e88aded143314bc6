/** People: registering. */
import { accounts } from '@flotilla/chat'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { addressOf, take } from '../limits.ts'
import { withPlace } from '../password-tries.ts'
import { Check, demandCheck } from '../registration-check.ts'
import { bodyCodes, refusals, registrationRefusals } from '../refusals.ts'
import { DeviceName, DisplayName, InvitationCode, NewPassword, ShownCode, Username } from '../shapes.ts'
import { takeTry } from './codes.ts'
import { CookieHeader } from '../cookies.ts'
import { answerSignIn, signInAnswers } from './sessions.ts'

const closed = { additionalProperties: false }

const Registration = Type.Object(
  {
    username: Type.Optional(Username),
    password: Type.Optional(NewPassword),
    email: Type.Optional(
      Type.With(ShownCode, { description: 'A code for `register`: its address becomes that of the account.' }),
    ),
    displayName: Type.Optional(DisplayName),
    deviceName: Type.Optional(DeviceName),
    invitation: Type.Optional(InvitationCode),
    check: Type.Optional(Check),
  },
  closed,
)

export function userRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps

  app.post(
    '/users',
    {
      schema: {
        operationId: 'register',
        summary: 'Register and sign in',
        description:
          'A username alone is enough. Without one, the name is made from the address, or at random. Registering also opens the first session. `GET /v1/registration` says whom the deployment takes, and whether `check` must be shown.',
        tags: ['people'],
        headers: CookieHeader,
        body: Registration,
        response: {
          ...signInAnswers,
          ...refusals(
            ...bodyCodes,
            ...registrationRefusals,
            'username_taken',
            'email_taken',
            'password_weak',
            'code_invalid',
            'check_needed',
          ),
        },
      },
    },
    async (request, reply) => {
      const { deviceName, check, ...registration } = request.body
      const client = clientOf(deps, request, deviceName)
      accounts.demandNotClosed(chat)
      await demandCheck(deps, request, check)
      const register = async (place?: accounts.Place) => {
        await take(deps.counter, `register:${addressOf(request)}`, deps.settings.registrations)
        if (registration.email !== undefined) await takeTry(deps, request, registration.email)
        return accounts.register(chat, { ...registration, client, place })
      }
      const signedIn = await (registration.password === undefined ? register() : withPlace(chat, register))
      return answerSignIn(app, deps, request, reply, signedIn)
    },
  )
}
