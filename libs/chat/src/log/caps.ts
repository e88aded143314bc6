/**
 * How much of a thing one person may have. A count is exact when the person is held (users/hold.ts): of two who would
 * pass it at once the second sees what the first has made.
 */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { LogContext } from './context.ts'

/** Counting ends at the maximum, whatever people have. */
const full = `
SELECT u.id FROM unnest($1::uuid[]) AS u (id)
 WHERE (SELECT count(*) FROM (SELECT FROM members m WHERE m.user_id = u.id LIMIT $2) mine) >= $2
 ORDER BY u.id = $3 DESC LIMIT 1`

/**
 * Everybody of these may be in one more conversation.
 * @param client of a transaction that holds them
 * @throws Refusal limit_reached
 */
export async function demandRoomForConversations(
  ctx: Pick<LogContext, 'settings'>,
  client: PoolClient,
  input: { readonly users: readonly string[]; readonly by: string; readonly field?: string },
): Promise<void> {
  const max = ctx.settings.conversationsMax
  const found = await client.query<{ id: string }>(full, [input.users, max, input.by])
  const whom = found.rows[0]?.id
  if (whom === undefined) return
  const message = `${whom === input.by ? 'you have' : `${whom} has`} reached the limit of conversations`
  throw new Refusal('limit_reached', message, {
    rule: `maxItems ${max}`,
    ...(whom === input.by || input.field === undefined ? {} : { field: input.field }),
  })
}
