/** Whom one has blocked. A block closes the direct conversation of the two, both ways, and hides each from the other. */
import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { answered, closed, done, listOf, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'

export const Block = Type.Object({ user: User, at: At }, closed)
export type Block = Type.Static<typeof Block>

const BlockPage = Type.Object({ blocks: listOf(Block), next: Type.Optional(Uuid) }, closed)
const params = Type.Object({ user: Uuid }, closed)

export const blocks = routes('contacts', 'session', {
  listBlocks: {
    at: 'GET /v1/blocks',
    summary: 'List whom I have blocked',
    description: 'In the order of their ids.',
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of blocks.', BlockPage) },
  },
  block: {
    at: 'PUT /v1/blocks/{user}',
    summary: 'Block somebody',
    description:
      'From the answer on, nothing passes between the two: their direct conversation takes no message, contacts and open requests between them are gone, and neither sees when the other is here. What was said before stays readable. The person is not told. In groups, both stay.',
    params,
    answers: done('The person is blocked.'),
    refusals: ['user_unknown', 'too_many'],
  },
  unblock: {
    at: 'DELETE /v1/blocks/{user}',
    summary: 'Unblock somebody',
    description:
      'A contact that the block has ended does not come back. Unblocking somebody who is not blocked succeeds too.',
    params,
    answers: done('The person is not blocked.'),
  },
})
