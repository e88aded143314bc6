import { Refusal } from '@flotilla/protocol'
import { and, eq } from 'drizzle-orm'
import { kindNumbersOfConversations } from '../access.ts'
import type { ChatContext } from '../context.ts'
import { conversations } from '../store/schema.ts'
import { demandUsers } from '../users/user.ts'
import { create } from './change.ts'
import { get } from './get.ts'
import type { Conversation } from './read.ts'

/**
 * The one conversation of two people: made if there is none yet, also when both ask at once.
 * @throws Refusal field_invalid (with oneself), user_unknown
 */
export async function createDirect(
  ctx: ChatContext,
  by: string,
  user: string,
): Promise<{ conversation: Conversation; created: boolean }> {
  if (user === by)
    throw new Refusal('field_invalid', 'user: must be another person', { field: 'user', rule: 'not oneself' })
  const existing = await findDirect(ctx, by, user)
  if (existing !== undefined) return { conversation: await get(ctx, by, existing), created: false }
  await demandUsers(ctx, [user], 'user')
  const made = await create(ctx, by, {
    kind: 'direct',
    members: [by, user].map(one => ({ user: one, role: 'member' })),
  })
  const id = made ?? (await findDirect(ctx, by, user))
  if (id === undefined) throw new Error('unable to open a direct conversation: it is neither new nor there')
  return { conversation: await get(ctx, by, id), created: made !== undefined }
}

async function findDirect(ctx: ChatContext, one: string, other: string): Promise<string | undefined> {
  const [low, high] = [one, other].sort() as [string, string]
  const [found] = await ctx.db
    .select({ id: conversations.id })
    .from(conversations)
    .where(
      and(
        eq(conversations.kind, kindNumbersOfConversations.direct),
        eq(conversations.directLow, low),
        eq(conversations.directHigh, high),
      ),
    )
  return found?.id
}
