import type { Block } from '@flotilla/protocol'
import { and, asc, eq, gt } from 'drizzle-orm'
import type { PeopleContext } from '../context.ts'
import { type PageOf, type PageWanted, peoplePageMax, toPageOfPeople } from '../../store/paging.ts'
import { blocks, users } from '../../store/schema.ts'
import { userColumnsFor } from '../../users/user.ts'

export type BlockPage = PageOf<'blocks', Block>

/** Whom the caller has blocked, in the order of their ids. Nobody learns who has blocked the caller. */
export async function list(ctx: PeopleContext, by: string, { limit, after }: PageWanted): Promise<BlockPage> {
  const onPage = Math.min(limit, peoplePageMax)
  const found = await ctx.db
    .select({ user: userColumnsFor(by), at: blocks.createdAt })
    .from(blocks)
    .innerJoin(users, eq(users.id, blocks.blockedId))
    .where(and(eq(blocks.userId, by), after === undefined ? undefined : gt(blocks.blockedId, after)))
    .orderBy(asc(blocks.blockedId))
    .limit(onPage + 1)
  const people = found.map(({ user, at }) => ({ user, at: at.getTime() }))
  return toPageOfPeople('blocks', people, onPage)
}
