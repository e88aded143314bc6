/** Whom one has blocked. A block closes the direct conversation of the two, both ways, and hides each from the other. */
import type { Ask, Page } from './ask.ts'

export const createBlocks = (ask: Ask) => ({
  /** In the order of their ids; it goes on at `next`. */
  list: (page: Page = {}) => ask('GET /v1/blocks', { query: page }),
  /** From the answer on nothing passes between the two. The person is not told. @throws FlotillaError too_many */
  block: (user: string) => ask('PUT /v1/blocks/{user}', { user }),
  /** The contact that the block ended does not come back. */
  unblock: (user: string) => ask('DELETE /v1/blocks/{user}', { user }),
})
