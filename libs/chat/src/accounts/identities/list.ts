import type { Identity } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'

/** There is one of each provider, and a deployment has a handful of these. */
const identitiesMax = 100

interface Row {
  provider: string
  name: string
  email: string | null
  linked_at: number
  used_at: number
}

/** A person's identities, by provider. */
export async function list(ctx: AccountsContext, user: string): Promise<Identity[]> {
  const found = await ctx.pool.query<Row>(
    `SELECT provider, name, email, (extract(epoch FROM created_at) * 1000)::float8 AS linked_at,
            (extract(epoch FROM used_at) * 1000)::float8 AS used_at
       FROM identities WHERE user_id = $1 ORDER BY provider LIMIT $2`,
    [user, identitiesMax],
  )
  return found.rows.map(({ provider, name, email, linked_at, used_at }) => ({
    provider,
    name,
    ...(email === null ? {} : { email }),
    linkedAt: Math.round(linked_at),
    usedAt: Math.round(used_at),
  }))
}
