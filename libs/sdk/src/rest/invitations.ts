/** Invitations: codes by which others may register, where the deployment lets people invite. */
import type { Page, Signed } from './signed.ts'

export interface Invitation {
  readonly id: string
  /** Who made it. */
  readonly user: string
  readonly byOperator: boolean
  /** How many may register by it, and how many have. */
  readonly uses: number
  readonly used: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly expiresAt: number
}

export function createInvitations(signed: Signed) {
  return {
    /**
     * The code is shown this once. One use when left out, and the time that the deployment has set.
     * @throws FlotillaError operators_only, too_many, field_invalid
     */
    make: (wanted: { readonly uses?: number; readonly lifeMs?: number } = {}) =>
      signed<Invitation & { readonly code: string }>('POST', '/v1/invitations', { body: wanted }),
    /** One's own, the latest first, until they expire. */
    list: (page: Page = {}) =>
      signed<{ invitations: readonly Invitation[]; next?: string }>('GET', '/v1/invitations', { query: { ...page } }),
    /** Nobody registers by it any more. @throws FlotillaError invitation_unknown */
    revoke: (invitation: string) => signed<undefined>('DELETE', `/v1/invitations/${encodeURIComponent(invitation)}`),
  }
}
