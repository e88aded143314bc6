import type { Role } from '@flotilla/protocol'
import {
  type ConversationKind,
  demandMember,
  kindOf,
  roleOf,
  type Rules,
  rulesOf,
  type StoredRules,
} from '../../access.ts'
import type { LogContext } from '../context.ts'

/**
 * What somebody is in a conversation, asked of the store and not of the cache: who was removed a moment ago reads no list.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function standingOf(
  ctx: LogContext,
  by: string,
  conversation: string,
): Promise<{ readonly kind: ConversationKind; readonly rules: Rules; readonly role: Role }> {
  const found = await ctx.pool.query<{ kind: number; settings: StoredRules; role: number | null }>(
    `SELECT c.kind, c.settings, m.role FROM conversations c
       LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1`,
    [conversation, by],
  )
  const row = found.rows[0]
  const role = row?.role ?? undefined
  demandMember(row !== undefined, role)
  const kind = kindOf(row!.kind)
  return { kind, rules: rulesOf(kind, row!.settings), role: roleOf(role) }
}
