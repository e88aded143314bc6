import type { Contact } from '@flotilla/protocol'
import { and, asc, eq, gt } from 'drizzle-orm'
import type { PeopleContext } from '../context.ts'
import { type PageOf, type PageWanted, peoplePageMax, toPageOfPeople } from '../../store/paging.ts'
import { contacts, users } from '../../store/schema.ts'
import { userColumns } from '../../users/user.ts'

export type ContactPage = PageOf<'contacts', Contact>

/** The caller's contacts, in the order of their ids. */
export async function list(ctx: PeopleContext, by: string, { limit, after }: PageWanted): Promise<ContactPage> {
  const onPage = Math.min(limit, peoplePageMax)
  const found = await ctx.db
    .select({ user: userColumns, at: contacts.createdAt })
    .from(contacts)
    .innerJoin(users, eq(users.id, contacts.contactId))
    .where(and(eq(contacts.userId, by), after === undefined ? undefined : gt(contacts.contactId, after)))
    .orderBy(asc(contacts.contactId))
    .limit(onPage + 1)
  const people = found.map(({ user, at }) => ({ user, at: at.getTime() }))
  return toPageOfPeople('contacts', people, onPage)
}
