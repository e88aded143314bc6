import { limits, type MemberRef, Refusal } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import { checkName } from '../names.ts'
import { addedToGroup } from '../notifications/added-to-group.ts'
import { demandReachable } from '../privacy/reachable.ts'
import { demandUsers } from '../users/user.ts'
import { create } from './change.ts'
import { get } from './get.ts'
import type { Conversation } from './read.ts'

/**
 * Makes a group that the caller owns.
 * @param input.members the others; naming somebody twice, or oneself, changes nothing
 * @throws Refusal field_invalid, user_unknown, direct_closed, direct_refused
 */
export async function createGroup(
  ctx: ChatContext,
  by: string,
  input: { name: string; members: readonly string[] },
): Promise<Conversation> {
  const name = checkName(input.name, 'name')
  const others = [...new Set(input.members)].filter(user => user !== by)
  if (others.length > limits.membersAtOnceMax) {
    const rule = `maxItems ${limits.membersAtOnceMax}`
    throw new Refusal('field_invalid', `members: must keep to ${rule}`, { field: 'members', rule })
  }
  await demandUsers(ctx, others, 'members')
  await demandReachable(ctx, ctx.pool, by, { users: others, field: 'members' })
  const members: MemberRef[] = [{ user: by, role: 'owner' }, ...others.map(user => ({ user, role: 'member' as const }))]
  const id = await create(ctx, by, { kind: 'group', name, members })
  await addedToGroup(ctx, by, { conversation: id!, seq: 1, users: others })
  return get(ctx, by, id!)
}
