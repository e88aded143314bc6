/** The second step of a sign-in, and the fresh proof that some routes ask for. */
import { sessions } from '@flotilla/chat'
import type { Proof } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { deviceOf } from '../sign-in/cookies.ts'
import { addressOf, take } from '../http/limits.ts'
import { requestOptions, shownPasskey } from '../sign-in/passkeys.ts'
import { takeOwnTry, withPlace } from '../sign-in/password-tries.ts'
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
      const finish = async (shown: sessions.Shown) => {
        const user = await sessions.challenged(chat, challenge)
        if (shown.factor === 'password') await takeOwnTry(deps, request, user)
        const own = known?.user === user ? `:${known.session}` : ''
        await take(counter, `factor:${user}${own}`, settings.factorTries)
        return sessions.finish(chat, { challenge, shown, client })
      }
      const result =
        given.factor === 'password'
          ? await withPlace(chat, place => finish({ ...given, place }))
          : await finish(given.factor === 'passkey' ? { ...given, passkey: shownPasskey(deps, given.passkey) } : given)
      return answerSignedIn(app, deps, request, reply, result)
    },

    askFactorCode: async request => {
      const { challenge } = request.body
      await takeOwnMail(deps, request, await sessions.challenged(chat, challenge), 'second-factor')
      return sessions.askFactorCode(chat, challenge)
    },

    askFactorPasskey: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.askFactorPasskey(chat, request.body.challenge)
      return { options: await requestOptions(deps, { ...asked, ownerChecked: false }) }
    },
  })
}

export function proofRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  serve(app, deps, rest.proof, {
    prove: async request => {
      const { user, session } = request.caller
      const client = clientOf(deps, request)
      const prove = async (proof: sessions.Proof) => {
        if (proof.factor === 'password') await takeOwnTry(deps, request, user)
        else await take(counter, `prove:${user}:${addressOf(request)}`, settings.signIns)
        await take(counter, `factor:${user}:${session}`, settings.factorTries)
        await sessions.prove(chat, user, { proof, session, client })
      }
      const proof = proofOf(deps, request)
      if (proof.factor === 'password') await withPlace(chat, place => prove({ ...proof, place }))
      else await prove(proof)
    },

    askProofCode: async request => {
      const { user } = request.caller
      await takeOwnMail(deps, request, user, 'proof')
      return sessions.askProofCode(chat, user)
    },

    askProofPasskey: async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.askProofPasskey(chat, request.caller.user)
      return { challenge: asked.challenge, options: await requestOptions(deps, { ...asked, ownerChecked: true }) }
    },
  })
}

function proofOf(deps: RouteDeps, { body }: FastifyRequest<{ Body: Proof }>): sessions.Proof {
  return body.factor === 'passkey' ? { ...body, passkey: shownPasskey(deps, body.passkey) } : body
}
