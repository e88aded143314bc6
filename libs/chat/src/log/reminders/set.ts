import { Refusal, type Reminder } from '@flotilla/protocol'
import { demandMember } from '../../access.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import type { LogContext } from '../context.ts'
import { demandMessage } from '../messages/target.ts'
import { demandAhead } from '../scheduled/time.ts'

/**
 * Reminds the caller of a message that they see. Private: only their other devices hear it. Set again, it has another time.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, message_unknown, limit_reached
 */
export async function set(ctx: LogContext, by: string, input: Reminder): Promise<Reminder> {
  const { conversation, seq } = input
  const at = demandAhead(input.at, ctx.clock(), 'at')
  await demandMessage(ctx, by, conversation, seq)
  const { remindersMax } = ctx.settings
  await transaction(ctx, async client => {
    const held = await holdUsers(client, [by])
    demandMember(true, held.has(by) ? by : undefined)
    const found = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM reminders WHERE user_id = $1 AND (conversation_id, seq) <> ($2, $3)`,
      [by, conversation, seq],
    )
    if (found.rows[0]!.count >= remindersMax)
      throw new Refusal('limit_reached', undefined, { rule: `maxItems ${remindersMax}` })
    await client.query(
      `INSERT INTO reminders (user_id, conversation_id, seq, due_at)
       VALUES ($1, $2, $3, timestamptz 'epoch' + $4::int8 * interval '1 millisecond')
           ON CONFLICT (user_id, conversation_id, seq) DO UPDATE SET due_at = EXCLUDED.due_at, created_at = now()`,
      [by, conversation, seq, at],
    )
  })
  tellReminder(ctx, by, { conversation, seq, at })
  return { conversation, seq, at }
}

/** Takes a reminder away; where there is none, nothing happens. */
export async function cancel(
  ctx: LogContext,
  by: string,
  input: Pick<Reminder, 'conversation' | 'seq'>,
): Promise<void> {
  const { conversation, seq } = input
  const gone = await ctx.pool.query('DELETE FROM reminders WHERE user_id = $1 AND conversation_id = $2 AND seq = $3', [
    by,
    conversation,
    seq,
  ])
  if (gone.rowCount !== 0) tellReminder(ctx, by, { conversation, seq, at: null })
}

/** Of all that the caller has set, the one that is due first before the others. */
export async function list(ctx: LogContext, by: string): Promise<{ reminders: Reminder[] }> {
  const found = await ctx.pool.query<Reminder>({
    name: 'reminders-list',
    text: `SELECT conversation_id AS conversation, seq, (extract(epoch FROM due_at) * 1000)::int8 AS at
             FROM reminders WHERE user_id = $1 ORDER BY due_at, conversation_id, seq`,
    values: [by],
  })
  return { reminders: found.rows }
}

/** After the commit. @param reminder.at null when there is none any more */
export function tellReminder(
  ctx: LogContext,
  user: string,
  reminder: Omit<Reminder, 'at'> & { readonly at: number | null },
): void {
  ctx.emit({ class: 'signal', to: [user], event: { event: 'reminder.changed', ...reminder } })
}
