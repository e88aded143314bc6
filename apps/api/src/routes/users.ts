/** People: registering. */
import { accounts } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { addressOf, take } from '../http/limits.ts'
import { withHashSlot } from '../sign-in/password-tries.ts'
import { demandCheck } from '../sign-in/registration-check.ts'
import { serve } from '../http/serve.ts'
import { takeTry } from './codes.ts'
import { answerSignIn } from './sessions.ts'

export function userRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.users, {
    register: async (request, reply) => {
      const { deviceName, check, ...registration } = request.body
      const client = clientOf(deps, request, deviceName)
      accounts.demandNotClosed(chat)
      await demandCheck(deps, request, check)
      const register = async (slot?: accounts.HashSlot) => {
        await take(deps.counter, `register:${addressOf(request)}`, deps.settings.registrations)
        if (registration.email !== undefined) await takeTry(deps, request, registration.email)
        return accounts.register(chat, { ...registration, client, slot })
      }
      const signedIn = await (registration.password === undefined ? register() : withHashSlot(chat, register))
      return answerSignIn(app, deps, request, reply, signedIn)
    },
  })
}
