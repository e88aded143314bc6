/** Codes of an authenticator app (RFC 6238): the secret lies sealed, and a code is good once. */
import { Secret, TOTP } from 'otpauth'
import type { AccountsContext } from '../context.ts'
import { plainCode } from '../../text/typed.ts'

const periodSeconds = 30
/** Steps before and after, for clocks that are wrong. */
const window = 1
const secretBytes = 20
const codeShape = /^[0-9]{6}$/

const place = (user: string) => `totp ${user}`

const totpOf = (secret: string, names: { readonly issuer?: string; readonly label?: string } = {}) =>
  new TOTP({ ...names, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: periodSeconds })

export const makeSecret = (): string => new Secret({ size: secretBytes }).base32

/** What the app reads as a picture. */
export const uriOf = (secret: string, names: { readonly issuer: string; readonly label: string }): string =>
  totpOf(secret, names).toString()

export const sealSecret = (ctx: AccountsContext, user: string, secret: string) => ctx.seal.seal(place(user), secret)

export interface SealedSecret {
  readonly key_id: number
  readonly secret: Buffer
}

/** @returns the time step that the code belongs to; undefined when it fits none of now */
export async function stepOf(
  ctx: AccountsContext,
  user: string,
  sealed: SealedSecret,
  code: string,
): Promise<number | undefined> {
  await ctx.seal.ready([sealed.key_id])
  const totp = totpOf(ctx.seal.open(place(user), sealed.key_id, sealed.secret))
  const timestamp = ctx.clock()
  const token = plainCode(code)
  // The library counts letters and compares bytes: six letters that are no digits would throw.
  if (!codeShape.test(token)) return undefined
  const delta = totp.validate({ token, timestamp, window })
  return delta === null ? undefined : totp.counter({ timestamp }) + delta
}

/** The row's step only rises, so that a code is good once, also when it is shown twice at once. */
const spend = `
UPDATE totp_factors SET last_step = $2
 WHERE user_id = $1 AND confirmed_at IS NOT NULL AND last_step < $2 AND secret = $3`

/** Uses a code up. */
export async function spendTotp(ctx: AccountsContext, user: string, code: string): Promise<boolean> {
  const found = await ctx.pool.query<SealedSecret>(
    'SELECT key_id, secret FROM totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL',
    [user],
  )
  const row = found.rows[0]
  const step = row === undefined ? undefined : await stepOf(ctx, user, row, code)
  if (row === undefined || step === undefined) return false
  return (await ctx.pool.query(spend, [user, step, row.secret])).rowCount === 1
}
