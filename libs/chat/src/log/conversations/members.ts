import type { Member } from '@flotilla/protocol'
import { and, asc, eq, gt } from 'drizzle-orm'
import { demandMember, roleOf, shows } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type PageOf, type PageWanted, peoplePageMax, toPageOfPeople } from '../../store/paging.ts'
import { readCounterparts } from '../../privacy/counterparts.ts'
import * as tables from '../../store/schema.ts'
import { userColumnsFor } from '../../users/user.ts'

export type MemberPage = PageOf<'members', Member>

/**
 * The members of a conversation, in the order of their ids.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function members(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string },
): Promise<MemberPage> {
  const { conversation, after } = input
  const limit = Math.min(input.limit, peoplePageMax)
  await demandMembership(ctx, by, conversation)
  const { members: rows, users } = tables
  const found = await ctx.db
    .select({ user: userColumnsFor(by), role: rows.role, deliveredSeq: rows.deliveredSeq, readSeq: rows.readSeq })
    .from(rows)
    .innerJoin(users, eq(users.id, rows.userId))
    .where(and(eq(rows.conversationId, conversation), after === undefined ? undefined : gt(rows.userId, after)))
    .orderBy(asc(rows.userId))
    .limit(limit + 1)
  const counterparts = await readCounterparts(
    ctx.pool,
    by,
    found.map(row => row.user.id),
  )
  const people = found.map(({ user, role, deliveredSeq, readSeq }) => {
    const one = counterparts.get(user.id)
    return {
      user,
      role: roleOf(role),
      ...(user.id === by || (one !== undefined && shows(one.to.last_seen, one)) ? { deliveredSeq } : {}),
      ...(user.id === by || (one !== undefined && shows(one.to.read_receipts, one)) ? { readSeq } : {}),
    }
  })
  return toPageOfPeople('members', people, limit)
}

/** Asked of the store, not of the cache: who was removed a moment ago reads no list. */
async function demandMembership(ctx: LogContext, by: string, conversation: string): Promise<void> {
  const found = await ctx.pool.query<{ member: string | null }>(
    `SELECT m.user_id AS member FROM conversations c
       LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1`,
    [conversation, by],
  )
  const row = found.rows[0]
  demandMember(row !== undefined, row?.member ?? undefined)
}
