/**
 * Slow mode: the time between two messages of one member of a group. What is guaranteed: of two that are sent at once, by
 * whatever devices and through whatever processes, one goes, since both want the member's row. The turn belongs to a clientId,
 * so that a message that was not stored in its turn keeps it, and a repetition of one that was takes none.
 */
import { Refusal } from '@flotilla/protocol'
import type { Pool, PoolClient } from 'pg'

/** By the time of the statement, since a transaction may have begun long before: it has waited for the conversation. */
const take = `
INSERT INTO slow_posts AS p (user_id, conversation_id, client_id, at)
SELECT $1, $2, $3, clock_timestamp()
 WHERE NOT EXISTS (SELECT FROM messages WHERE conversation_id = $2 AND sender_id = $1 AND client_id = $3)
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET client_id = EXCLUDED.client_id, at = greatest(p.at, EXCLUDED.at)
 WHERE p.client_id = EXCLUDED.client_id OR p.at <= EXCLUDED.at - $4 * interval '1 millisecond'
RETURNING at`

/** Whatever the answer, the row is that of another message, or the message is stored. */
const left = `
SELECT ceil(extract(epoch FROM at - clock_timestamp()) * 1000 + $3)::float8 AS left FROM slow_posts
 WHERE user_id = $1 AND conversation_id = $2`

/**
 * @param client of the transaction that stores the message, where there is one already: a rollback gives the turn back
 * @throws Refusal rate_limited, also for a repetition of what is stored: that gets its first result
 */
export async function takeTurn(
  client: Pool | PoolClient,
  message: { readonly conversation: string; readonly sender: string; readonly clientId: string },
  pauseMs: number,
): Promise<void> {
  const { conversation, sender, clientId } = message
  const taken = await client.query({
    name: 'slow-mode-take',
    text: take,
    values: [sender, conversation, clientId, pauseMs],
  })
  if (taken.rowCount === 1) return
  const found = await client.query<{ left: number }>({
    name: 'slow-mode-left',
    text: left,
    values: [sender, conversation, pauseMs],
  })
  const retryMs = Math.max(1, found.rows[0]?.left ?? 1)
  throw new Refusal('rate_limited', 'the group is in slow mode', { retryMs, rule: `slowModeMs ${pauseMs}` })
}
