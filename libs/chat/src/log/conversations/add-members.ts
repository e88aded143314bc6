import { limits, Refusal } from '@flotilla/protocol'
import { type Approach, demandGroup, demandMayAskAgain, demandPermitted } from '../../access.ts'
import { demandRoomForConversations } from '../caps.ts'
import type { LogContext } from '../context.ts'
import { addedToGroup } from '../../notices/notifications/added-to-group.ts'
import { demandReachable } from '../../privacy/reachable.ts'
import { ask, demandRoomToAsk, tellAsked } from '../requests/ask.ts'
import { demandHeld } from '../../users/hold.ts'
import { demandNoneBanned } from './bans.ts'
import type { Change } from './apply.ts'
import { type Changed, change, type Locked } from './change.ts'
import { joinGroup } from './join-group.ts'

export interface Added extends Changed {
  /** Those who are asked first, and are no members yet. */
  readonly asked: readonly string[]
}

/**
 * Adds people to a group, in one entry. They see the log from that entry on, or what the group shows newcomers. Who wants to
 * be asked first, or has left the group before, is asked: they come in when they accept.
 * @returns without anybody who came in, the head
 * @throws Refusal field_invalid, user_unknown, conversation_unknown, not_a_member, not_a_group, role_insufficient,
 *   already_a_member, banned, blocked, contacts_only, request_declined, conversation_full, limit_reached
 */
export async function addMembers(
  ctx: LogContext,
  by: string,
  input: { conversation: string; users: readonly string[] },
): Promise<Added> {
  const { conversation } = input
  const users = [...new Set(input.users)]
  checkCount(users.length)
  let asked: readonly string[] = []
  const decide = async (locked: Locked): Promise<Change | undefined> => {
    demandHeld(locked.held, users, 'users')
    demandGroup(locked.kind)
    demandPermitted(locked.rules, 'addMembers', locked.role)
    const approaches = await approach(ctx, locked, by, { conversation, users })
    asked = users.filter(user => approaches.get(user) === 'asked')
    await demandRoomToAsk(ctx, locked.client, { from: by, users: asked, field: 'users' })
    await ask(locked.client, { conversation, from: by, users: asked })
    const joining = users.filter(user => approaches.get(user) === 'enters')
    if (joining.length === 0) return undefined
    await demandRoomForConversations(ctx, locked.client, { users: joining, by, field: 'users' })
    return joinGroup(locked, joining)
  }
  const { seq } = await change(ctx, by, conversation, decide, { hold: [by, ...users] })
  const joined = users.filter(user => !asked.includes(user))
  await addedToGroup(ctx, by, { conversation, seq, users: joined })
  await tellAsked(ctx, conversation, asked)
  return { seq, asked }
}

/** How each of them comes in, if they may at all. Whoever is asked takes a place as well, so that they find it free. */
async function approach(
  ctx: LogContext,
  locked: Locked,
  by: string,
  { conversation, users }: { conversation: string; users: readonly string[] },
): Promise<Map<string, Approach>> {
  const [present] = (await locked.rolesOf(users)).keys()
  if (present !== undefined) throw new Refusal('already_a_member', `${present} is already a member`, { field: 'users' })
  const max = ctx.settings.groupMembersMax
  if (locked.size + users.length > max)
    throw new Refusal('conversation_full', undefined, { field: 'users', rule: `maxItems ${max}` })
  await demandNoneBanned(locked.client, conversation, users, 'users')
  const approaches = await demandReachable(ctx, locked.client, by, { users, field: 'users' })
  const found = await locked.client.query<{ id: string; state: number; ageMs: number }>(
    `SELECT user_id AS id, state, (extract(epoch FROM now() - changed_at) * 1000)::float8 AS "ageMs"
       FROM conversation_requests WHERE conversation_id = $1 AND user_id = ANY($2)`,
    [conversation, users],
  )
  const before = new Map(found.rows.map(row => [row.id, row]))
  for (const [user, way] of approaches)
    approaches.set(user, demandMayAskAgain(before.get(user), ctx.settings.requestPauseMs, way, user))
  return approaches
}

function checkCount(count: number): void {
  if (count >= 1 && count <= limits.membersAtOnceMax) return
  const rule = count === 0 ? 'minItems 1' : `maxItems ${limits.membersAtOnceMax}`
  throw new Refusal('field_invalid', `users: invalid (${rule})`, { field: 'users', rule })
}
