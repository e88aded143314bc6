/** What a person can show, and what is asked of them beyond their first factor. */
import { type Factor, type Factors, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'

/** What was shown first. A passkey that checked its owner is two factors in one. */
export type FirstFactor = 'password' | 'email_code' | 'passkey' | 'identity'

const readFactors = `
SELECT u.password_hash IS NOT NULL AS password, u.email IS NOT NULL AS email,
       u.mail_factor AND u.email IS NOT NULL AS "emailFactor",
       EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id AND t.confirmed_at IS NOT NULL) AS totp,
       (SELECT count(*)::int FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS "recoveryCodesLeft",
       (SELECT count(*)::int FROM passkeys p WHERE p.user_id = u.id) AS passkeys
  FROM users u WHERE u.id = $1`

/**
 * What somebody has set up.
 * @param client of a transaction that must see it as it stands
 * @throws Refusal user_unknown
 */
export async function read(
  ctx: AccountsContext,
  user: string,
  client: Pick<PoolClient, 'query'> = ctx.pool,
): Promise<Factors> {
  const found = await client.query<Factors>({ name: 'factors-read', text: readFactors, values: [user] })
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('user_unknown')
  return row
}

/** Whether a sign-in asks for more than the first factor. */
export const hasSecondFactor = (has: Factors) => has.totp || has.emailFactor

/**
 * Where a sign-in asks for a second factor, reauthentication is one too: who knows the password could turn the factor off
 * otherwise. Without one, any factor that somebody has will do.
 * @throws Refusal field_invalid (a factor below the level of the account)
 */
export function demandLevel(factor: 'password' | 'totp' | 'email_code' | 'passkey', has: Factors): void {
  if (!hasSecondFactor(has)) return
  const enough = { password: false, totp: has.totp, email_code: has.emailFactor, passkey: has.passkeys > 0 }
  if (enough[factor]) return
  const rule = `one of ${Object.entries(enough)
    .flatMap(([name, is]) => (is ? [name] : []))
    .join(', ')}`
  throw new Refusal('field_invalid', `factor: must be ${rule}`, { field: 'factor', rule })
}

/**
 * The factors of which one is asked for after the first one; none, when that is enough. A passkey that checked
 * its owner is two factors in one. Whoever came in by a code from their mailbox has shown that already: it does not
 * count twice, but where there is nothing else it counts alone, so that nobody is locked out.
 */
export function factorsAfter(first: FirstFactor, has: Factors): readonly Factor[] {
  if (first === 'passkey' || !hasSecondFactor(has)) return []
  const mailShown = first === 'email_code'
  const offered: readonly (readonly [Factor, boolean])[] = [
    ['totp', has.totp],
    ['email_code', has.emailFactor && !mailShown],
    ['password', has.password && mailShown && !has.totp],
    ['passkey', has.passkeys > 0],
    ['recovery_code', has.recoveryCodesLeft > 0],
  ]
  return offered.filter(([, is]) => is).map(([factor]) => factor)
}
