/** Who hears of requests to join a group: whoever asks, and those who may let them in. */
import type { EventOf } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { roleNumbers, type Rules } from '../../access.ts'
import type { LogContext } from '../context.ts'

/** Of more people than this the rest learn of a request when they next read the list. */
const approversToldMax = 100

/**
 * Who may let people into a group, owners and admins first. Asked before the commit, so that nothing fails after it.
 * @param rules of the group
 */
export async function approversOf(
  client: Pick<PoolClient, 'query'>,
  conversation: string,
  { permissions }: Rules,
): Promise<readonly string[]> {
  const found = await client.query<{ id: string }>(
    `SELECT user_id AS id FROM members WHERE conversation_id = $1 AND role >= $2
      ORDER BY role DESC, user_id LIMIT ${approversToldMax}`,
    [conversation, roleNumbers[permissions.addMembers]],
  )
  return found.rows.map(one => one.id)
}

/** After the commit. */
export function tellJoinAnswered(
  ctx: LogContext,
  { conversation, user, approvers }: { conversation: string; user: string; approvers: readonly string[] },
  answer: EventOf<'join.answered'>['answer'],
): void {
  ctx.emit({
    class: 'signal',
    to: [...new Set([user, ...approvers])],
    event: { event: 'join.answered', conversation, user, answer },
  })
}
