/** The second step of a sign-in, and the fresh proof that some routes ask for. */
import { sessions } from '@flotilla/chat'
import { Uuid } from '@flotilla/protocol/schemas'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { addressOf, take } from '../limits.ts'
import { RequestOptions, UsedPasskey } from '../passkey-shapes.ts'
import { requestOptions, shownPasskey } from '../passkeys.ts'
import { takeOwnTry, withPlace } from '../password-tries.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, AskedCode, DeviceName, DeviceToken, FactorCode, Password, SignedIn } from '../shapes.ts'
import { takeOwnMail } from './codes.ts'
import { CookieHeader, deviceOf } from '../cookies.ts'
import { answerSignIn } from './sessions.ts'

const closed = { additionalProperties: false }

const withCode = <F extends string>(factor: F) => ({ factor: Type.Literal(factor), code: FactorCode })
const withPassword = { factor: Type.Literal('password'), password: Password }
const withPasskey = { factor: Type.Literal('passkey'), passkey: UsedPasskey }

const begun = { challenge: Uuid, deviceName: Type.Optional(DeviceName), device: Type.Optional(DeviceToken) }

const SecondFactor = Type.Union([
  Type.Object({ ...begun, ...withCode('totp') }, closed),
  Type.Object({ ...begun, ...withCode('recovery_code') }, closed),
  Type.Object({ ...begun, ...withCode('email_code') }, closed),
  Type.Object({ ...begun, ...withPassword }, closed),
  Type.Object({ ...begun, ...withPasskey }, closed),
])

const Proof = Type.Union([
  Type.Object(withPassword, closed),
  Type.Object(withCode('totp'), closed),
  Type.Object({ ...withCode('email_code'), request: Uuid }, closed),
  Type.Object({ ...withPasskey, challenge: Uuid }, closed),
])

const OfChallenge = Type.Object({ challenge: Uuid }, closed)

export function secondFactorRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings } = deps
  const shared = { tags: ['sign-in'] }

  app.post(
    '/sessions/second-factor',
    {
      schema: {
        ...shared,
        operationId: 'finishSignIn',
        summary: 'Finish a sign-in by a second factor',
        description:
          'Takes the challenge of the answer that asked for it, and any one of the factors that it names. After five wrong tries, sign in anew.',
        headers: CookieHeader,
        body: SecondFactor,
        response: {
          201: answered('Signed in: the person, the session, and its tokens.', SignedIn),
          ...refusals(...bodyCodes, 'challenge_invalid', 'second_factor_wrong', 'identity_taken', 'account_suspended'),
        },
      },
    },
    async (request, reply) => {
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
      return answerSignIn(app, deps, request, reply, result)
    },
  )

  app.post(
    '/sessions/second-factor/code',
    {
      schema: {
        ...shared,
        operationId: 'askFactorCode',
        summary: 'Send the code that a sign-in waits for by mail',
        description: 'Asked again, another code is sent, and the one before becomes worthless.',
        body: OfChallenge,
        response: {
          202: answered('A code is on its way.', AskedCode),
          ...refusals(...bodyCodes, 'challenge_invalid', 'too_many', 'mail_unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { challenge } = request.body
      await takeOwnMail(deps, request, await sessions.challenged(chat, challenge), 'second-factor')
      return reply.code(202).send(await sessions.askFactorCode(chat, challenge))
    },
  )

  app.post(
    '/sessions/second-factor/passkey',
    {
      schema: {
        ...shared,
        operationId: 'askFactorPasskey',
        summary: 'Ask what a passkey must sign to finish a sign-in',
        description:
          'Give the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/second-factor`.',
        body: OfChallenge,
        response: {
          200: answered('The options for the authenticator.', Type.Object({ options: RequestOptions }, closed)),
          ...refusals(...bodyCodes, 'challenge_invalid'),
        },
      },
    },
    async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.askFactorPasskey(chat, request.body.challenge)
      return { options: await requestOptions(deps, { ...asked, ownerChecked: false }) }
    },
  )
}

export function proofRoutes(app: Api, deps: RouteDeps): void {
  const { chat, counter, settings, authenticate: preParsing } = deps
  const shared = { tags: ['sign-in'], security: [{ accessToken: [] }] }

  app.post(
    '/sessions/current/proof',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'prove',
        summary: 'Prove again who I am',
        description:
          'Whatever would help an intruder at an unlocked screen is refused with `proof_needed`, unless the caller has signed in or proved within the last ten minutes.',
        body: Proof,
        response: {
          204: Type.Null({ description: 'Proved.' }),
          ...refusals(
            ...bodyCodes,
            'unauthenticated',
            'credentials_wrong',
            'second_factor_wrong',
            'code_invalid',
            'passkey_invalid',
            'challenge_invalid',
          ),
        },
      },
    },
    async (request, reply) => {
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
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/sessions/current/proof/code',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'askProofCode',
        summary: 'Send a code to my address, as a proof',
        description:
          'The address of the account, so there must be one. Show the code at `POST /v1/sessions/current/proof`.',
        response: {
          202: answered('A code is on its way.', AskedCode),
          ...refusals('unauthenticated', 'factor_conflict', 'mail_unavailable'),
        },
      },
    },
    async (request, reply) => {
      const { user } = request.caller
      await takeOwnMail(deps, request, user, 'proof')
      return reply.code(202).send(await sessions.askProofCode(chat, user))
    },
  )

  app.post(
    '/sessions/current/proof/passkey',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'askProofPasskey',
        summary: 'Ask what a passkey must sign, as a proof',
        description:
          'Give the options to `navigator.credentials.get`, and its result to `POST /v1/sessions/current/proof`.',
        response: {
          200: answered(
            'The options for the authenticator, and the challenge to show with its answer.',
            Type.Object({ challenge: Uuid, options: RequestOptions }, closed),
          ),
          ...refusals('unauthenticated', 'factor_conflict'),
        },
      },
    },
    async request => {
      await take(counter, `ceremony:${addressOf(request)}`, settings.ceremonies)
      const asked = await sessions.askProofPasskey(chat, request.caller.user)
      return { challenge: asked.challenge, options: await requestOptions(deps, { ...asked, ownerChecked: true }) }
    },
  )
}

function proofOf(deps: RouteDeps, { body }: FastifyRequest<{ Body: Static<typeof Proof> }>): sessions.Proof {
  return body.factor === 'passkey' ? { ...body, passkey: shownPasskey(deps, body.passkey) } : body
}
