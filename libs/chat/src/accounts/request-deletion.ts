import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import type { ClientDevice } from '../notices/security/client-device.ts'
import { endAll } from './sessions/end.ts'
import { demandReauthentication } from './sessions/demand-reauthentication.ts'
import { transaction } from '../store/transaction.ts'

/** Asking again moves nothing. */
const ask = `
UPDATE users u SET delete_after = coalesce(u.delete_after, now() + $2 * interval '1 millisecond')
  FROM (SELECT id, delete_after FROM users WHERE id = $1 AND erased_at IS NULL FOR NO KEY UPDATE) before
 WHERE u.id = before.id
RETURNING floor(extract(epoch FROM u.delete_after) * 1000)::float8 AS at, before.delete_after IS NULL AS first`

/**
 * The caller wants their account gone. It stays for the grace period, in which they can sign in and take that back; then
 * it is erased (erase.ts). All their other sessions end now.
 * @throws Refusal reauthentication_required, user_unknown (the erasure has begun)
 */
export async function requestDeletion(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<{ deleteAfter: number }> {
  const { session, client } = input
  await demandReauthentication(ctx, session)
  return transaction(ctx, async tx => {
    const found = await tx.query<{ at: number; first: boolean }>(ask, [by, ctx.settings.deletionGraceMs])
    const row = found.rows[0]
    if (row === undefined) throw new Refusal('user_unknown')
    await endAll(ctx, { user: by, except: session }, tx)
    const detail = { deleteAfter: new Date(row.at).toISOString() }
    if (row.first) await note(ctx, { user: by, kind: 'deletion_requested', session, client, detail }, tx)
    return { deleteAfter: row.at }
  })
}
