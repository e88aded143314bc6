/** Takes a message that is to be sent later. */
import { Refusal, type ScheduledMessage } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandMember, demandOpen } from '../../access.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import type { LogContext } from '../context.ts'
import { posting } from '../messages/post.ts'
import { demandThreadOpen, replying } from '../messages/reply.ts'
import {
  scheduledColumns,
  type ScheduledRow,
  sealBody,
  tellScheduled,
  toCommand,
  toScheduled,
  type Wanted,
} from './row.ts'
import { readTime, type Time } from './time.ts'

export interface ScheduleInput extends Wanted, Time {
  readonly clientId: string
}

/**
 * What the sender may not do now is refused now; what they may do then is asked when it is due. Repeated with the same
 * `clientId`, it answers what is there.
 * @throws Refusal field_invalid, data_too_deep, conversation_unknown, not_a_member, blocked, message_unknown, limit_reached,
 *   scheduled_unknown (it was sent)
 */
export async function schedule(ctx: LogContext, by: string, input: ScheduleInput): Promise<ScheduledMessage> {
  const { conversation, clientId: id, body, replyTo, thread, alsoInConversation } = input
  const command = toCommand(id, input)
  const refusal = (thread === undefined ? posting : replying).refuse(command)
  if (refusal !== undefined) throw refusal
  const time = readTime(input, ctx.clock())
  if (time === undefined) throw new Refusal('field_invalid', 'at: is missing', { field: 'at', rule: 'required' })
  const standing = await ctx.memberships.demand(conversation, by)
  demandOpen(standing.membership.closed)
  await posting.check(ctx, by, command, standing)
  if (thread !== undefined) await demandThreadOpen(ctx, conversation, standing.member, thread)
  const { keyId, body: sealed } = sealBody(ctx, by, id, body)
  const { row, isNew } = await transaction(ctx, async client => {
    // Held, so that no two count at the same time, and nothing is left behind by whoever is erased.
    const held = await holdUsers(client, [by])
    demandMember(true, held.has(by) ? by : undefined)
    const there = await find(client, by, id)
    if (there !== undefined) return { row: there, isNew: false }
    await demandUnsent(client, conversation, by, id)
    await demandRoom(ctx, client, by)
    const { due, wall, zone, rules } = time
    const made = await client.query<ScheduledRow>(
      `INSERT INTO scheduled_messages AS s
              (user_id, id, conversation_id, due_at, attempt_at, wall, zone, rules, reply_to, root_seq, also_in_conversation, key_id, body)
       SELECT $1, $2, $3, d.at, d.at, $5, $6, $7, $8, $9, $10, $11, $12
         FROM (SELECT timestamptz 'epoch' + $4::int8 * interval '1 millisecond' AS at) d
       RETURNING ${scheduledColumns}`,
      [by, id, conversation, due, wall, zone, rules, replyTo, thread, alsoInConversation === true, keyId, sealed],
    )
    return { row: made.rows[0]!, isNew: true }
  })
  const [message] = (await toScheduled(ctx, [row])) as [ScheduledMessage]
  if (isNew) tellScheduled(ctx, by, id, message)
  return message
}

async function find(client: PoolClient, by: string, id: string): Promise<ScheduledRow | undefined> {
  const found = await client.query<ScheduledRow>(
    `SELECT ${scheduledColumns} FROM scheduled_messages s WHERE s.user_id = $1 AND s.id = $2`,
    [by, id],
  )
  return found.rows[0]
}

/** A repetition that comes late must not stand in the list as if it were sent once more. */
async function demandUnsent(client: PoolClient, conversation: string, by: string, id: string): Promise<void> {
  const found = await client.query(
    'SELECT FROM messages WHERE conversation_id = $1 AND sender_id = $2 AND client_id = $3',
    [conversation, by, id],
  )
  if (found.rowCount !== 0) throw new Refusal('scheduled_unknown', 'the message was sent')
}

async function demandRoom(ctx: LogContext, client: PoolClient, by: string): Promise<void> {
  const { scheduledMax } = ctx.settings
  const found = await client.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM scheduled_messages WHERE user_id = $1',
    [by],
  )
  if (found.rows[0]!.count >= scheduledMax)
    throw new Refusal('limit_reached', undefined, { rule: `maxItems ${scheduledMax}` })
}
