/** A request ends, and nobody comes in: whom it was for does not want it, or it is taken back. */
import { Refusal } from '@flotilla/protocol'
import {
  demandGroup,
  demandMayTakeBack,
  kindNumbersOfConversations,
  kindOf,
  requestStates,
  roleOf,
  rulesOf,
  type StoredRules,
} from '../../access.ts'
import type { LogContext } from '../context.ts'
import { transaction } from '../../store/transaction.ts'
import { type EndedRequest, tellAnswered } from './answered.ts'

interface Row extends EndedRequest {
  readonly kind: number
}

/**
 * Who asked for a direct conversation is not told, and goes on seeing a request that is not answered. Who asked into a
 * group is told, and nobody may ask the person again for a time (`requestPauseMs`).
 * @throws Refusal request_unknown
 */
export async function decline(ctx: LogContext, by: string, request: string): Promise<void> {
  const found = await ctx.pool.query<Row>(
    `UPDATE conversation_requests r
        SET state = $3, changed_at = now(), from_id = CASE WHEN c.kind = $5 THEN r.from_id END
       FROM conversations c, conversation_requests b
      WHERE r.id = $1 AND r.user_id = $2 AND r.state = $4 AND c.id = r.conversation_id AND b.id = r.id
  RETURNING r.id AS request, r.conversation_id AS conversation, b.from_id AS from, b.user_id AS to, c.kind`,
    [request, by, requestStates.declined, requestStates.open, kindNumbersOfConversations.direct],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('request_unknown')
  tellAnswered(ctx, row, 'declined', kindOf(row.kind) === 'direct' ? [by] : [by, row.from])
}

/**
 * Whoever asked somebody into a group takes that back, or another who may add people does. A direct conversation stays as it
 * is: it was begun.
 * @throws Refusal request_unknown, not_a_group
 */
export async function cancel(ctx: LogContext, by: string, request: string): Promise<void> {
  const ended = await transaction(ctx, async client => {
    const found = await client.query<Row & { settings: StoredRules; role: number | null }>(
      `SELECT r.id AS request, r.conversation_id AS conversation, r.from_id AS from, r.user_id AS to, c.kind, c.settings, m.role
         FROM conversation_requests r JOIN conversations c ON c.id = r.conversation_id
         LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2
        WHERE r.id = $1 AND r.from_id IS NOT NULL FOR UPDATE OF r`,
      [request, by],
    )
    const row = found.rows[0]
    if (row === undefined) throw new Refusal('request_unknown')
    const kind = kindOf(row.kind)
    demandMayTakeBack(row.from === by, rulesOf(kind, row.settings), row.role === null ? undefined : roleOf(row.role))
    demandGroup(kind)
    await client.query('DELETE FROM conversation_requests WHERE id = $1', [request])
    return row
  })
  tellAnswered(ctx, ended, 'cancelled', [by, ended.from, ended.to])
}
