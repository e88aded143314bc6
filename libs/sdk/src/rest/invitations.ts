/** Invitations: codes by which others may register, where the deployment lets people invite. */
import type { Ask, BodyOf, Page } from './ask.ts'

export const createInvitations = (ask: Ask) => ({
  /**
   * The code is shown this once. One use when left out, and the time that the deployment has set.
   * @throws FlotillaError operators_only, too_many, field_invalid
   */
  make: (wanted: BodyOf<'POST /v1/invitations'> = {}) => ask('POST /v1/invitations', { body: wanted }),
  /** One's own, the latest first, until they expire. */
  list: (page: Page = {}) => ask('GET /v1/invitations', { query: page }),
  /** Nobody registers by it any more. @throws FlotillaError invitation_unknown */
  revoke: (invitation: string) => ask('DELETE /v1/invitations/{id}', { id: invitation }),
})
