import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { ChatContext } from '../context.ts'
import { checkName } from '../names.ts'
import { sessions } from '../store/schema.ts'

export interface Opened {
  readonly session: string
  /** Of the only refresh token that is good. */
  readonly number: number
}

/**
 * Signs a person in who has shown who they are.
 * @throws Refusal field_invalid
 */
export async function open(ctx: ChatContext, user: string, deviceName: string): Promise<Opened> {
  const { sessionIdleMs, sessionLifeMs } = ctx.settings
  const session = randomUUID()
  await ctx.db.insert(sessions).values({
    id: session,
    userId: user,
    deviceName: checkName(deviceName, 'deviceName'),
    expiresAt: sql`now() + ${Math.min(sessionIdleMs, sessionLifeMs)} * interval '1 millisecond'`,
  })
  return { session, number: 1 }
}
