/**
 * Tells people of messages that mention them, after the commit: each who is named by the node, everybody by a worker. What
 * was taken away is told no more.
 */
import type { NoticesContext } from '../../notices/context.ts'
import { addMany } from '../../notices/notifications/add.ts'
import { withdraw } from '../../notices/notifications/follow.ts'
import { add } from '../../store/jobs/add.ts'
import type { LogContext } from '../context.ts'
import { note } from '../offline/index.ts'
import { everybody } from './mentioned-by.ts'

/** Nobody is told any more that the message mentions them. Never throws: what took the mention away is committed. */
export async function withdrawMentions(
  ctx: NoticesContext,
  conversation: string,
  seq: number,
  users: readonly string[],
): Promise<void> {
  const dedup = dedupOf(conversation, seq)
  for (const user of users) if (user !== everybody) await withdraw(ctx, user, dedup)
  if (users.includes(everybody)) await withdrawFromAll(ctx, conversation, dedup)
}

/** Of what everybody was told each device learns with its next look: so many are not told one by one. */
async function withdrawFromAll(ctx: NoticesContext, conversation: string, dedup: string): Promise<void> {
  try {
    await ctx.pool.query(
      `DELETE FROM notifications WHERE id IN (
         SELECT n.id FROM members m JOIN notifications n ON n.user_id = m.user_id AND n.dedup = $2
          WHERE m.conversation_id = $1 ORDER BY n.id FOR UPDATE OF n)`,
      [conversation, dedup],
    )
  } catch (error) {
    ctx.logger.warn({ err: error }, 'unable to remove obsolete notifications')
  }
}

const dedupOf = (conversation: string, seq: number) => `mention:${conversation}:${seq}`

/** A committed message, and whom it mentions. */
export interface Mentioning {
  readonly conversation: string
  readonly seq: number
  readonly by: string
  readonly users: readonly string[]
}

/**
 * Tells those whom a committed message mentions, once, however often that is said. Everybody is told by a worker, in
 * batches. In a large conversation nobody has rows in the offline index, so those who are away get them here: that is what
 * a push goes by.
 */
export async function tellMentioned(ctx: LogContext, mentioning: Mentioning, large: boolean): Promise<void> {
  const { conversation, seq, by } = mentioning
  const users = mentioning.users.filter(user => user !== everybody)
  if (users.length < mentioning.users.length) await add(ctx, { kind: 'mention-all', conversation, seq, by })
  await addMany(ctx, users, noteOf(mentioning))
  if (large) await noteAbsent(ctx, mentioning, ctx.presumedAbsent(users))
}

const noteOf = ({ conversation, seq, by }: Omit<Mentioning, 'users'>) =>
  ({ kind: 'mention', dedup: dedupOf(conversation, seq), actor: by, conversation, seq }) as const

async function noteAbsent(ctx: LogContext, { conversation, seq }: Omit<Mentioning, 'users'>, users: readonly string[]) {
  if (users.length === 0) return
  await note(
    ctx,
    users.map(user => ({ user, conversation, seq })),
  )
}

/** Members who are told in one statement. */
const toldAtOnce = 500

/**
 * Tells all members that a message mentions them: the work of a job, which may be done again from its beginning. Of a
 * conversation with more than `mentionAllToldMax` members nobody is told apart; the mention counts, and is seen there.
 */
export async function tellEverybody(ctx: LogContext, mentioning: Omit<Mentioning, 'users'>): Promise<void> {
  const { conversation, seq } = mentioning
  const membership = await ctx.memberships.of(conversation)
  if (membership === undefined || membership.size > ctx.settings.mentionAllToldMax) return
  for (let after = everybody; ; ) {
    // What was deleted or edited meanwhile mentions nobody any more.
    const { rows } = await ctx.pool.query<{ user_id: string }>(
      `SELECT m.user_id FROM members m
        WHERE m.conversation_id = $1 AND m.user_id > $2
          AND EXISTS (SELECT FROM mentions x WHERE x.conversation_id = $1 AND x.seq = $3 AND x.user_id = $4)
        ORDER BY m.user_id LIMIT ${toldAtOnce}`,
      [conversation, after, seq, everybody],
    )
    const users = rows.map(row => row.user_id)
    await addMany(ctx, users, noteOf(mentioning))
    if (membership.large) await noteAbsent(ctx, mentioning, users)
    if (users.length < toldAtOnce) return
    after = users.at(-1)!
  }
}
