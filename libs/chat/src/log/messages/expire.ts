/**
 * Erases what has had its time. The lock of a conversation keeps two workers apart; one that dies leaves everything as it
 * was. Nobody is shown an expired message meanwhile: readers compare (entries.ts).
 */
import { limits } from '@flotilla/protocol'
import { expire } from '../conversations/change.ts'
import type { LogContext } from '../context.ts'
import { transaction } from '../../store/transaction.ts'

/** Rows of the index that are looked at for the conversations that they are of. */
const lookedAtMax = 5_000

export interface Expired {
  /** Messages whose time was up. */
  readonly messages: number
  /** There may be more. */
  readonly more: boolean
}

/** @param max conversations that are taken in hand, the longest due first; of each as many messages as one entry tells of */
export async function expireDue(ctx: LogContext, max: number, signal?: AbortSignal): Promise<Expired> {
  const due = await ctx.pool.query<{ conversation: string }>({
    name: 'messages-expiring',
    text: `SELECT conversation_id AS conversation
             FROM (SELECT conversation_id, expires_at FROM expiring_messages WHERE expires_at <= now()
                    ORDER BY expires_at LIMIT ${lookedAtMax}) d
            GROUP BY 1 ORDER BY min(expires_at) LIMIT $1`,
    values: [max],
  })
  let messages = 0
  let more = due.rows.length === max
  for (const { conversation } of due.rows) {
    if (signal?.aborted === true) break
    const { taken, tell } = await transaction(ctx, client => expire(ctx, client, conversation))
    tell()
    messages += taken
    more ||= taken === limits.expiredAtOnceMax
  }
  return { messages, more }
}
