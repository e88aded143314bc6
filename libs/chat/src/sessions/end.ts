import { and, eq, isNull, sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { sessions } from '../store/schema.ts'

/** Ends a session: its tokens are refused from now on, and its sockets close at the next pulse of their nodes. */
export async function end(ctx: ChatContext, session: string): Promise<void> {
  await ctx.db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(sessions.id, session), isNull(sessions.revokedAt)))
  ctx.admissions.forget([session])
}
