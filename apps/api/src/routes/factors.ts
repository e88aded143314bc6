/** What is asked for after the first proof of a sign-in: setting it up, and taking it away. */
import { factors } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { take } from '../http/limits.ts'
import { serve } from '../http/serve.ts'

export function factorRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  /** Who asks, in which session and from where: for the proof that is asked for, and the trail. */
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

    makeRecoveryCodes: {
      admit: deps.admitChange,
      handle: async request => ({
        recoveryCodes: await factors.makeRecoveryCodes(chat, request.caller.user, from(request)),
      }),
    },

    enableMailFactor: {
      admit: deps.admitChange,
      handle: async request => {
        await factors.enableMailFactor(chat, request.caller.user, from(request))
      },
    },

    disableMailFactor: {
      admit: deps.admitChange,
      handle: async request => {
        await factors.disableMailFactor(chat, request.caller.user, from(request))
      },
    },
  })
}
