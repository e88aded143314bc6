import { Refusal, type SecondFactorChallenge } from '@flotilla/protocol'
import { redeem } from '../codes/redeem.ts'
import type { AccountsContext } from '../context.ts'
import { folded } from '../../store/folded.ts'
import { readAccount } from '../account.ts'
import { begin, type SignedIn } from './begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { noteFailure } from './note-failure.ts'

/**
 * Signs in by a code that was sent to the address of the account.
 * @throws Refusal code_invalid, field_invalid (the name of the device)
 */
export async function signInWithCode(
  ctx: AccountsContext,
  input: { request: string; code: string; client: ClientDevice },
): Promise<SignedIn | SecondFactorChallenge> {
  const { request, code, client } = input
  const { user: id } = await redeem(ctx, { request, code, purpose: 'sign-in' }).catch((error: unknown) => {
    noteFailure(ctx, () => askedFor(ctx, request), client, 'email_code')
    throw error
  })
  if (id === undefined) throw new Refusal('code_invalid')
  const { user } = await readAccount(ctx, id)
  return begin(ctx, user, 'email_code', client)
}

/** Whose address the code of a request was sent to. */
async function askedFor(ctx: AccountsContext, request: string): Promise<string | undefined> {
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT u.id FROM codes c JOIN users u ON ${folded('u.email')} = ${folded('c.email')} AND u.erased_at IS NULL
      WHERE c.id = $1 AND c.purpose = 'sign-in'`,
    [request],
  )
  return found.rows[0]?.id
}
