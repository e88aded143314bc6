/**
 * Showing a code. A try is taken from the row before the code is looked at, in one statement, so that guesses made at
 * once get no more tries than guesses made one by one. A code is spent by deleting its row: of two who show the right
 * one at once, one deletes it.
 */
import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import type { CodePurpose } from '../../store/jobs/job.ts'
import { folded } from '../../store/folded.ts'
import { plainCode } from '../../text/typed.ts'
import { emailKey } from '../../text/email.ts'

export interface SubmittedCode {
  readonly request: string
  /** As it was typed. */
  readonly code: string
  readonly purpose: CodePurpose
  /** Who asked for it, where that was known. */
  readonly user?: string | undefined
}

export interface Redeemed {
  /** Verified to be the caller's. */
  readonly email: string
  /** Who has the address, or who asked; undefined with an address that is to be registered. */
  readonly user: string | undefined
}

/** A code that is right and not yet spent. */
export interface RightCode extends Redeemed {
  readonly request: string
  readonly mac: Buffer
}

const takeTry = `
UPDATE codes SET tries_left = tries_left - 1
 WHERE id = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND tries_left > 0 AND expires_at > now()
RETURNING email, code_mac`

/**
 * Takes a try and looks at the code. What else can be refused is refused after this and before `spend`, so that the code
 * is good for another attempt.
 * @throws Refusal code_invalid
 */
export async function check(ctx: AccountsContext, shown: SubmittedCode): Promise<RightCode> {
  const { request, code, purpose, user } = shown
  const taken = await ctx.pool.query<{ email: string; code_mac: Buffer }>(takeTry, [request, purpose, user ?? null])
  const row = taken.rows[0]
  if (row === undefined || !ctx.seal.isMac(`code ${request}`, plainCode(code), row.code_mac))
    throw new Refusal('code_invalid')
  const right = { request, mac: row.code_mac, email: row.email }
  if (user !== undefined || purpose === 'register') return { ...right, user }

  const found = await ctx.pool.query<{ id: string }>(
    `SELECT id FROM users WHERE ${folded('email')} = $1 AND erased_at IS NULL`,
    [emailKey(row.email)],
  )
  const owner = found.rows[0]
  if (owner === undefined) throw new Refusal('code_invalid')
  return { ...right, user: owner.id }
}

/**
 * Uses the code up, once.
 * @param client of the transaction with what the code is for
 * @throws Refusal code_invalid when another was faster, or a new code was sent meanwhile
 */
export async function spend(
  client: { query(text: string, values: unknown[]): Promise<{ rowCount: number | null }> },
  right: RightCode,
): Promise<void> {
  const deleted = await client.query('DELETE FROM codes WHERE id = $1 AND code_mac = $2', [right.request, right.mac])
  if (deleted.rowCount !== 1) throw new Refusal('code_invalid')
}

/**
 * Shows a code and uses it up.
 * @throws Refusal code_invalid
 */
export async function redeem(ctx: AccountsContext, shown: SubmittedCode): Promise<Redeemed> {
  const right = await check(ctx, shown)
  await spend(ctx.pool, right)
  return { email: right.email, user: right.user }
}
