import type { Conversation } from '@flotilla/protocol'
import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { readOne } from './read.ts'

/**
 * One conversation as the caller sees it.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function get(ctx: LogContext, by: string, id: string): Promise<Conversation> {
  const conversation = await readOne(ctx, by, id)
  demandMember(conversation !== undefined || (await exists(ctx, id)), conversation)
  return conversation
}

async function exists(ctx: LogContext, id: string): Promise<boolean> {
  const found = await ctx.pool.query('SELECT FROM conversations WHERE id = $1', [id])
  return found.rowCount === 1
}
