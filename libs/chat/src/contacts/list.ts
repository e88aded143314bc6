import { and, asc, eq, gt } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { contacts, users } from '../store/schema.ts'
import { type User, userColumns } from '../users/user.ts'

export interface ContactPage {
  readonly contacts: readonly Contact[]
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

export interface Contact {
  readonly user: User
  /** Since when; milliseconds since 1970. */
  readonly at: number
}

const pageMax = 200

/** The caller's contacts, in the order of their ids. */
export async function list(
  ctx: ChatContext,
  by: string,
  input: { limit: number; after?: string | undefined },
): Promise<ContactPage> {
  const { after } = input
  const limit = Math.min(input.limit, pageMax)
  const found = await ctx.db
    .select({ user: userColumns, at: contacts.createdAt })
    .from(contacts)
    .innerJoin(users, eq(users.id, contacts.contactId))
    .where(and(eq(contacts.userId, by), after === undefined ? undefined : gt(contacts.contactId, after)))
    .orderBy(asc(contacts.contactId))
    .limit(limit + 1)
  const page = found.slice(0, limit).map(({ user, at }) => ({ user, at: at.getTime() }))
  const last = page.at(-1)
  return { contacts: page, ...(found.length > limit && last !== undefined ? { next: last.user.id } : {}) }
}
