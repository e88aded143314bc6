/** What a worker does about polls: tells the totals of those whose votes are no entries, and closes them at their time. */
import { randomUUID } from 'node:crypto'
import { bodyAs } from '@flotilla/protocol'
import { transaction } from '../../store/transaction.ts'
import type { LogContext } from '../context.ts'
import { lock, write } from '../locked.ts'
import { forgetVotes, type PollPlace, readStanding, type Standing, writeStanding } from './polls.ts'
import { readTarget } from './target.ts'

/** Tells how a poll stands, unless the log says so already. It may be done again. */
export const tellPoll = (ctx: LogContext, at: PollPlace): Promise<void> =>
  say(ctx, at, 'poll.counted', ({ counts, voters, told }) => voters !== told.voters || !isSame(counts, told.counts))

/** Closes a poll whose time has come. It may be done again. */
export const closePollInTime = (ctx: LogContext, at: PollPlace): Promise<void> =>
  say(ctx, at, 'poll.closed', ({ isOver }) => isOver)

/** In the name of who posted it, whatever has become of them. */
async function say(
  ctx: LogContext,
  at: PollPlace,
  event: 'poll.counted' | 'poll.closed',
  isNews: (standing: Standing) => boolean,
): Promise<void> {
  const { conversation, target } = at
  const said = await transaction(ctx, async client => {
    const row = await lock(ctx, client, conversation)
    const message = row === undefined ? undefined : await readTarget(client, ctx.seal, conversation, target)
    const poll = message?.removed === undefined && message !== undefined ? bodyAs('poll', message.body) : undefined
    if (row === undefined || message === undefined || poll === undefined) return undefined
    const standing = await readStanding(client, at, poll)
    const { counts, voters } = standing
    if (standing.closedSeq !== undefined || !isNews(standing)) return undefined
    const seq = row.head_seq + 1
    const closed = event === 'poll.closed' ? { closedSeq: seq } : {}
    await writeStanding(client, at, poll, { counts, voters, toldSeq: seq, ...closed })
    if (event === 'poll.closed' && poll.anonymous === true) await forgetVotes(client, at)
    const part = { event, target, counts: [...counts], voters }
    const { entry } = await write(ctx, client, { conversation, by: message.sender, clientId: randomUUID(), part })
    const members = await client.query<{ user_id: string }>(
      'SELECT user_id FROM members WHERE conversation_id = $1 AND NOT $2::boolean',
      [conversation, row.by_interest],
    )
    const to = row.by_interest ? { conversation, version: row.version } : members.rows.map(member => member.user_id)
    return { to, entry }
  })
  if (said === undefined) return
  const { seq, at: time } = said.entry
  ctx.emit({ class: 'entry', to: said.to, event: said.entry, entry: { conversation, seq, at: time } })
}

const isSame = (a: readonly number[], b: readonly number[]) => a.every((count, nth) => count === b[nth])
