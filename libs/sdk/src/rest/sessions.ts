/** One's own sign-ins: which there are, and ending those that should not be. */
import type { Signed } from './signed.ts'

/** Where something came from, for its owner to recognise. What is not known is empty. */
export interface Whence {
  readonly address: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  /** What the program called itself. */
  readonly agent: string
}

export interface Session extends Whence {
  readonly id: string
  readonly deviceName: string
  /** What was shown to sign in. */
  readonly signedInBy: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** When it was last refreshed, from that address; milliseconds since 1970. */
  readonly seenAt: number
  /** The one that asks. */
  readonly current: boolean
}

export function createSessions(signed: Signed) {
  return {
    /** The one that asks first, then the newest; at most 100. */
    list: () => signed<{ sessions: readonly Session[] }>('GET', '/v1/sessions'),
    /** Ends one: its tokens are worth nothing from now on, its sockets close. @throws FlotillaError session_unknown */
    revoke: (session: string) => signed<undefined>('DELETE', `/v1/sessions/${encodeURIComponent(session)}`),
    /** Ends all others, and with `current` the one that asks too. */
    revokeAll: ({ current = false }: { readonly current?: boolean } = {}) =>
      signed<undefined>('DELETE', '/v1/sessions', { query: current ? { current: 'true' } : {} }),
  }
}
