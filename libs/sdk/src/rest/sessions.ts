/** The user's own sessions: list and revoke. */
import type { Ask } from './ask.ts'

export const createSessions = (ask: Ask) => ({
  /** The current one first, then newest first; at most 100. */
  list: () => ask('GET /v1/sessions'),
  /** Invalidates its tokens and closes its sockets. @throws FlotillaError session_unknown */
  revoke: (session: string) => ask('DELETE /v1/sessions/{id}', { id: session }),
  /** Revokes all others, and with `current` the current one too. */
  revokeAll: ({ current = false }: { readonly current?: boolean } = {}) =>
    ask('DELETE /v1/sessions', { query: current ? { current: 'true' } : {} }),
})
