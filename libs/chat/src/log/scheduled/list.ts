import type { ScheduledMessage } from '@flotilla/protocol'
import { beyond, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../../store/paging.ts'
import type { LogContext } from '../context.ts'
import { scheduledColumns, type ScheduledRow, toScheduled } from './row.ts'

/**
 * The caller's scheduled messages, the one that is due first before the others.
 * @param input.conversation only those
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation?: string | undefined },
): Promise<PageOf<'scheduled', ScheduledMessage>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { rows } = await ctx.pool.query<ScheduledRow & { place: number }>({
    name: 'scheduled-page',
    text: `SELECT ${scheduledColumns}, ${placeOf('s.due_at')} AS place FROM scheduled_messages s
            WHERE s.user_id = $1 AND ($2::uuid IS NULL OR s.conversation_id = $2)
              AND ($3::int8 IS NULL OR ${beyond('s.due_at', '$3', '$4')})
            ORDER BY s.due_at, s.id LIMIT $5`,
    values: [by, input.conversation ?? null, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  const messages = new Map((await toScheduled(ctx, rows)).map(message => [message.id, message]))
  return toPage('scheduled', rows, limit, row => messages.get(row.id)!)
}
