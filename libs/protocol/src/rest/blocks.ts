/** Blocked users. A block closes the direct conversation both ways and hides each user’s presence from the other. */
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
    summary: 'List the users I have blocked',
    description: 'Ordered by user id.',
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of blocks.', BlockPage) },
  },
  block: {
    at: 'PUT /v1/blocks/{user}',
    summary: 'Block a user',
    description:
      'Takes effect at once: the direct conversation closes, the contact and open requests are removed, and neither user sees the other’s presence. Earlier messages stay readable. The other user is not told. Both stay in shared groups.',
    params,
    answers: done('Blocked.'),
    refusals: ['user_unknown', 'limit_reached'],
  },
  unblock: {
    at: 'DELETE /v1/blocks/{user}',
    summary: 'Unblock a user',
    description: 'Does not restore the contact. Succeeds even if the user is not blocked.',
    params,
    answers: done('Not blocked.'),
  },
})
