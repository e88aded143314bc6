import type { Member } from '@flotilla/protocol'
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { roleOf, shows } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { type PageOf, type PageWanted, peoplePageMax, toPageOfPeople } from '../../store/paging.ts'
import { readCounterparts } from '../../privacy/counterparts.ts'
import * as tables from '../../store/schema.ts'
import { userColumnsFor } from '../../users/user.ts'
import { standingOf } from './standing.ts'

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
  await standingOf(ctx, by, conversation)
  const { members: rows, groupSilences: silences, users } = tables
  const found = await ctx.db
    .select({
      user: userColumnsFor(by),
      role: rows.role,
      silencedUntil: silences.until,
      deliveredSeq: rows.deliveredSeq,
      readSeq: rows.readSeq,
    })
    .from(rows)
    .leftJoin(
      silences,
      and(
        eq(silences.conversationId, rows.conversationId),
        eq(silences.userId, rows.userId),
        gt(silences.until, sql`now()`),
      ),
    )
    .innerJoin(users, eq(users.id, rows.userId))
    .where(and(eq(rows.conversationId, conversation), after === undefined ? undefined : gt(rows.userId, after)))
    .orderBy(asc(rows.userId))
    .limit(limit + 1)
  const counterparts = await readCounterparts(
    ctx.pool,
    by,
    found.map(row => row.user.id),
  )
  const people = found.map(({ user, role, silencedUntil, deliveredSeq, readSeq }) => {
    const one = counterparts.get(user.id)
    return {
      user,
      role: roleOf(role),
      ...(silencedUntil === null ? {} : { silencedUntil: silencedUntil.getTime() }),
      ...(user.id === by || (one !== undefined && shows(one.to.last_seen, one)) ? { deliveredSeq } : {}),
      ...(user.id === by || (one !== undefined && shows(one.to.read_receipts, one)) ? { readSeq } : {}),
    }
  })
  return toPageOfPeople('members', people, limit)
}
