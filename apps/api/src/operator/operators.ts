/**
 * The operators of the deployment: by id, because a name can be given up and taken by somebody else. They see what others
 * wrote and decide about it, so a stolen token or a password alone is not enough.
 */
import { type ChatContext, factors, sessions } from '@flotilla/chat'
import { Refusal } from '@flotilla/protocol'
import type { FastifyRequest } from 'fastify'
import type { createAuthentication } from '../sign-in/tokens.ts'

/**
 * No operator shuts out another, nor themselves: of a stolen session, or of one who has gone bad, the others could then be rid
 * of by it. Whoever has the configuration takes them out of OPERATORS, or uses the command line (operate.ts).
 * @throws Refusal operator_protected
 */
export function demandNoOperator(operators: readonly string[], user: string): void {
  if (operators.includes(user)) throw new Refusal('operator_protected')
}

/**
 * The hook of routes that demand an operator: one who has more than a password, and has shown lately who they are. Whoever is
 * signed in and none hears that the route is not for them.
 */
export function createOperatorAuthentication(
  chat: ChatContext,
  authenticate: ReturnType<typeof createAuthentication>,
  operators: readonly string[],
) {
  return async (request: FastifyRequest): Promise<void> => {
    await authenticate(request)
    const { user, session } = request.caller
    if (!operators.includes(user)) throw new Refusal('operators_only')
    const has = await factors.read(chat, user)
    if (!factors.hasSecondFactor(has) && has.passkeys === 0) throw new Refusal('operator_mfa_required')
    await sessions.demandReauthentication(chat, session)
  }
}
