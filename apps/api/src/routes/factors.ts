/** What is asked for after the first proof of a sign-in: setting it up, and taking it away. */
import { factors } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { FactorCode, listOf } from '../shapes.ts'

const closed = { additionalProperties: false }

const Factors = Type.Object(
  {
    password: Type.Boolean(),
    email: Type.Boolean({ description: 'There is an address to send codes to.' }),
    totp: Type.Boolean({ description: 'An authenticator app is asked for.' }),
    mailFactor: Type.Boolean({ description: 'A code by mail is asked for.' }),
    recoveryCodesLeft: Type.Integer({ minimum: 0 }),
    passkeys: Type.Integer({ minimum: 0 }),
  },
  closed,
)

const RecoveryCodes = Type.Object(
  { recoveryCodes: listOf(Type.String(), { description: 'Each is good once. They are shown this once.' }) },
  closed,
)

export function factorRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['account'], security: [{ accessToken: [] }] }
  const done = Type.Null({ description: 'Done.' })

  /** Who asks, in which session and from where: for the proof that is asked for, and the trail. */
  const from = (request: FastifyRequest) => ({ session: request.caller.session, client: clientOf(deps, request) })

  app.get(
    '/me/factors',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'getFactors',
        summary: 'What I can show to be who I am',
        response: { 200: Factors, ...refusals('unauthenticated') },
      },
    },
    async request => factors.read(chat, request.caller.user),
  )

  app.post(
    '/me/totp',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'beginTotp',
        summary: 'Begin to set up an authenticator app',
        description: 'Nothing is asked for before it is confirmed, within an hour. Called again, it begins anew.',
        response: {
          200: Type.Object(
            {
              secret: Type.String({ description: 'In base 32, to type it in.' }),
              uri: Type.String({ description: '`otpauth://…`, to show as a QR code.' }),
            },
            closed,
          ),
          ...refusals('unauthenticated', 'proof_needed', 'factor_conflict'),
        },
      },
    },
    async request =>
      factors.beginTotp(chat, request.caller.user, { ...from(request), issuer: deps.settings.webauthn.rpName }),
  )

  app.post(
    '/me/totp/confirm',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'confirmTotp',
        summary: 'Turn the authenticator app on, by a first code of it',
        body: Type.Object({ code: FactorCode }, closed),
        response: {
          200: RecoveryCodes,
          ...refusals(...bodyCodes, 'unauthenticated', 'factor_conflict', 'second_factor_wrong'),
        },
      },
    },
    async request => {
      const { user } = request.caller
      await take(deps.counter, `factor:${user}`, deps.settings.factorTries)
      const { code } = request.body
      return { recoveryCodes: await factors.confirmTotp(chat, user, { ...from(request), code }) }
    },
  )

  app.delete(
    '/me/totp',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'disableTotp',
        summary: 'Turn the authenticator app off',
        description: 'With the last second factor the recovery codes go too.',
        response: { 204: done, ...refusals('unauthenticated', 'proof_needed', 'factor_conflict') },
      },
    },
    async (request, reply) => {
      await factors.disableTotp(chat, request.caller.user, from(request))
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/me/recovery-codes',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'makeRecoveryCodes',
        summary: 'Make recovery codes anew',
        description: 'Those of before are worth nothing any more.',
        response: { 200: RecoveryCodes, ...refusals('unauthenticated', 'proof_needed', 'factor_conflict') },
      },
    },
    async request => ({
      recoveryCodes: await factors.makeRecoveryCodes(chat, request.caller.user, from(request)),
    }),
  )

  app.put(
    '/me/mail-factor',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'enableMailFactor',
        summary: 'Ask for a code by mail after the first proof',
        response: {
          204: done,
          ...refusals('unauthenticated', 'proof_needed', 'factor_conflict', 'mail_unavailable'),
        },
      },
    },
    async (request, reply) => {
      await factors.enableMailFactor(chat, request.caller.user, from(request))
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/me/mail-factor',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'disableMailFactor',
        summary: 'Ask for no code by mail any more',
        response: { 204: done, ...refusals('unauthenticated', 'proof_needed', 'factor_conflict') },
      },
    },
    async (request, reply) => {
      await factors.disableMailFactor(chat, request.caller.user, from(request))
      return reply.code(204).send(null)
    },
  )
}
