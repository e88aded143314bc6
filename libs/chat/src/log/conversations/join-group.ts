import type { PoolClient } from 'pg'
import type { EntryOf } from '@flotilla/protocol'
import { Refusal } from '@flotilla/protocol'
import { newcomersSee } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { demandRoomForConversations } from '../caps.ts'
import type { Change } from './apply.ts'
import type { Locked } from './change.ts'

/**
 * The entry by which people come into a group, by whatever way. Who was asked, and comes in otherwise, is asked no more.
 */
export async function joinGroup(
  locked: Locked,
  conversation: string,
  users: readonly string[],
  via?: EntryOf<'member.added'>['via'],
): Promise<Change> {
  await forgetRequests(locked.client, conversation, users)
  const since = newcomersSee(locked.rules, locked.head)
  return {
    event: 'member.added',
    members: users.map(user => ({ user, role: 'member' })),
    ...(since > locked.head ? {} : { since }),
    ...(via === undefined ? {} : { via }),
  }
}

/** There is room for one more in the group, and in the person's list. @throws Refusal conversation_full, limit_reached */
export async function demandRoomToJoin(ctx: LogContext, locked: Locked, user: string, by: string): Promise<void> {
  const max = ctx.settings.groupMembersMax
  if (locked.size >= max) throw new Refusal('conversation_full', undefined, { rule: `maxItems ${max}` })
  await demandRoomForConversations(ctx, locked.client, { users: [user], by })
}

async function forgetRequests(client: PoolClient, conversation: string, users: readonly string[]): Promise<void> {
  await client.query('DELETE FROM conversation_requests WHERE conversation_id = $1 AND user_id = ANY($2)', [
    conversation,
    users,
  ])
}
