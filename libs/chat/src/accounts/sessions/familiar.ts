import type { AccountsContext } from '../context.ts'
import { folded } from '../../store/folded.ts'
import { emailKey } from '../../text/email.ts'

const sessionsMax = 100

/** Where there is no such person, somebody else's are read and passed over: the work must not tell. */
const addresses = `
WITH person AS (
  SELECT id, true AS asked FROM users WHERE ${folded('email')} = $1 AND erased_at IS NULL
  UNION ALL (SELECT id, false FROM users ORDER BY id LIMIT 1)
  ORDER BY asked DESC LIMIT 1
)
SELECT s.address, p.asked FROM person p
 CROSS JOIN LATERAL (SELECT address FROM sessions WHERE user_id = p.id ORDER BY seen_at DESC LIMIT ${sessionsMax}) s`

/**
 * Whether the owner of an address of mail has lately been signed in from a place. It decides what is done, and must never
 * be seen in an answer: it would tell that there is an account.
 */
export async function isFamiliar(
  ctx: AccountsContext,
  email: string,
  isThere: (address: string) => boolean,
): Promise<boolean> {
  const found = await ctx.pool.query<{ address: string; asked: boolean }>({
    name: 'familiar-addresses',
    text: addresses,
    values: [emailKey(email)],
  })
  return found.rows.filter(row => isThere(row.address) && row.asked).length > 0
}
