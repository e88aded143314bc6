/** Holds a shown passkey against the one that is kept. */
import type { AccountsContext } from '../context.ts'
import type { ShownPasskey } from './passkey.ts'

interface Row {
  user_id: string
  public_key: Buffer
  counter: number
}

/**
 * The counter only rises: an authenticator that shows an old number has a copy somewhere. One that never counts stays at
 * 0. Of two answers with one number the row lets only one through.
 */
const raise = `
UPDATE passkeys SET counter = $2, synced = $3, used_at = now()
 WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))`

/** What has come of it: whose passkey it is, if it is one that is kept here, and whether it holds. */
export interface ShownResult {
  readonly owner: string | undefined
  readonly holds: boolean
}

/**
 * @param demands.user whose it must be; when undefined, the authenticator itself must say whose it is
 * @param demands.ownerChecked whether the authenticator must have checked its owner
 */
export async function show(
  ctx: AccountsContext,
  passkey: ShownPasskey,
  demands: { readonly nonce: string; readonly user?: string | undefined; readonly ownerChecked: boolean },
): Promise<ShownResult> {
  const { nonce, ownerChecked } = demands
  const found = await ctx.pool.query<Row>('SELECT user_id, public_key, counter FROM passkeys WHERE id = $1', [
    passkey.id,
  ])
  const row = found.rows[0]
  const owner = row?.user_id
  if (row === undefined || row.user_id !== (demands.user ?? passkey.user)) return { owner, holds: false }
  if (passkey.user !== undefined && passkey.user !== row.user_id) return { owner, holds: false }
  const shown = await passkey.verify({
    nonce,
    id: passkey.id,
    publicKey: row.public_key,
    counter: row.counter,
    ownerChecked,
  })
  if (shown === undefined) return { owner, holds: false }
  const raised = await ctx.pool.query(raise, [passkey.id, shown.counter, shown.synced])
  return { owner, holds: raised.rowCount === 1 }
}
