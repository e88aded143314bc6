/** Codes by mail, for those who are not signed in: to prove an address, to sign in, to set a new password. */
import { codes, users } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { addressOf, hashed, take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, AskedCode, ById, Email } from '../shapes.ts'

const closed = { additionalProperties: false }

const Purpose = Type.Union([Type.Literal('register'), Type.Literal('sign-in'), Type.Literal('reset-password')])

/**
 * Counts a request for a code: nobody's mailbox is flooded, and nobody tries many addresses. From one address of the
 * network no more than half of what goes to a mailbox can be asked for, so that a stranger does not keep its owner out.
 * @param mailbox whose code it is, the same whatever it is for
 * @throws Refusal rate_limited
 */
export async function takeMail(deps: RouteDeps, request: FastifyRequest, mailbox: string): Promise<void> {
  const { codes, codesPerEmail } = deps.settings
  const from = addressOf(request)
  const half = { ...codesPerEmail, max: Math.ceil(codesPerEmail.max / 2) }
  await take(deps.counter, `codes:from:${from}`, codes)
  await take(deps.counter, `codes:to:${mailbox}:${from}`, half)
  await take(deps.counter, `codes:to:${mailbox}`, codesPerEmail)
}

/**
 * Counts a request for a code to an address, known or not.
 * @returns the address as it is kept
 * @throws Refusal field_invalid, rate_limited
 */
export async function takeCode(deps: RouteDeps, request: FastifyRequest, address: string): Promise<string> {
  const email = users.checkEmail(address)
  await takeMail(deps, request, hashed(users.emailKey(email)))
  return email
}

/** Counts a code that is shown, in the place of a password. @throws Refusal rate_limited */
export function takeTry(deps: RouteDeps, request: FastifyRequest, code: { readonly request: string }): Promise<void> {
  return take(deps.counter, `sign-in:${code.request}:${addressOf(request)}`, deps.settings.signIns)
}

export function codeRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps

  app.post(
    '/codes',
    {
      schema: {
        operationId: 'askCode',
        summary: 'Send a code by mail',
        description:
          'Six digits, to be shown together with `request`. The answer is the same whether or not the address is known. Somebody who registers with an address that already has an account is told so by mail; a sign-in with an address that has none sends nothing.',
        tags: ['sign-in'],
        body: Type.Object({ email: Email, purpose: Purpose }, closed),
        response: {
          202: answered('The request to show together with the code.', AskedCode),
          ...refusals(...bodyCodes, 'mail_unavailable', 'registration_closed'),
        },
      },
    },
    async (request, reply) => {
      const { purpose } = request.body
      // Whoever is invited, or proves an address, may: only where nobody may at all, no mail is worth sending.
      if (purpose === 'register') users.demandNotClosed(chat)
      const email = await takeCode(deps, request, request.body.email)
      return reply.code(202).send(await codes.ask(chat, { purpose, email }))
    },
  )

  app.post(
    '/codes/:id/resend',
    {
      schema: {
        operationId: 'resendCode',
        summary: 'Send another code for the same request',
        description:
          'Only after the pause that the last answer named, which doubles each time. The code before becomes worthless; wrong tries stay counted.',
        tags: ['sign-in'],
        params: ById,
        body: Type.Object({}, closed),
        response: {
          202: answered('The request, and the next pause.', AskedCode),
          ...refusals(...bodyCodes, 'mail_unavailable', 'code_invalid', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      await take(deps.counter, `codes:from:${addressOf(request)}`, deps.settings.codes)
      return reply.code(202).send(await codes.resend(chat, request.params.id))
    },
  )
}
