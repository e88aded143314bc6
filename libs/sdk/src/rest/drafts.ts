/** What a person has begun to write. `client.drafts` keeps it the same on all devices by itself. */
import type { Ask, BodyOf, QueryOf } from './ask.ts'

export const createDrafts = (ask: Ask) => ({
  /** Those that are not empty; it goes on at `next`. */
  list: (page: QueryOf<'GET /v1/drafts'> = {}) => ask('GET /v1/drafts', { query: page }),
  /** Saves one, or empties it with null; the answer is what stands now. @throws FlotillaError not_a_member */
  put: (conversation: string, draft: BodyOf<'PUT /v1/conversations/{id}/draft'>) =>
    ask('PUT /v1/conversations/{id}/draft', { id: conversation, body: draft }),
})
