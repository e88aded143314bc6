/** What is asked for after the first factor of a sign-in: setting it up, and taking it away. */
import { factors } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'

export function factorRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  /** Who asks, in which session and from where: for the reauthentication that is required, and the audit trail. */
  const from = (request: FastifyRequest) => ({ session: request.caller.session, client: clientOf(deps, request) })

  serve(app, deps, rest.factors, {
    getFactors: async request => factors.read(chat, request.caller.user),

    beginTotp: async request =>
      factors.beginTotp(chat, request.caller.user, { ...from(request), issuer: deps.settings.webauthn.rpName }),

    confirmTotp: async request => {
      const { user } = request.caller
      await take(deps.counter, `factor:${user}`, deps.settings.factorTries)
      const { code } = request.body
      return { recoveryCodes: await factors.confirmTotp(chat, user, { ...from(request), code }) }
    },

    disableTotp: {
      admit: deps.admitChange,
      handle: async request => {
        await factors.disableTotp(chat, request.caller.user, from(request))
      },
    },

    createRecoveryCodes: {
      admit: deps.admitChange,
      handle: async request => ({
        recoveryCodes: await factors.createRecoveryCodes(chat, request.caller.user, from(request)),
      }),
    },

    enableEmailFactor: {
      admit: deps.admitChange,
      handle: async request => {
        await factors.enableEmailFactor(chat, request.caller.user, from(request))
      },
    },

    disableEmailFactor: {
      admit: deps.admitChange,
      handle: async request => {
        await factors.disableEmailFactor(chat, request.caller.user, from(request))
      },
    },
  })
}
