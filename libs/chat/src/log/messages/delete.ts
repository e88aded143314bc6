/** Deletes a message for everybody. */
import { Refusal } from '@flotilla/protocol'
import { demandMayDelete, windowOf } from '../../access.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, LockedRule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { takeAway } from './take-away.ts'
import { readTarget } from './target.ts'

const body = { text: 'This message was deleted.' }

export const deleting: LockedRule<'message.delete'> = {
  op: 'message.delete',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async apply(ctx, locked, { target }) {
    const { client, conversation, by, membership, member, seq } = locked
    const message = target < member.joinedSeq ? undefined : await readTarget(client, ctx.seal, conversation, target)
    if (message === undefined) throw new Refusal('message_unknown', undefined, { field: 'target' })
    const gone = message.removed !== undefined
    const removed = demandMayDelete({
      isOwn: message.sender === by,
      kind: membership.kind,
      role: member.role,
      // To delete it once more changes nothing, however late.
      ageMs: gone ? 0 : message.ageMs,
      windowMs: gone ? 0 : windowOf(membership.rules.deleteWindowMs, ctx.settings.deleteWindowMs),
    })
    if (gone) return { said: message.changedSeq ?? target }
    await takeAway(ctx, client, { conversation, seq }, [message], { body, removed })
    return { payload: { target, removed, body } }
  },
}

/**
 * @throws Refusal message_unknown, role_insufficient, too_late, and those of `append`
 */
export const remove = (ctx: LogContext, by: string, input: InputOf<'message.delete'>): Promise<Appended> =>
  append(ctx, by, deleting, input)
