/** Whom one has blocked. A block closes the direct conversation of the two, both ways, and hides each from the other. */
import type { User } from './people.ts'
import type { Page, Signed } from './signed.ts'

export interface Block {
  readonly user: User
  /** Since when: milliseconds since 1970. */
  readonly at: number
}

export function createBlocks(signed: Signed) {
  const at = (user: string) => `/v1/blocks/${encodeURIComponent(user)}`
  return {
    /** In the order of their ids; it goes on at `next`. */
    list: (page: Page = {}) =>
      signed<{ blocks: readonly Block[]; next?: string }>('GET', '/v1/blocks', { query: { ...page } }),
    /** From the answer on nothing passes between the two. The person is not told. @throws FlotillaError too_many */
    block: (user: string) => signed<undefined>('PUT', at(user)),
    /** The contact that the block ended does not come back. */
    unblock: (user: string) => signed<undefined>('DELETE', at(user)),
  }
}
