/** Forwards a message: its words are those of whoever wrote it, since the store copies them and no client says them. */
import { type Body, Refusal } from '@flotilla/protocol'
import { demandMayForward, type Rules } from '../../access.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, Rule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { isHidden } from './hidden.ts'
import { readTarget, type Target } from './target.ts'

export const forwarding: Rule<'message.forward'> = {
  op: 'message.forward',
  counts: true,
  pushes: true,
  refuse: () => undefined,
  async check(ctx, by, { source }) {
    const message = await readSource(ctx, by, source)
    const {
      mentions: _,
      mentionsAll: __,
      ...body
    } = message.body as Body & {
      readonly mentions?: unknown
      readonly mentionsAll?: unknown
    }
    // What is forwarded once more keeps its origin.
    const forwarded = message.forwarded ?? { by: message.sender, at: message.at }
    return { payload: { body, forwarded } }
  },
  says: ({ body }) => ({ body }),
}

/**
 * @param by who forwards it
 * @param origin the connection that gets the reply
 * @throws Refusal message_unknown (no message that the caller may read), forwarding_disabled, and those of `append`
 */
export const forward = (
  ctx: LogContext,
  by: string,
  input: InputOf<'message.forward'>,
  origin?: object,
): Promise<Appended> => append(ctx, by, forwarding, input, origin)

/** What somebody cannot see is not told apart from what is not there. */
async function readSource(
  ctx: LogContext,
  by: string,
  { conversation, seq }: InputOf<'message.forward'>['source'],
): Promise<Target> {
  const [message, hidden, rules] = await Promise.all([
    readTarget(ctx.pool, ctx.seal, conversation, seq),
    isHidden(ctx, by, { conversation, seq }),
    rulesOfSource(ctx, conversation),
  ])
  if (message === undefined || message.removed !== undefined || hidden)
    throw new Refusal('message_unknown', 'no such message that you can read', { field: 'source' })
  if (rules !== undefined) demandMayForward(rules)
  return message
}

/** No commit finds out that those of another conversation were old in this process: its version is asked for. */
async function rulesOfSource(ctx: LogContext, conversation: string): Promise<Rules | undefined> {
  const cached = await ctx.memberships.of(conversation)
  if (cached === undefined || !(await ctx.memberships.dropIfOld(cached))) return cached?.rules
  return (await ctx.memberships.of(conversation))?.rules
}
