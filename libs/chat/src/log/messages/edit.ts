/** Edits a message: its sender puts another body in the place of what it said. */
import { mentionsAll, Refusal, refuseBody } from '@flotilla/protocol'
import { demandInWindow, demandMayMentionAll, demandMayPost, windowOf } from '../../access.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, Rule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { mentionedBy } from './mentioned-by.ts'
import { readTarget } from './target.ts'

export const editing: Rule<'message.edit'> = {
  op: 'message.edit',
  counts: false,
  pushes: false,
  refuse: ({ body }) => refuseBody(body),
  async check(ctx, by, { conversation, target, body }, { membership, member }) {
    demandMayPost(membership.rules, member, ctx.clock)
    const message = await readTarget(ctx.pool, ctx.seal, conversation, target)
    // What somebody cannot see is not told apart from what is another's.
    if (message?.sender !== by || target < member.joinedSeq || message.removed !== undefined)
      throw new Refusal('message_unknown', 'no such message of yours', { field: 'target' })
    // It would no longer be what it is. What content of a later version allows is not known here.
    const { type } = message.body
    if (type === 'location' || type === 'contact' || type === 'poll')
      throw new Refusal('field_invalid', `unable to edit: a ${type} cannot be edited`, {
        field: 'target',
        rule: 'a message of text',
      })
    demandInWindow(message.ageMs, windowOf(membership.rules.editWindowMs, ctx.settings.editWindowMs))
    if (mentionsAll(body) && !mentionsAll(message.body))
      demandMayMentionAll(
        membership.rules,
        { role: member.role, size: membership.size },
        ctx.settings.mentionAllFreeMax,
      )
    const mentions = mentionedBy(body, by)
    const before = mentionedBy(message.body, by)
    const change = { ...message.change({ body }), keep: ctx.settings.editHistory && membership.rules.editHistory }
    if (mentions.length + before.length === 0) return { change }
    return { change: { ...change, mentions, unmentioned: before.filter(user => !mentions.includes(user)) } }
  },
  payload: ({ target, body }) => ({ target, body }),
  says: ({ target, body }) => ({ body, target }),
}

/**
 * @param by the sender of the message
 * @param origin the connection that gets the reply, so that it is not told a second time
 * @throws Refusal field_invalid, data_too_deep, message_unknown (none of theirs, or removed), field_invalid (a location, a contact), too_late, and those of `append`
 */
export const edit = (ctx: LogContext, by: string, input: InputOf<'message.edit'>, origin?: object): Promise<Appended> =>
  append(ctx, by, editing, input, origin)
