import type { EntryOf } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { entryColumns, type EntryRow } from '../entries.ts'
import { asTheyStand } from './as-they-stand.ts'
import { firstSeen, notHidden } from './hidden.ts'

/**
 * The pinned messages that the caller may see, the one that was pinned last first.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function listPins(ctx: LogContext, by: string, conversation: string): Promise<EntryOf<'message.new'>[]> {
  const found = await ctx.pool.query<EntryRow & { joined: number | null }>({
    name: 'pins-of-conversation',
    text: `SELECT ${firstSeen('mb')} AS joined, ${entryColumns}
             FROM conversations c LEFT JOIN members mb ON mb.conversation_id = c.id AND mb.user_id = $2
             LEFT JOIN (pins p JOIN messages m ON m.conversation_id = p.conversation_id AND m.seq = p.seq)
               ON p.conversation_id = c.id AND p.pinned AND p.seq >= ${firstSeen('mb')} AND m.kind = ${entries['message.new'].number}
              AND ${notHidden('m', 'mb.user_id')}
            WHERE c.id = $1 ORDER BY p.changed_seq DESC`,
    values: [conversation, by],
  })
  demandMember(found.rows.length > 0, found.rows[0]?.joined ?? undefined)
  const rows = found.rows.filter(row => row.conversation_id !== null)
  return (await asTheyStand(ctx, by, rows)) as EntryOf<'message.new'>[]
}
