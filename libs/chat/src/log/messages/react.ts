/**
 * Reacts to a message, or takes that back. Everything is counted under the lock of the conversation, so that the counts are
 * exact, and each entry says them whole. In a large conversation a reaction makes no entry of its own: those that come at
 * the same time are counted together, and the members are told of many at once (tell-reactions.ts).
 */
import { emojiRule, qualifyEmoji, Refusal } from '@flotilla/protocol'
import { afterCommit, transaction } from '../../store/transaction.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, LockedRule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { lock } from '../locked.ts'
import { countReactions, type Reacted, refusedEmoji } from './count-reactions.ts'
import type { CrowdReacting, CrowdResult, Reacting } from './crowd.ts'
import { noteReacted } from './tell-reacted.ts'
import { openRound, tellOnTime } from './tell-reactions.ts'

type Input = InputOf<'message.react'>

export const reacting: LockedRule<'message.react'> = {
  op: 'message.react',
  counts: false,
  pushes: false,
  refuse: ({ emoji }) => (qualifyEmoji(emoji) === undefined ? refusedEmoji(emojiRule) : undefined),
  async applyAll(ctx, client, all) {
    const ones = all.map(({ conversation, by, member, seq, input }) => ({
      ...toReacting(by, member.joinedSeq, input),
      conversation,
      seq,
    }))
    const results = await countReactions(ctx, client, ones)
    const changed = ones.filter((_, at) => 'version' in results[at]!)
    await noteReacted(
      ctx,
      client,
      changed.map(({ conversation, target: seq, on }) => ({ conversation, seq, added: on })),
    )
    return results.map((result, at) => {
      if (result instanceof Refusal) return result
      if ('said' in result) return result.said === null ? { unchanged: true } : { said: result.said }
      const { emoji, on } = ones[at]!
      return { payload: { emoji, on, ...result, own: [...result.own] } }
    })
  },
  async gather(ctx, { conversation, by, member, membership: { version } }, input) {
    const asked = { version, ...toReacting(by, member.joinedSeq, input) }
    const result = await ctx.crowds.add(conversation, asked, all => countAll(ctx, conversation, all))
    if (result instanceof Refusal) throw result
    return result
  },
}

/**
 * @returns where its entry came to stand; where it makes none, where the log stands
 * @throws Refusal field_invalid, message_unknown, limit_reached, and those of `append`
 */
export const react = (ctx: LogContext, by: string, input: Input): Promise<Appended> => append(ctx, by, reacting, input)

const toReacting = (by: string, joinedSeq: number, { target, emoji, on }: Input): Reacting => ({
  by,
  joinedSeq,
  target,
  emoji: qualifyEmoji(emoji)!,
  on,
})

async function countAll(
  ctx: LogContext,
  conversation: string,
  all: readonly CrowdReacting[],
): Promise<readonly CrowdResult[]> {
  return transaction(ctx, async client => {
    const row = await lock(ctx, client, conversation)
    if (row === undefined) return all.map(() => 'stale' as const)
    const current = all.filter(one => one.version === row.version)
    const results = await countReactions(
      ctx,
      client,
      current.map(one => ({ ...one, conversation, seq: null })),
    )
    const changed = current.flatMap((one, at) => {
      const result = results[at]!
      return 'version' in result ? [{ by: one.by, result }] : []
    })
    const emptied = changed.flatMap(({ result }) => (result.own.length === 0 ? [result.target] : []))
    await noteReacted(
      ctx,
      client,
      [...new Set(emptied)].map(seq => ({ conversation, seq, added: false })),
    )
    const last = changed.at(-1)
    if (last !== undefined) {
      const round = await openRound(ctx, client, conversation, last.by)
      await afterCommit(client, async () => {
        for (const { by, result } of changed) tellOwn(ctx, conversation, by, result)
        if (round.isOurs) tellOnTime(ctx, conversation, round.dueMs)
      })
    }
    const standing = { seq: row.head_seq, at: Math.round(row.head_at), epoch: ctx.epoch(), entry: null }
    const byItem = new Map(current.map((one, at) => [one, results[at]!]))
    return all.map(one => {
      const result = byItem.get(one)
      return result === undefined ? 'stale' : result instanceof Refusal ? result : standing
    })
  })
}

function tellOwn(ctx: LogContext, conversation: string, by: string, { own, ...result }: Reacted): void {
  const event = { event: 'reaction.stored' as const, conversation, ...result, own: [...own] }
  ctx.emit({ class: 'signal', to: [by], event })
}
