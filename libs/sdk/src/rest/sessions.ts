/** One's own sign-ins: which there are, and ending those that should not be. */
import type { Ask } from './ask.ts'

export const createSessions = (ask: Ask) => ({
  /** The one that asks first, then the newest; at most 100. */
  list: () => ask('GET /v1/sessions'),
  /** Ends one: its tokens are worth nothing from now on, its sockets close. @throws FlotillaError session_unknown */
  revoke: (session: string) => ask('DELETE /v1/sessions/{id}', { id: session }),
  /** Ends all others, and with `current` the one that asks too. */
  revokeAll: ({ current = false }: { readonly current?: boolean } = {}) =>
    ask('DELETE /v1/sessions', { query: current ? { current: 'true' } : {} }),
})
