import type { Role } from '@flotilla/protocol'
import { and, asc, eq, gt } from 'drizzle-orm'
import { demandMember, roleOf } from '../access.ts'
import type { ChatContext } from '../context.ts'
import { visible } from '../privacy/visible.ts'
import * as tables from '../store/schema.ts'
import { type User, userColumns } from '../users/user.ts'

export interface MemberPage {
  readonly members: readonly MemberItem[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

export interface MemberItem {
  readonly user: User
  readonly role: Role
  readonly deliveredSeq: number
  /** Left out when the person does not show it to the caller. */
  readonly readSeq?: number
}

const pageMax = 200

/**
 * The members of a conversation, in the order of their ids.
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function members(
  ctx: ChatContext,
  by: string,
  input: { conversation: string; limit: number; after?: string | undefined },
): Promise<MemberPage> {
  const { conversation, after } = input
  const limit = Math.min(input.limit, pageMax)
  await demandMembership(ctx, by, conversation)
  const { members: rows, users } = tables
  const found = await ctx.db
    .select({ user: userColumns, role: rows.role, deliveredSeq: rows.deliveredSeq, readSeq: rows.readSeq })
    .from(rows)
    .innerJoin(users, eq(users.id, rows.userId))
    .where(and(eq(rows.conversationId, conversation), after === undefined ? undefined : gt(rows.userId, after)))
    .orderBy(asc(rows.userId))
    .limit(limit + 1)
  const rowsOfPage = found.slice(0, limit)
  const shown = await visible(
    ctx,
    by,
    rowsOfPage.map(row => row.user.id),
    'read_receipts',
  )
  const page = rowsOfPage.map(({ user, role, deliveredSeq, readSeq }) => ({
    user,
    role: roleOf(role),
    deliveredSeq,
    ...(shown.has(user.id) ? { readSeq } : {}),
  }))
  const last = page.at(-1)
  return { members: page, ...(found.length > limit && last !== undefined ? { next: last.user.id } : {}) }
}

/** Asked of the store, not of the cache: who was removed a moment ago reads no list. */
async function demandMembership(ctx: ChatContext, by: string, conversation: string): Promise<void> {
  const { conversations, members: rows } = tables
  const [found] = await ctx.db
    .select({ id: conversations.id, member: rows.userId })
    .from(conversations)
    .leftJoin(rows, and(eq(rows.conversationId, conversations.id), eq(rows.userId, by)))
    .where(eq(conversations.id, conversation))
  demandMember(found !== undefined, found?.member ?? undefined)
}
