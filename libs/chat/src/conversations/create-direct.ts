import { Refusal } from '@flotilla/protocol'
import { and, eq } from 'drizzle-orm'
import type { PoolClient } from 'pg'
import { kindNumbersOfConversations } from '../access.ts'
import type { ChatContext } from '../context.ts'
import { demandReachable } from '../privacy/reachable.ts'
import { conversations } from '../store/schema.ts'
import { holdUsers } from '../users/hold.ts'
import { create } from './change.ts'
import { get } from './get.ts'
import type { Conversation } from './read.ts'

/**
 * The one conversation of two people: made if there is none yet, also when both ask at once. One that exists is answered
 * whatever stands between the two by now: what was said stays readable.
 * @throws Refusal field_invalid (with oneself), user_unknown, direct_closed, direct_refused
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
  const made = await create(ctx, by, {
    kind: 'direct',
    members: [by, user].map(one => ({ user: one, role: 'member' })),
    check: client => checkMayOpen(ctx, client, by, user),
  })
  const id = made ?? (await findDirect(ctx, by, user))
  if (id === undefined) throw new Error('unable to open a direct conversation: it is neither new nor there')
  return { conversation: await get(ctx, by, id), created: made !== undefined }
}

/** Both people are held: a block comes before, and is seen here, or after, and finds the conversation (P8). */
async function checkMayOpen(ctx: ChatContext, client: PoolClient, by: string, user: string): Promise<void> {
  const held = await holdUsers(client, [by, user])
  if (!held.has(user)) throw new Refusal('user_unknown', `there is no person ${user}`, { field: 'user' })
  await demandReachable(ctx, client, by, { users: [user], field: 'user' })
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
