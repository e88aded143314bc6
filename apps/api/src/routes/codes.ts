/** Codes by mail, for those who are not signed in: to verify an address, to sign in, to set a new password. */
import { accounts, codes, sessions, users } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import { callerNetworkOf } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { addressOf, hashed, isWithin, take, tooOften } from '../http/limits.ts'
import { serve } from '../http/serve.ts'

/** Of the first mail that a network asks for, so many times as many may go out. */
const firstsShare = 2

/**
 * Counts a mail that is asked for: nobody's mailbox is flooded, and nobody tries many addresses. From one address of the
 * network come no more than half of what a mailbox gets. When strangers have used up all of it, who has been signed in from
 * here still gets theirs, and so does, within bounds, whoever asks from an address for the first time: no stranger with a
 * few addresses keeps the owner out.
 * @returns whether to send it; whoever is not known here must not be told
 * @throws Refusal rate_limited, by the address of the network alone
 */
async function mayMail(deps: RouteDeps, request: FastifyRequest, email: string): Promise<boolean> {
  const { chat, counter, settings } = deps
  const { codes, codesPerEmail: limit } = settings
  const from = addressOf(request)
  const mailbox = `codes:to:${hashed(users.emailKey(email))}`
  await take(counter, `codes:from:${from}`, codes)
  const { count, resetMs } = await counter(`${mailbox}:${from}`, limit.windowMs)
  if (count > Math.ceil(limit.max / 2)) throw tooOften(resetMs)
  if (await isWithin(counter, mailbox, limit)) return true
  const isKnown = await sessions.isFamiliar(chat, email, address => callerNetworkOf(address) === from)
  const firsts = { ...limit, max: limit.max * firstsShare }
  if (count === 1 && (await isWithin(counter, `${mailbox}:firsts`, firsts))) return true
  return (await isWithin(counter, `${mailbox}:${isKnown ? 'familiar' : 'strange'}`, limit)) && isKnown
}

/**
 * Counts a request for a code to an address, known or not.
 * @returns the address as it is kept, and whether to send the mail
 * @throws Refusal field_invalid, rate_limited
 */
export async function takeCode(
  deps: RouteDeps,
  request: FastifyRequest,
  address: string,
): Promise<{ email: string; isMailed: boolean }> {
  const email = users.checkEmail(address)
  return { email, isMailed: await mayMail(deps, request, email) }
}

/**
 * Counts a code that is sent to somebody who has shown who they are, at least in part.
 * @throws Refusal rate_limited
 */
export async function takeOwnMail(
  deps: RouteDeps,
  request: FastifyRequest,
  user: string,
  step: 'second-factor' | 'reauthentication',
): Promise<void> {
  await take(deps.counter, `codes:from:${addressOf(request)}`, deps.settings.codes)
  await take(deps.counter, `codes:of:${user}:${step}`, deps.settings.codesPerEmail)
}

/** Counts a code that is shown, in the place of a password. @throws Refusal rate_limited */
export function takeTry(deps: RouteDeps, request: FastifyRequest, code: { readonly request: string }): Promise<void> {
  return take(deps.counter, `sign-in:${code.request}:${addressOf(request)}`, deps.settings.signIns)
}

export function codeRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.codes, {
    sendCode: async request => {
      const { purpose } = request.body
      // Whoever is invited, or verifies an address, may: only where nobody may at all, no mail is worth sending.
      if (purpose === 'register') accounts.demandNotClosed(chat)
      const taken = await takeCode(deps, request, request.body.email)
      return codes.ask(chat, { purpose, ...taken })
    },

    resendCode: async request => {
      const { id } = request.params
      const isMailed = await mayMail(deps, request, await codes.demandResendable(chat, id))
      return codes.resend(chat, id, { isMailed })
    },
  })
}
