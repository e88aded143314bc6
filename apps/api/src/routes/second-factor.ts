/** The second step of a sign-in, and reauthentication that some routes ask for. */
import { sessions } from '@flotilla/chat'
import type { Reauthentication } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { deviceOf } from '../sign-in/cookies.ts'
import { addressOf, take } from '../http/limits.ts'
import { requestOptions, shownPasskey } from '../sign-in/passkeys.ts'
import { takeOwnTry, withHashSlot } from '../sign-in/password-tries.ts'
import { serve } from '../http/serve.ts'
import { takeOwnMail } from './codes.ts'
import { answerSignedIn } from './sessions.ts'

export function secondFactorRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  serve(app, deps, rest.secondFactor, {
    finishSignIn: async (request, reply) => {
      const { challenge, deviceName, device, ...given } = request.body
      const known = deviceOf(deps, request, device)
      const client = { ...clientOf(deps, request, deviceName), ...(deviceName === undefined ? { deviceName } : {}) }
      const finish = async (shown: sessions.SubmittedFactor) => {
        const user = await sessions.challenged(chat, challenge)
        if (shown.factor === 'password') await takeOwnTry(deps, request, user)
        const own = known?.user === user ? `:${known.session}` : ''
        await take(counter, `factor:${user}${own}`, settings.factorTries)
        return sessions.finish(chat, { challenge, shown, client })
      }
      const result =
        given.factor === 'password'
          ? await withHashSlot(chat, slot => finish({ ...given, slot }))
          : await finish(given.factor === 'passkey' ? { ...given, passkey: shownPasskey(deps, given.passkey) } : given)
      return answerSignedIn(app, deps, request, reply, result)
    },

    sendSecondFactorCode: async request => {
      const { challenge } = request.body
      await takeOwnMail(deps, request, await sessions.challenged(chat, challenge), 'second-factor')
      return sessions.sendSecondFactorCode(chat, challenge)
    },

    beginPasskeySecondFactor: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.beginPasskeySecondFactor(chat, request.body.challenge)
      return { options: await requestOptions(deps, { ...asked, ownerChecked: false }) }
    },
  })
}

export function reauthenticationRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  serve(app, deps, rest.reauthentication, {
    reauthenticate: async request => {
      const { user, session } = request.caller
      const client = clientOf(deps, request)
      const reauthenticate = async (reauthentication: sessions.Reauthentication) => {
        if (reauthentication.factor === 'password') await takeOwnTry(deps, request, user)
        else await take(counter, `reauthenticate:${user}:${addressOf(request)}`, settings.signIns)
        await take(counter, `factor:${user}:${session}`, settings.factorTries)
        await sessions.reauthenticate(chat, user, { reauthentication, session, client })
      }
      const reauthentication = reauthenticationOf(deps, request)
      if (reauthentication.factor === 'password')
        await withHashSlot(chat, slot => reauthenticate({ ...reauthentication, slot }))
      else await reauthenticate(reauthentication)
    },

    sendReauthenticationCode: async request => {
      const { user } = request.caller
      await takeOwnMail(deps, request, user, 'reauthentication')
      return sessions.sendReauthenticationCode(chat, user)
    },

    beginPasskeyReauthentication: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.beginPasskeyReauthentication(chat, request.caller.user)
      return { challenge: asked.challenge, options: await requestOptions(deps, { ...asked, ownerChecked: true }) }
    },
  })
}

function reauthenticationOf(
  deps: RouteDeps,
  { body }: FastifyRequest<{ Body: Reauthentication }>,
): sessions.Reauthentication {
  return body.factor === 'passkey' ? { ...body, passkey: shownPasskey(deps, body.passkey) } : body
}
