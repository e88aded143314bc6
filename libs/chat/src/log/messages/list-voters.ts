import { Refusal, type User } from '@flotilla/protocol'
import { demandMember } from '../../access.ts'
import { decodeId, type PageOf, type PageWanted, peoplePageMax, toPageOfPeople } from '../../store/paging.ts'
import { get } from '../../users/get.ts'
import type { LogContext } from '../context.ts'
import { firstSeen } from './hidden.ts'
import { demandPoll } from './polls.ts'

export interface Voter {
  readonly user: User
  readonly options: number[]
}

/**
 * Who voted in a poll that is not anonymous, in the order of their ids.
 * @param input.option only those who chose it
 * @throws Refusal conversation_unknown, not_a_member, message_unknown (no poll, or an anonymous one), field_invalid
 */
export async function listVoters(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string; readonly target: number; readonly option?: number | undefined },
): Promise<PageOf<'voters', Voter>> {
  const { conversation, target, option } = input
  const after = input.after === undefined ? undefined : decodeId(input.after)
  const standing = await ctx.pool.query<{ joined: number | null }>(
    `SELECT ${firstSeen('m')} AS joined FROM conversations c
       LEFT JOIN members m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1`,
    [conversation, by],
  )
  const joinedSeq = standing.rows[0]?.joined ?? undefined
  demandMember(standing.rows.length > 0, joinedSeq)
  const { poll } = await demandPoll(ctx.pool, ctx.seal, { conversation, target, joinedSeq })
  if (poll.anonymous === true)
    throw new Refusal('message_unknown', 'nobody is told who voted in an anonymous poll', { field: 'seq' })
  const limit = Math.min(input.limit, peoplePageMax)
  const found = await ctx.pool.query<{ user: string; options: number[] }>({
    name: 'poll-voters',
    text: `SELECT v.user_id AS "user", v.options FROM poll_votes v
            WHERE v.conversation_id = $1 AND v.seq = $2 AND v.options <> '{}' AND ($3::smallint IS NULL OR v.options @> ARRAY[$3::smallint])
              AND ($4::uuid IS NULL OR v.user_id > $4) ORDER BY v.user_id LIMIT $5`,
    values: [conversation, target, option ?? null, after ?? null, limit + 1],
  })
  const people = new Map(
    (
      await get(
        ctx,
        found.rows.map(row => row.user),
        by,
      )
    ).map(user => [user.id, user]),
  )
  const voters = found.rows.flatMap(({ user: id, options }) => {
    const user = people.get(id)
    return user === undefined ? [] : [{ user, options }]
  })
  return toPageOfPeople('voters', voters, limit)
}
