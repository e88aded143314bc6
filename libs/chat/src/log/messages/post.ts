/** Posts a message: who may, and what becomes of it. The socket and REST call the same verb. */
import { mentionsAll, Refusal, refuseBody } from '@flotilla/protocol'
import { demandMayMentionAll } from '../../access.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, Rule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import type { Membership } from '../memberships.ts'
import { replying } from './reply.ts'

export const posting: Rule<'message.send'> = {
  op: 'message.send',
  counts: true,
  pushes: true,
  instead: ({ thread }) => (thread === undefined ? undefined : replying),
  refuse({ body, alsoInConversation }) {
    if (alsoInConversation === undefined) return refuseBody(body)
    const [field, rule] = ['alsoInConversation', 'only with thread']
    return new Refusal('field_invalid', `${field}: ${rule}`, { field, rule })
  },
  check(ctx, _by, { body, replyTo }, { membership, member }) {
    if (mentionsAll(body))
      demandMayMentionAll(
        membership.rules,
        { role: member.role, size: membership.size },
        ctx.settings.mentionAllFreeMax,
      )
    return replyTo === undefined ? undefined : checkReply(ctx, membership, member.joinedSeq, replyTo)
  },
  payload: ({ body }) => ({ body }),
  says: ({ body }) => ({ body }),
}

/**
 * @param by the sender
 * @param origin the connection that gets the reply, so that it is not told a second time
 * @throws Refusal field_invalid, data_too_deep, message_unknown (the reply's target), and those of `append`
 */
export const post = (ctx: LogContext, by: string, input: InputOf<'message.send'>, origin?: object): Promise<Appended> =>
  append(ctx, by, posting, input, origin)

/** The log has no gaps, so an entry exists when its seq is at most the head. */
async function checkReply(
  ctx: LogContext,
  membership: Membership,
  joinedSeq: number,
  replyTo: number,
): Promise<undefined> {
  if (replyTo > membership.headSeen) {
    const found = await ctx.pool.query<{ head_seq: number }>('SELECT head_seq FROM conversations WHERE id = $1', [
      membership.conversation,
    ])
    membership.headSeen = found.rows[0]?.head_seq ?? membership.headSeen
  }
  if (replyTo < joinedSeq || replyTo > membership.headSeen)
    throw new Refusal('message_unknown', undefined, {
      field: 'replyTo',
      rule: `a seq from ${joinedSeq} to ${membership.headSeen}`,
    })
}
