import { type Passkey, Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { list } from './list.ts'

/**
 * Calls a passkey something else.
 * @throws Refusal field_invalid, passkey_unknown
 */
export async function rename(
  ctx: AccountsContext,
  by: string,
  input: { readonly passkey: string; readonly name: string },
): Promise<Passkey> {
  const name = checkName(input.name, 'name')
  await ctx.pool.query('UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2', [input.passkey, by, name])
  const [renamed] = await list(ctx, by, input.passkey)
  if (renamed === undefined) throw new Refusal('passkey_unknown')
  return renamed
}
