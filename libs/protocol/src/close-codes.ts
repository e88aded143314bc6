/**
 * Why a node closes a connection. The hundreds tell a client what to do, also with codes that it does not know:
 * 40xx reconnect now, 41xx reconnect after the time in the reason, 42xx do not come back with this session or build.
 * The reason is JSON: `{"code": "<name>", "retryMs": <number>}`; retryMs only with 41xx.
 */
export const closeCodes = {
  node_draining: {
    code: 4000,
    meaning: 'The node is shutting down. Acknowledged messages are safe; reconnect to another node.',
  },
  slow_consumer: {
    code: 4001,
    meaning:
      'The client reads too slowly: its send queue was full, or it stopped reading. Resume from the cursor and ask for smaller replies.',
  },
  rebalanced: {
    code: 4002,
    meaning: 'The node holds far more connections than the others. Call GET /v1/connect again to move to another node.',
  },
  overloaded: { code: 4100, meaning: 'The node is not accepting connections.' },
  ticket_invalid: {
    code: 4101,
    meaning: 'The ticket is malformed, expired or from another deployment. Get a new one.',
  },
  ticket_used: { code: 4102, meaning: 'The ticket was already used. Get a new one.' },
  unavailable: { code: 4103, meaning: 'The node cannot reach its database.' },
  flooding: { code: 4104, meaning: 'The client kept exceeding its rate limit after being refused.' },
  too_many_connections: {
    code: 4105,
    meaning: 'The user or the session has too many connections, or opens them too fast. The oldest are closed.',
  },
  address_limited: {
    code: 4106,
    meaning:
      'The IP address has too many sockets, or opens them too fast. Others may share it, so retry after `retryMs`.',
  },
  session_ended: { code: 4200, meaning: 'The session was signed out or revoked. Sign in again.' },
  protocol_unsupported: {
    code: 4201,
    meaning: 'The node does not support this protocol version. Update the client.',
  },
  frame_malformed: { code: 4202, meaning: 'The client sent a frame that is not a JSON object.' },
  account_suspended: {
    code: 4203,
    meaning: 'The account was suspended. Signing in is refused with `account_suspended`, which has the end date.',
  },
} as const

export type CloseName = keyof typeof closeCodes

/** What a client does after a close: derived from the range alone, so that new codes need no new client. */
export function closeAdvice(code: number): 'now' | 'after' | 'never' {
  if (code >= 4200 && code < 4300) return 'never'
  if (code >= 4000 && code < 4100) return 'now'
  return 'after'
}
