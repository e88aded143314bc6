/** Blocked users. A block closes the direct conversation both ways and hides each user's presence from the other. */
import type { Ask, Page } from './ask.ts'

export const createBlocks = (ask: Ask) => ({
  /** Ordered by user id; it continues at `next`. */
  list: (page: Page = {}) => ask('GET /v1/blocks', { query: page }),
  /** Takes effect at once. The other user is not told. @throws FlotillaError limit_reached */
  block: (user: string) => ask('PUT /v1/blocks/{user}', { user }),
  /** Does not restore the contact. */
  unblock: (user: string) => ask('DELETE /v1/blocks/{user}', { user }),
})
