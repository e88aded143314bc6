/**
 * Posts a message in a thread. It is an entry of the conversation's log like any other, and so has a seq there; shown,
 * counted and pushed it is in its thread. That is decided under the lock of the conversation, apart from the group commit, so
 * that messages without a thread pay nothing for it.
 */
import { mentionsAll, Refusal, refuseBody } from '@flotilla/protocol'
import type { Pool, PoolClient } from 'pg'
import { demandMayMentionAll } from '../../access.ts'
import { afterCommit } from '../../store/transaction.ts'
import type { LockedRule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import type { Member } from '../memberships.ts'
import { isMentioned, mentionedBy } from './mentioned-by.ts'
import { readTarget } from './target.ts'
import { tellReplied } from './tell-replied.ts'
import { countReply, follow, type Follower, followersOf, type Reply } from './threads.ts'

const unknown = (field: string, rule?: string) =>
  new Refusal('message_unknown', undefined, rule === undefined ? { field } : { field, rule })

export const replying: LockedRule<'message.send'> = {
  op: 'message.send',
  counts: true,
  pushes: true,
  refuse: ({ body }) => refuseBody(body),
  async apply(ctx, locked, input) {
    const { client, conversation, by, seq, membership, member } = locked
    const { body, thread: root = 0, alsoInConversation = false, replyTo = root } = input
    if (mentionsAll(body))
      demandMayMentionAll(
        membership.rules,
        { role: member.role, size: membership.size },
        ctx.settings.mentionAllFreeMax,
      )
    const author = await demandRoot(ctx, client, { conversation, root, member })
    if (replyTo < member.joinedSeq || replyTo >= seq)
      throw unknown('replyTo', `a seq from ${member.joinedSeq} to ${seq - 1}`)
    const mentioned = mentionedBy(body, by)
    const reply: Reply = { conversation, root, seq, by, aside: !alsoInConversation }
    const isFirst = await countReply(client, reply)
    if (isFirst && author.isGone) throw unknown('thread')
    const people = new Map<string, Follower>()
    if (isFirst) people.set(author.user, { user: author.user, readSeq: root })
    for (const user of mentioned) people.set(user, { user, readSeq: seq - 1 })
    people.set(by, { user: by, readSeq: seq })
    if (mentioned.length > 0) await noteMentions(client, reply, mentioned)
    const changed = await follow(client, reply, [...people.values()])
    await afterCommit(client, async () => tellFollowers(ctx, reply, changed))
    const payload = { body, thread: root, ...(alsoInConversation ? { alsoInConversation } : {}) }
    if (alsoInConversation) return { payload }
    const followers = membership.large ? [] : await followersOf(client, reply)
    return { payload, aside: { of: root, followers } }
  },
  says: ({ body }) => ({ body }),
  tell: tellReplied,
}

/**
 * A thread hangs on a message that the caller can see, and that is in no thread itself. Where what it said is gone, one that
 * is there already goes on.
 */
async function demandRoot(
  ctx: LogContext,
  client: Pool | PoolClient,
  { conversation, root, member }: { readonly conversation: string; readonly root: number; readonly member: Member },
) {
  const message = root < member.joinedSeq ? undefined : await readTarget(client, ctx.seal, conversation, root)
  if (message === undefined) throw unknown('thread')
  if (message.thread !== undefined) throw unknown('thread', 'a message that is in no thread')
  return { user: message.sender, isGone: message.removed !== undefined }
}

/**
 * A reply would be taken there now. It decides nothing: under the lock it is asked again.
 * @throws Refusal message_unknown
 */
export async function demandThreadOpen(
  ctx: LogContext,
  conversation: string,
  member: Member,
  root: number,
): Promise<void> {
  const { isGone } = await demandRoot(ctx, ctx.pool, { conversation, root, member })
  if (!isGone) return
  const begun = await ctx.pool.query('SELECT FROM threads WHERE conversation_id = $1 AND root_seq = $2', [
    conversation,
    root,
  ])
  if (begun.rowCount === 0) throw unknown('thread')
}

function tellFollowers(ctx: LogContext, { conversation, root: thread }: Reply, changed: readonly Follower[]): void {
  for (const { user, readSeq } of changed)
    ctx.emit({
      class: 'signal',
      to: [user],
      event: { event: 'thread.changed', conversation, thread, following: true, readSeq },
    })
}

/** As the group commit does with its messages. */
async function noteMentions(client: PoolClient, { conversation, seq, by }: Reply, users: readonly string[]) {
  await client.query(
    `INSERT INTO mentions (conversation_id, seq, user_id, sender_id)
     SELECT $1, $2, u, $4 FROM unnest($3::uuid[]) u WHERE ${isMentioned('u', '$1')} ON CONFLICT DO NOTHING`,
    [conversation, seq, users, by],
  )
}
