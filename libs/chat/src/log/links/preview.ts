import { type InvitePreview, Refusal } from '@flotilla/protocol'
import { demandNotBanned, permits, roleOf, rulesOf, type StoredRules } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import { goodLink } from './link.ts'

interface Row extends Omit<InvitePreview, 'name'> {
  name: string | null
  settings: StoredRules
  role: number | null
  banned: boolean
}

/** With the role of whoever made it, who must still be able to add people. $2: who asks. */
const text = `
SELECT c.id AS conversation, c.name, c.description, c.avatar, c.member_count AS "memberCount", l.approval, c.settings, m.role,
       EXISTS (SELECT FROM members WHERE conversation_id = c.id AND user_id = $2) AS member,
       EXISTS (SELECT FROM group_bans WHERE conversation_id = c.id AND user_id = $2) AS banned
  FROM invite_links l JOIN conversations c ON c.id = l.conversation_id
  LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = l.by_id
 WHERE l.token_hash = $1 AND ${goodLink}`

/**
 * What a link shows of its group to whoever has it.
 * @throws Refusal invitation_invalid, banned
 */
export async function preview(ctx: LogContext, by: string, token: string): Promise<InvitePreview> {
  const found = await ctx.pool.query<Row>({
    name: 'invite-links-preview',
    text,
    values: [paperCodeHash(token), by],
  })
  const row = found.rows[0]
  if (
    row === undefined ||
    row.role === null ||
    !permits(rulesOf('group', row.settings), 'addMembers', roleOf(row.role))
  )
    throw new Refusal('invitation_invalid')
  demandNotBanned(row.banned)
  const { conversation, name, description, avatar, memberCount, approval, member } = row
  return { conversation, name: name ?? '', description, avatar, memberCount, approval, member }
}
