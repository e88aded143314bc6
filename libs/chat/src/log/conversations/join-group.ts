import type { EntryOf } from '@flotilla/protocol'
import { Refusal } from '@flotilla/protocol'
import { newcomersSee } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { demandRoomForConversations } from '../caps.ts'
import type { Change } from './apply.ts'
import type { Locked } from './change.ts'

/** The entry by which people come into a group, by whatever way. */
export function joinGroup(locked: Locked, users: readonly string[], via?: EntryOf<'member.added'>['via']): Change {
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
