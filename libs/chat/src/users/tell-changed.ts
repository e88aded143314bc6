import type { User } from '@flotilla/protocol'
import type { UsersContext } from './context.ts'

/** Of more acquaintances than this the rest learn of a change when they next read a list. */
const acquaintancesToldMax = 1_000

/** Contacts come first, for they show each other; whoever has blocked the person, or is blocked, hears nothing. */
const acquaintances = `
SELECT a.id FROM (
  SELECT contact_id AS id, 1 AS rank FROM contacts WHERE user_id = $1
  UNION ALL
  SELECT other.user_id, 2 FROM members mine
    JOIN conversations c ON c.id = mine.conversation_id AND c.kind = 1
    JOIN members other ON other.conversation_id = c.id AND other.user_id <> $1
   WHERE mine.user_id = $1
) a
 WHERE NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = $1 AND b.blocked_id = a.id)
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = a.id AND b.blocked_id = $1)
 GROUP BY a.id ORDER BY min(a.rank), a.id LIMIT $2`

/**
 * Tells whoever knows a person that their name or picture is another now. A hint like every event: it never fails, for
 * the change itself is stored.
 */
export async function tellChanged(ctx: UsersContext, user: User): Promise<void> {
  let others: string[] = []
  try {
    const found = await ctx.pool.query<{ id: string }>({
      name: 'acquaintances',
      text: acquaintances,
      values: [user.id, acquaintancesToldMax],
    })
    others = found.rows.map(row => row.id)
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to read who must hear of a changed profile')
  }
  const { id, username, displayName, avatar } = user
  ctx.emit({
    class: 'signal',
    to: [id, ...others],
    event: { event: 'user.changed', user: { id, username, displayName, avatar } },
  })
}
