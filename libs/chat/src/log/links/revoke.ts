import { Refusal } from '@flotilla/protocol'
import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { change } from '../conversations/change.ts'

/**
 * Nobody comes by it any more. Who has, stays.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, invitation_unknown
 */
export async function revoke(
  ctx: LogContext,
  by: string,
  { conversation, link }: { conversation: string; link: string },
): Promise<void> {
  await change(ctx, by, conversation, async ({ kind, rules, role, client }) => {
    demandGroup(kind)
    demandPermitted(rules, 'addMembers', role)
    const gone = await client.query(
      'DELETE FROM invite_links WHERE id = $1 AND conversation_id = $2 AND expires_at > now()',
      [link, conversation],
    )
    if (gone.rowCount === 0) throw new Refusal('invitation_unknown')
    return undefined
  })
}
