import { type Passkey, passkeysMax } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'

interface Row {
  id: string
  name: string
  synced: boolean
  created_at: Date
  used_at: Date | null
}

const listPasskeys = `
SELECT id, name, synced, created_at, used_at FROM passkeys
 WHERE user_id = $1 AND ($3::text IS NULL OR id = $3) ORDER BY created_at, id LIMIT $2`

/** The caller's passkeys, the oldest first. They are few: there is no second page. */
export async function list(ctx: AccountsContext, by: string, only?: string): Promise<Passkey[]> {
  const found = await ctx.pool.query<Row>(listPasskeys, [by, passkeysMax, only ?? null])
  return found.rows.map(({ id, name, synced, created_at, used_at }) => ({
    id,
    name,
    synced,
    createdAt: created_at.getTime(),
    usedAt: used_at?.getTime() ?? null,
  }))
}
