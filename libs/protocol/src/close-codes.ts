/**
 * Why a node closes a connection. The hundreds tell a client what to do, also with codes that it does not know:
 * 40xx reconnect now, 41xx reconnect after the time in the reason, 42xx do not come back with this session or build.
 * The reason is JSON: `{"code": "<name>", "retryMs": <number>}`; retryMs only with 41xx.
 */
export const closeCodes = {
  node_draining: {
    code: 4000,
    meaning: 'The node is being replaced. Everything acknowledged is kept; another node takes over.',
  },
  slow_consumer: {
    code: 4001,
    meaning:
      'The client read slower than its conversations write and its queue was full, or took nothing at all for too long. Resume from the cursor; ask for smaller replies.',
  },
  rebalanced: {
    code: 4002,
    meaning: 'The node holds far more connections than the others. Ask where to connect anew; another node has room.',
  },
  overloaded: { code: 4100, meaning: 'The node takes no more connections at present.' },
  ticket_invalid: {
    code: 4101,
    meaning: 'The ticket is malformed, expired or not signed by this deployment: ask for a new one.',
  },
  ticket_used: { code: 4102, meaning: 'The ticket has been used before: ask for a new one.' },
  unavailable: { code: 4103, meaning: 'The node cannot reach its store.' },
  flooding: { code: 4104, meaning: 'The client kept sending far above its rate after it had been told.' },
  too_many_connections: {
    code: 4105,
    meaning:
      'The person or the session has more connections than it may, or opens them too fast. The oldest are closed.',
  },
  address_limited: {
    code: 4106,
    meaning:
      'The network address of the client has more sockets than it may, or opens them too fast. Others may share it: come back after the time.',
  },
  session_ended: { code: 4200, meaning: 'The session was signed out or revoked: sign in again.' },
  protocol_unsupported: {
    code: 4201,
    meaning: 'The node does not speak this version of the protocol: update the client.',
  },
  frame_malformed: { code: 4202, meaning: 'The client sent something that is not a JSON object. Its build is broken.' },
  account_suspended: {
    code: 4203,
    meaning: 'The account was suspended. To sign in is refused with `account_suspended`, which says until when.',
  },
} as const

export type CloseName = keyof typeof closeCodes

/** What a client does after a close: derived from the range alone, so that new codes need no new client. */
export function closeAdvice(code: number): 'now' | 'after' | 'never' {
  if (code >= 4200 && code < 4300) return 'never'
  if (code >= 4000 && code < 4100) return 'now'
  return 'after'
}
