/** Polls: voting and closing without a socket, and who voted. */
import { Type } from 'typebox'
import { Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { up } from '../up.ts'
import { answered, closed, listOf, ofMessage, PageCursor, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'

const { clientId, options } = up['poll.vote'].schema.properties

const ByPoll = Type.Object({ id: Uuid, seq: Type.With(Seq, { description: 'The seq of the poll.' }) }, closed)
const Voters = Type.Object(
  { voters: listOf(Type.Object({ user: User, options }, closed)), next: Type.Optional(PageCursor) },
  closed,
)

const voting = [...ofMessage, 'blocked', 'request_pending', 'vote_refused', 'quota_exceeded'] as const

export const polls = routes('messages', 'session', {
  vote: {
    at: 'PUT /v1/conversations/{id}/polls/{seq}/vote',
    summary: 'Vote in a poll',
    description:
      'Replaces an earlier vote; without options, withdraws it. Idempotent: repeating it with the same `clientId` changes nothing.',
    params: ByPoll,
    body: Type.Object({ clientId, options }, closed),
    answers: {
      200: answered(
        'The entry of the vote; in anonymous polls and in large conversations, the last entry about the poll.',
        up['poll.vote'].reply,
      ),
    },
    refusals: [...voting, 'limit_reached'],
  },
  closePoll: {
    at: 'POST /v1/conversations/{id}/polls/{seq}/close',
    summary: 'Close a poll',
    description: 'Permanently. For its author; in groups also for owners and admins.',
    params: ByPoll,
    answers: { 200: answered('The entry that closed it.', up['poll.close'].reply) },
    refusals: [...voting, 'role_insufficient'],
  },
  listVoters: {
    at: 'GET /v1/conversations/{id}/polls/{seq}/voters',
    summary: 'List the voters of a poll',
    description: 'Ordered by user id. Not available for anonymous polls.',
    params: ByPoll,
    query: Type.Object(
      {
        option: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: limits.pollOptionsMax - 1,
            description: 'Only users who chose this option.',
          }),
        ),
        limit: pageLimit(50, 200),
        after: Type.Optional(PageCursor),
      },
      closed,
    ),
    answers: { 200: answered('A page of voters.', Voters) },
    refusals: ofMessage,
  },
})
