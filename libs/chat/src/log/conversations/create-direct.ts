import { type Conversation, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { kindNumbersOfConversations } from '../../access.ts'
import { demandRoomForConversations } from '../caps.ts'
import type { LogContext } from '../context.ts'
import { pendingText } from '../memberships.ts'
import { readCounterparts } from '../../privacy/counterparts.ts'
import { demandReachable } from '../../privacy/reachable.ts'
import { demandRoomToAsk, tellAsked } from '../requests/ask.ts'
import { enter } from '../requests/accept.ts'
import { holdUsers } from '../../users/hold.ts'
import { create } from './change.ts'
import { get } from './get.ts'

/**
 * The one conversation of two people, or of one with themselves: made if there is none yet, also when both ask at once. One that exists is answered
 * whatever stands between the two by now: what was said stays readable. Where the other wants to be asked, they are no
 * member yet (see requests/); to open what one was asked into is to accept it.
 * @throws Refusal user_unknown, blocked, contacts_only, limit_reached
 */
export async function createDirect(
  ctx: LogContext,
  by: string,
  user: string,
): Promise<{ conversation: Conversation; created: boolean }> {
  const existing = await findDirect(ctx, by, user)
  if (existing !== undefined) return reopen(ctx, by, user, existing)
  const made = await create(ctx, by, {
    kind: 'direct',
    members: [...new Set([by, user])].map(one => ({ user: one, role: 'member' })),
    decide: client => decide(ctx, client, by, user),
  })
  if (made !== undefined) {
    await tellAsked(ctx, made.conversation, made.asked)
    return { conversation: await get(ctx, by, made.conversation), created: true }
  }
  const other = await findDirect(ctx, by, user)
  if (other === undefined) throw new Error('unable to open a direct conversation: it is neither new nor there')
  return reopen(ctx, by, user, other)
}

/** Both people are held: a block comes before, and is seen here, or after, and finds the conversation (P8). */
async function decide(ctx: LogContext, client: PoolClient, by: string, user: string): Promise<ReadonlySet<string>> {
  const held = await holdUsers(client, [by, user])
  if (!held.has(user)) throw new Refusal('user_unknown', `no such user: ${user}`, { field: 'user' })
  const approaches = await demandReachable(ctx, client, by, { users: [user], field: 'user' })
  const asked = approaches.get(user) === 'asked' ? [user] : []
  await demandRoomToAsk(ctx, client, { from: by, users: asked, field: 'user' })
  const members = asked.length === 0 ? [by, user] : [by]
  await demandRoomForConversations(ctx, client, { users: members, by, field: 'user' })
  return new Set(asked)
}

interface Direct {
  readonly id: string
  /** One of the two has not accepted it yet. */
  readonly pending: boolean
}

/** One that waits for somebody takes them in now, if they want to: by opening it, or because the two know each other. */
async function reopen(ctx: LogContext, by: string, user: string, direct: Direct) {
  if (direct.pending) await settle(ctx, by, user, direct.id)
  return { conversation: await get(ctx, by, direct.id), created: false }
}

async function settle(ctx: LogContext, by: string, user: string, conversation: string): Promise<void> {
  const membership = await ctx.memberships.of(conversation)
  if (membership === undefined || !membership.pending) return
  if (!membership.members.has(by)) return enter(ctx, by, { conversation, from: user })
  const known = (await readCounterparts(ctx.pool, by, [user])).get(user)?.contact === true
  if (known) await enter(ctx, user, { conversation, from: by })
}

/** Two who have become contacts have agreed to talk: whoever was still asked is in their conversation. */
export async function settleDirect(ctx: LogContext, one: string, other: string): Promise<void> {
  const direct = await findDirect(ctx, one, other)
  if (direct?.pending === true) await settle(ctx, one, other, direct.id)
}

async function findDirect(ctx: LogContext, one: string, other: string): Promise<Direct | undefined> {
  const [low, high] = [one, other].sort() as [string, string]
  const found = await ctx.pool.query<Direct>(
    `SELECT c.id, ${pendingText('c')} AS pending FROM conversations c
      WHERE c.kind = $1 AND c.direct_low = $2 AND c.direct_high = $3`,
    [kindNumbersOfConversations.direct, low, high],
  )
  return found.rows[0]
}
