import { Refusal } from '@flotilla/protocol'
import type { UsersContext } from '../users/context.ts'

/**
 * Presence is asked for by those who share a conversation, and by contacts: the caller does with each of these people, or is the
 * person. To whom of them it is shown, the setting of the watched person says (`visible`).
 * @throws Refusal no_shared_conversation
 */
export async function demandAcquainted(ctx: UsersContext, by: string, users: readonly string[]): Promise<void> {
  const acquainted = await acquaintedOf(ctx, by, users)
  const stranger = users.find(user => !acquainted.has(user))
  if (stranger !== undefined)
    throw new Refusal(
      'no_shared_conversation',
      `you share no conversation with ${stranger}, and they are no contact of yours`,
      {
        field: 'users',
        rule: 'users who share a conversation with you, and your contacts',
      },
    )
}

/** Of these people, those who share a conversation with the caller, their contacts, and the caller. */
export async function acquaintedOf(ctx: UsersContext, by: string, users: readonly string[]): Promise<Set<string>> {
  const others = [...new Set(users)].filter(user => user !== by)
  if (others.length === 0) return new Set([by])
  const found = await ctx.pool.query<{ user_id: string }>({
    name: 'acquainted',
    text: `SELECT DISTINCT user_id FROM members
            WHERE user_id = ANY($2) AND conversation_id IN (SELECT conversation_id FROM members WHERE user_id = $1)
            UNION SELECT contact_id FROM contacts WHERE user_id = $1 AND contact_id = ANY($2)`,
    values: [by, others],
  })
  return new Set([by, ...found.rows.map(row => row.user_id)])
}
