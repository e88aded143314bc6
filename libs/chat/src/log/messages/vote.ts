/** Votes in polls, and closes them. Both are decided under the lock of the conversation, one after the other. */
import { limits, type PollBody, Refusal } from '@flotilla/protocol'
import { demandMayClosePoll } from '../../access.ts'
import { add as addJob } from '../../store/jobs/add.ts'
import { afterCommit } from '../../store/transaction.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, Locked, LockedRule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { demandPoll, forgetVotes, hasVoted, readStanding, type Standing, writeStanding } from './polls.ts'

const refused = (rule: 'open' | 'one vote for good', message: string) => new Refusal('vote_refused', message, { rule })

export const voting: LockedRule<'poll.vote'> = {
  op: 'poll.vote',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async apply(ctx, locked, { target, clientId, options: chosen }) {
    const { client, conversation, by, membership, member, seq } = locked
    const at = { conversation, target }
    const { poll } = await demandPoll(client, ctx.seal, { ...at, joinedSeq: member.joinedSeq })
    const options = chosen.toSorted((a, b) => a - b)
    refuseOptions(poll, options)
    const standing = await readStanding(client, at, poll, by)
    if (standing.clientIds.includes(clientId)) return { said: standing.told.seq }
    demandMayVote(poll, standing)
    const { counts, voters } = counted(standing, options)
    // Who reads the log learns nothing of one vote: not from the entry, and, since it tells of many, hardly from its time.
    const isEntry = poll.anonymous !== true && !membership.large
    await writeVote(locked, target, {
      options: poll.anonymous === true && poll.final === true ? null : options,
      clientId: isEntry ? undefined : clientId,
      standing,
    })
    if (standing.isNew && poll.closesAt !== undefined)
      await addJob(ctx, { kind: 'close-poll', ...at }, client, poll.closesAt)
    if (isEntry) {
      await writeStanding(client, at, poll, { counts, voters, toldSeq: seq })
      return { payload: { target, counts, voters, options } }
    }
    const tellDueAfterMs = standing.isTellDue ? undefined : Math.max(0, ctx.settings.pollTellMs - standing.told.ageMs)
    if (tellDueAfterMs !== undefined)
      await addJob(ctx, { kind: 'tell-poll', ...at }, client, ctx.clock() + tellDueAfterMs)
    await writeStanding(client, at, poll, {
      counts,
      voters,
      ...(tellDueAfterMs === undefined ? {} : { tellDueAfterMs }),
    })
    await afterCommit(client, async () =>
      ctx.emit({ class: 'signal', to: [by], event: { event: 'poll.own_vote', conversation, target, options } }),
    )
    return { said: standing.told.seq }
  },
}

export const closing: LockedRule<'poll.close'> = {
  op: 'poll.close',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async apply(ctx, { client, conversation, by, membership, member, seq }, { target }) {
    const at = { conversation, target }
    const { poll, sender } = await demandPoll(client, ctx.seal, { ...at, joinedSeq: member.joinedSeq })
    demandMayClosePoll(sender === by, membership.kind, member.role)
    const { closedSeq, counts, voters } = await readStanding(client, at, poll)
    if (closedSeq !== undefined) return { said: closedSeq }
    await writeStanding(client, at, poll, { counts, voters, toldSeq: seq, closedSeq: seq })
    if (poll.anonymous === true) await forgetVotes(client, at)
    return { payload: { target, counts: [...counts], voters } }
  },
}

/**
 * @throws Refusal message_unknown, field_invalid, vote_refused (it is closed, or votes are for good), limit_reached, and those of
 *   `append`
 */
export const vote = (ctx: LogContext, by: string, input: InputOf<'poll.vote'>): Promise<Appended> =>
  append(ctx, by, voting, input)

/** @throws Refusal message_unknown, role_insufficient, and those of `append` */
export const closePoll = (ctx: LogContext, by: string, input: InputOf<'poll.close'>): Promise<Appended> =>
  append(ctx, by, closing, input)

function refuseOptions({ options, multiple = false }: PollBody, chosen: readonly number[]): void {
  const rule =
    chosen.length > 1 && !multiple
      ? 'maxItems 1'
      : (chosen.at(-1) ?? 0) >= options.length
        ? `maximum ${options.length - 1}`
        : undefined
  if (rule !== undefined)
    throw new Refusal('field_invalid', `options: must keep to ${rule}`, { field: 'options', rule })
}

function demandMayVote({ final = false }: PollBody, { closedSeq, isOver, mine, clientIds }: Standing): void {
  if (closedSeq !== undefined || isOver) throw refused('open', 'the poll is closed')
  if (final && hasVoted(mine)) throw refused('one vote for good', 'a vote in this poll cannot be changed')
  if (clientIds.length >= limits.pollVotesMax)
    throw new Refusal('limit_reached', 'the caller has voted in this poll as often as one may', {
      rule: `maxItems ${limits.pollVotesMax}`,
    })
}

function counted({ counts, voters, mine }: Standing, options: readonly number[]) {
  const before = mine ?? []
  const add = (at: number) => Number(options.includes(at)) - Number(before.includes(at))
  return {
    counts: counts.map((count, at) => count + add(at)),
    voters: voters + Number(options.length > 0) - Number(before.length > 0),
  }
}

interface Vote {
  /** Null: they are not kept, since nobody needs them any more. */
  readonly options: readonly number[] | null
  /** Of a vote that is no entry. */
  readonly clientId: string | undefined
  readonly standing: Standing
}

async function writeVote(
  { client, conversation, by }: Locked,
  target: number,
  { options, clientId, standing }: Vote,
): Promise<void> {
  await client.query({
    name: 'poll-votes-write',
    text: `INSERT INTO poll_votes (conversation_id, seq, user_id, options, client_ids) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (conversation_id, seq, user_id) DO UPDATE
              SET options = EXCLUDED.options, client_ids = EXCLUDED.client_ids`,
    values: [
      conversation,
      target,
      by,
      options,
      clientId === undefined ? standing.clientIds : [...standing.clientIds, clientId],
    ],
  })
}
