/**
 * Takes somebody who is being erased out of their conversations. A group goes on without them, with an owner. Their
 * direct conversations stay with the others: a direct conversation has two members for ever. What nobody is left to read
 * is deleted.
 */
import { Refusal } from '@flotilla/protocol'
import { kindNumbersOfConversations } from '../access.ts'
import type { LifecycleContext } from './context.ts'
import { changeRole } from '../log/conversations/change-role.ts'
import { leave } from '../log/conversations/leave.ts'
import { transaction } from '../store/transaction.ts'

const pageSize = 100
/** In one transaction, so that none of them is long. */
const messagesAtOnceMax = 2_000
/** Others change the group meanwhile; whoever keeps at it longer than this is waited out. */
const attemptsMax = 5

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
  for (let attempt = 1; ; attempt++) {
    try {
      await leave(ctx, user, { conversation })
      return
    } catch (error) {
      const code = error instanceof Refusal ? error.code : undefined
      if (code === 'not_a_member' || code === 'conversation_unknown') return
      if (code !== 'last_owner' || attempt === attemptsMax) throw error
    }
    await handOn(ctx, user, conversation)
  }
}

/** The group gets another owner: the longest-standing admin, or else member. */
async function handOn(ctx: LifecycleContext, user: string, conversation: string): Promise<void> {
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT m.user_id AS id FROM members m JOIN users u ON u.id = m.user_id
      WHERE m.conversation_id = $1 AND m.user_id <> $2 AND u.erased_at IS NULL
      ORDER BY m.role DESC, m.joined_seq, m.user_id LIMIT 1`,
    [conversation, user],
  )
  const heir = found.rows[0]?.id
  if (heir === undefined) throw new Error('unable to hand a group on: nobody else is there any more')
  try {
    await changeRole(ctx, user, { conversation, user: heir, role: 'owner' })
  } catch (error) {
    // The heir has left in the meantime: the next attempt finds another.
    if (!(error instanceof Refusal && error.code === 'user_unknown')) throw error
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
      await tx.query('DELETE FROM conversations WHERE id = $1', [conversation])
      return false
    })
    await alive()
  }
  ctx.memberships.drop(conversation)
}
