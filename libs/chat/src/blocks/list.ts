import { and, asc, eq, gt } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { blocks, users } from '../store/schema.ts'
import { type User, userColumns } from '../users/user.ts'

export interface BlockPage {
  readonly blocks: readonly Block[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

export interface Block {
  readonly user: User
  /** Milliseconds since 1970. */
  readonly at: number
}

const pageMax = 200

/** Whom the caller has blocked, in the order of their ids. Nobody learns who has blocked the caller. */
export async function list(
  ctx: ChatContext,
  by: string,
  input: { limit: number; after?: string | undefined },
): Promise<BlockPage> {
  const { after } = input
  const limit = Math.min(input.limit, pageMax)
  const found = await ctx.db
    .select({ user: userColumns, at: blocks.createdAt })
    .from(blocks)
    .innerJoin(users, eq(users.id, blocks.blockedId))
    .where(and(eq(blocks.userId, by), after === undefined ? undefined : gt(blocks.blockedId, after)))
    .orderBy(asc(blocks.blockedId))
    .limit(limit + 1)
  const page = found.slice(0, limit).map(({ user, at }) => ({ user, at: at.getTime() }))
  const last = page.at(-1)
  return { blocks: page, ...(found.length > limit && last !== undefined ? { next: last.user.id } : {}) }
}
