import { limits, Refusal } from '@flotilla/protocol'
import { demandGroup, demandManager } from '../access.ts'
import type { ChatContext } from '../context.ts'
import { addedToGroup } from '../notifications/added-to-group.ts'
import { demandReachable } from '../privacy/reachable.ts'
import { demandUsers } from '../users/user.ts'
import { type Changed, change } from './change.ts'

/**
 * Adds people to a group, in one entry. They see the log from that entry on.
 * @throws Refusal field_invalid, user_unknown, conversation_unknown, not_a_member, direct_fixed, role_insufficient,
 *   already_a_member, direct_closed, direct_refused, conversation_full
 */
export async function addMembers(
  ctx: ChatContext,
  by: string,
  input: { conversation: string; users: readonly string[] },
): Promise<Changed> {
  const users = [...new Set(input.users)]
  checkCount(users.length)
  await demandUsers(ctx, users, 'users')
  const changed = await change(ctx, by, input.conversation, async locked => {
    demandGroup(locked.kind)
    demandManager(locked.role)
    const [present] = (await locked.rolesOf(users)).keys()
    if (present !== undefined)
      throw new Refusal('already_a_member', `${present} is a member already`, { field: 'users' })
    await demandReachable(ctx, locked.client, by, { users, field: 'users' })
    if (locked.size + users.length > limits.groupMembersMax)
      throw new Refusal('conversation_full', undefined, { field: 'users', rule: `maxItems ${limits.groupMembersMax}` })
    return { event: 'member.added', members: users.map(user => ({ user, role: 'member' })) }
  })
  await addedToGroup(ctx, by, { conversation: input.conversation, seq: changed.seq, users })
  return changed
}

function checkCount(count: number): void {
  if (count >= 1 && count <= limits.membersAtOnceMax) return
  const rule = count === 0 ? 'minItems 1' : `maxItems ${limits.membersAtOnceMax}`
  throw new Refusal('field_invalid', `users: must keep to ${rule}`, { field: 'users', rule })
}
