import { roleNumbers, rulesOf, type StoredRules } from '../../access.ts'
import type { LogContext } from '../context.ts'

/** Of more people than this the rest learn of a request when they next read the list. */
const approversToldMax = 100

/** Who may let people into a group, owners and admins first. */
export async function approversOf(ctx: LogContext, conversation: string): Promise<readonly string[]> {
  const group = await ctx.pool.query<{ settings: StoredRules }>('SELECT settings FROM conversations WHERE id = $1', [
    conversation,
  ])
  const row = group.rows[0]
  if (row === undefined) return []
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT user_id AS id FROM members WHERE conversation_id = $1 AND role >= $2
      ORDER BY role DESC, user_id LIMIT ${approversToldMax}`,
    [conversation, roleNumbers[rulesOf('group', row.settings).permissions.addMembers]],
  )
  return found.rows.map(one => one.id)
}
