/** What one signs in by: the password, the address, the username. */
import { accounts } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { takeOwnTry, withHashSlot } from '../sign-in/password-tries.ts'
import { serve } from '../http/serve.ts'
import { takeCode, takeTry } from './codes.ts'
import { answerSignIn } from './sessions.ts'

export function accountRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.account, {
    resetPassword: async (request, reply) => {
      const { deviceName, ...shown } = request.body
      const client = clientOf(deps, request, deviceName)
      const result = await withHashSlot(chat, async slot => {
        await takeTry(deps, request, shown)
        return accounts.resetPassword(chat, { ...shown, client, slot })
      })
      return answerSignIn(app, deps, request, reply, result)
    },

    setPassword: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        const client = clientOf(deps, request)
        await withHashSlot(chat, async slot => {
          await takeOwnTry(deps, request, user)
          await take(deps.counter, `factor:${user}:${session}`, deps.settings.factorTries)
          await accounts.setPassword(chat, user, { ...request.body, session, client, slot })
        })
      },
    },

    requestEmailChange: async request => {
      const { user, session } = request.caller
      const taken = await takeCode(deps, request, request.body.email)
      return accounts.requestEmailChange(chat, user, { session, ...taken })
    },

    changeEmail: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        await takeTry(deps, request, request.body)
        await accounts.changeEmail(chat, user, { ...request.body, session, client: clientOf(deps, request) })
      },
    },

    removeEmail: {
      admit: deps.admitChange,
      handle: async request => {
        const { user, session } = request.caller
        await accounts.removeEmail(chat, user, { session, client: clientOf(deps, request) })
      },
    },

    changeUsername: async request => {
      const { user, session } = request.caller
      await take(deps.counter, `username:${user}`, deps.settings.usernameChanges)
      const { username } = request.body
      return accounts.changeUsername(chat, user, { username, session, client: clientOf(deps, request) })
    },
  })
}
