import { type Profile, Refusal } from '@flotilla/protocol'
import { and, eq, sql } from 'drizzle-orm'
import { blockers } from '../privacy/between.ts'
import type { PeopleContext } from './context.ts'
import { visible } from '../privacy/visible.ts'
import { blocks, contacts, users } from '../store/schema.ts'
import { userColumnsFor } from '../users/user.ts'

/**
 * Whom they have blocked sees of them what stands in every list of members, and no more.
 * @throws Refusal user_unknown
 */
export async function profile(ctx: PeopleContext, by: string, user: string): Promise<Profile> {
  const [[found], shown, hidden] = await Promise.all([
    ctx.db
      .select({
        user: userColumnsFor(by),
        about: users.about,
        lastSeenAt: users.lastSeenAt,
        contact: sql<boolean>`${contacts.userId} IS NOT NULL`,
        blocked: sql<boolean>`${blocks.userId} IS NOT NULL`,
      })
      .from(users)
      .leftJoin(contacts, and(eq(contacts.userId, by), eq(contacts.contactId, users.id)))
      .leftJoin(blocks, and(eq(blocks.userId, by), eq(blocks.blockedId, users.id)))
      .where(eq(users.id, user)),
    visible(ctx, by, [user], 'last_seen'),
    blockers(ctx, by, [user]),
  ])
  if (found === undefined) throw new Refusal('user_unknown')
  const { user: seen, about, lastSeenAt, contact, blocked } = found
  if (hidden.has(user)) return { ...seen, about: '', contact, blocked }
  return {
    ...seen,
    about,
    ...(lastSeenAt === null || !shown.has(user) ? {} : { lastSeenAt: lastSeenAt.getTime() }),
    contact,
    blocked,
  }
}
