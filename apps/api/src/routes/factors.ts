/** What is asked for after the first proof of a sign-in: setting it up, and taking it away. */
import { factors } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, FactorCode, listOf } from '../shapes.ts'

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
  const { chat, authenticate: preParsing, authenticateChange } = deps
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
        summary: 'List my ways to prove who I am',
        description: 'Which factors are set up, and how many recovery codes are left.',
        response: { 200: answered('The factors.', Factors), ...refusals('unauthenticated') },
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
        description: 'Nothing is asked for until the app is confirmed, within an hour. Called again, it begins anew.',
        response: {
          200: answered(
            'The secret, as a URI to show as a QR code.',
            Type.Object(
              {
                secret: Type.String({ description: 'In base 32, to type it in.' }),
                uri: Type.String({ description: '`otpauth://…`, to show as a QR code.' }),
              },
              closed,
            ),
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
        summary: 'Turn the authenticator app on',
        description:
          'Takes a first code of the app. From then on, sign-ins ask for one. New recovery codes come with it, and the previous ones become worthless.',
        body: Type.Object({ code: FactorCode }, closed),
        response: {
          200: answered('The recovery codes. They are shown this once.', RecoveryCodes),
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
      preParsing: authenticateChange,
      schema: {
        ...shared,
        operationId: 'disableTotp',
        summary: 'Turn the authenticator app off',
        description: 'Recovery codes go together with the last second factor.',
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
      preParsing: authenticateChange,
      schema: {
        ...shared,
        operationId: 'makeRecoveryCodes',
        summary: 'Make new recovery codes',
        description: 'The previous ones become worthless.',
        response: {
          200: answered('The recovery codes. They are shown this once.', RecoveryCodes),
          ...refusals('unauthenticated', 'proof_needed', 'factor_conflict'),
        },
      },
    },
    async request => ({
      recoveryCodes: await factors.makeRecoveryCodes(chat, request.caller.user, from(request)),
    }),
  )

  app.put(
    '/me/mail-factor',
    {
      preParsing: authenticateChange,
      schema: {
        ...shared,
        operationId: 'enableMailFactor',
        summary: 'Turn the code by mail on',
        description: 'After the first proof, sign-ins then ask for a code that is sent to the address of the account.',
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
      preParsing: authenticateChange,
      schema: {
        ...shared,
        operationId: 'disableMailFactor',
        summary: 'Turn the code by mail off',
        description: 'Recovery codes go together with the last second factor.',
        response: { 204: done, ...refusals('unauthenticated', 'proof_needed', 'factor_conflict') },
      },
    },
    async (request, reply) => {
      await factors.disableMailFactor(chat, request.caller.user, from(request))
      return reply.code(204).send(null)
    },
  )
}
