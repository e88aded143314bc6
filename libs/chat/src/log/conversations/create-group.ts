import { type Conversation, limits, type MemberRef, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandRoomForConversations } from '../caps.ts'
import type { LogContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { addedToGroup } from '../../notices/notifications/added-to-group.ts'
import { demandReachable } from '../../privacy/reachable.ts'
import { demandRoomToAsk, tellAsked } from '../requests/ask.ts'
import { demandHeld, holdUsers } from '../../users/hold.ts'
import { create } from './change.ts'
import { get } from './get.ts'

/**
 * Makes a group that the caller owns. Whoever wants to be asked first is no member before they have accepted.
 * @param input.members the others; naming somebody twice, or oneself, changes nothing
 * @throws Refusal field_invalid, user_unknown, blocked, contacts_only, conversation_full, limit_reached
 */
export async function createGroup(
  ctx: LogContext,
  by: string,
  input: { name: string; members: readonly string[] },
): Promise<Conversation> {
  const name = checkName(input.name, 'name')
  const others = [...new Set(input.members)].filter(user => user !== by)
  if (others.length > limits.membersAtOnceMax) {
    const rule = `maxItems ${limits.membersAtOnceMax}`
    throw new Refusal('field_invalid', `members: invalid (${rule})`, { field: 'members', rule })
  }
  const members: MemberRef[] = [{ user: by, role: 'owner' }, ...others.map(user => ({ user, role: 'member' as const }))]
  demandFits(ctx, members.length)
  const decide = (client: PoolClient) => decideAll(ctx, client, by, others)
  const { conversation, asked, members: joined } = (await create(ctx, by, { kind: 'group', name, members, decide }))!
  await addedToGroup(ctx, by, { conversation, seq: 1, users: joined.filter(user => user !== by) })
  await tellAsked(ctx, conversation, asked)
  return get(ctx, by, conversation)
}

/** Everybody is held: a block comes before, and is seen here, or after the group is made. */
async function decideAll(ctx: LogContext, client: PoolClient, by: string, others: readonly string[]) {
  const field = 'members'
  demandHeld(await holdUsers(client, [by, ...others]), others, field)
  const approaches = await demandReachable(ctx, client, by, { users: others, field })
  const asked = others.filter(user => approaches.get(user) === 'asked')
  await demandRoomToAsk(ctx, client, { from: by, users: asked, field })
  const joining = others.filter(user => approaches.get(user) !== 'asked')
  await demandRoomForConversations(ctx, client, { users: [by, ...joining], by, field })
  return new Set(asked)
}

function demandFits(ctx: LogContext, size: number): void {
  const max = ctx.settings.groupMembersMax
  if (size > max) throw new Refusal('conversation_full', undefined, { field: 'members', rule: `maxItems ${max}` })
}
