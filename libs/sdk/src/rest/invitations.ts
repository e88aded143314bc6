/** Invitations: codes that let others register, where the deployment lets users invite. */
import type { Ask, BodyOf, Page } from './ask.ts'

export const createInvitations = (ask: Ask) => ({
  /**
   * The code is not shown again. One use by default, and the lifetime that the deployment has set.
   * @throws FlotillaError operators_only, limit_reached, field_invalid
   */
  create: (wanted: BodyOf<'POST /v1/invitations'> = {}) => ask('POST /v1/invitations', { body: wanted }),
  /** The user's own, newest first, until they expire. */
  list: (page: Page = {}) => ask('GET /v1/invitations', { query: page }),
  /** It can no longer be used. @throws FlotillaError invitation_unknown */
  revoke: (invitation: string) => ask('DELETE /v1/invitations/{id}', { id: invitation }),
})
