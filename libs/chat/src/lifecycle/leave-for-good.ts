/**
 * Takes somebody who is being erased out of their conversations. A group goes on without them, with an owner. Their
 * direct conversations stay with the others: a direct conversation has two members for ever. What nobody is left to read
 * is deleted.
 */
import { Refusal } from '@flotilla/protocol'
import { kindNumbersOfConversations } from '../access.ts'
import type { LifecycleContext } from './context.ts'
import { leaveErased } from '../log/conversations/leave.ts'
import { add as addJob } from '../store/jobs/add.ts'
import { transaction } from '../store/transaction.ts'
import { avatarKeys } from '../users/change-avatar.ts'

const pageSize = 100
/** In one transaction, so that none of them is long. */
const messagesAtOnceMax = 2_000

/** Nobody else is in the conversation $1 but people whose erasure has begun. $2: the one who leaves. */
const deserted = (conversation: string, user: string) => `NOT EXISTS (
  SELECT FROM members o JOIN users u ON u.id = o.user_id
   WHERE o.conversation_id = ${conversation} AND o.user_id <> ${user} AND u.erased_at IS NULL)`

const toLeave = `
SELECT m.conversation_id AS id, ${deserted('c.id', '$1')} AS deserted
  FROM members m JOIN conversations c ON c.id = m.conversation_id
 WHERE m.user_id = $1 AND m.conversation_id > $2
   AND (c.kind = ${kindNumbersOfConversations.group} OR ${deserted('c.id', '$1')})
 ORDER BY m.conversation_id LIMIT ${pageSize}`

const beforeAll = '00000000-0000-0000-0000-000000000000'

/** @param alive called again and again, so that nobody else takes this up meanwhile */
export async function leaveForGood(ctx: LifecycleContext, user: string, alive: () => Promise<void>): Promise<void> {
  for (let last = beforeAll; ; ) {
    await alive()
    const page = await ctx.pool.query<{ id: string; deserted: boolean }>(toLeave, [user, last])
    for (const { id, deserted } of page.rows) {
      last = id
      if (deserted) await drop(ctx, user, id, alive)
      else await leaveGroup(ctx, user, id)
    }
    if (page.rows.length < pageSize) return
  }
}

async function leaveGroup(ctx: LifecycleContext, user: string, conversation: string): Promise<void> {
  try {
    await leaveErased(ctx, user, conversation)
  } catch (error) {
    if (!(error instanceof Refusal && ['not_a_member', 'conversation_unknown'].includes(error.code))) throw error
  }
}

/** Whether the conversation is still deserted is asked under its lock each time: nobody loses what they can still read. */
async function drop(
  ctx: LifecycleContext,
  user: string,
  conversation: string,
  alive: () => Promise<void>,
): Promise<void> {
  let more = true
  while (more) {
    more = await transaction(ctx, async tx => {
      await tx.query('SELECT FROM conversations WHERE id = $1 FOR UPDATE', [conversation])
      const checked = await tx.query<{ deserted: boolean }>(`SELECT ${deserted('$1', '$2')} AS deserted`, [
        conversation,
        user,
      ])
      if (!checked.rows[0]!.deserted) return false
      await tx.query(
        `DELETE FROM message_versions WHERE conversation_id = $1
            AND seq <= (SELECT max(seq) FROM (SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq LIMIT ${messagesAtOnceMax}) m)`,
        [conversation],
      )
      const deleted = await tx.query(
        `DELETE FROM messages WHERE conversation_id = $1
            AND seq IN (SELECT seq FROM messages WHERE conversation_id = $1 ORDER BY seq LIMIT ${messagesAtOnceMax})`,
        [conversation],
      )
      if (deleted.rowCount === messagesAtOnceMax) return true
      await tx.query('DELETE FROM expiring_messages WHERE conversation_id = $1', [conversation])
      // Takes the members' rows along.
      const gone = await tx.query<{ avatar: string | null }>(
        'DELETE FROM conversations WHERE id = $1 RETURNING avatar',
        [conversation],
      )
      const avatar = gone.rows[0]?.avatar ?? null
      if (avatar !== null) await addJob(ctx, { kind: 'delete-files', keys: avatarKeys(avatar) }, tx)
      return false
    })
    await alive()
  }
  ctx.memberships.drop(conversation)
}
