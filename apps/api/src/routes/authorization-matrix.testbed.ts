/** Who may do what over REST: of each route, what everybody of the cast is answered. */
import { randomUUID } from 'node:crypto'
import { type ErrorCode, mutedForEver } from '@flotilla/protocol'
import { type CastRole, castRoles } from '@flotilla/testing'
import type { CallOptions } from '../api.testbed.ts'
import {
  aContactRequest,
  aDevice,
  aJoinRequest,
  aLink,
  aNotification,
  anInvitation,
  anUpload,
  aPasskey,
  aScheduled,
  aSession,
  ban,
  message,
  permit,
  post,
  type Scene,
  silence,
  tomorrow,
} from './things-of-the-owner.testbed.ts'

type Outcome = 'ok' | ErrorCode
type Outcomes = Readonly<Record<CastRole, Outcome>>
interface Ask extends CallOptions {
  /** After the method: `/v1/me`. */
  readonly url: string
}
export interface Line {
  readonly ask: (scene: Scene, role: CastRole) => Ask | Promise<Ask>
  readonly outcome: Outcomes
}

// ── outcomes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const all = (outcome: Outcome) => Object.fromEntries(castRoles.map(role => [role, outcome])) as Outcomes
const anybody = all('ok')
const signedIn = { ...anybody, nobody: 'unauthenticated' } as const
const outside = 'not_a_member' as const
const inGroup = { ...signedIn, stranger: outside, contact: outside, removed: outside, blocked: outside } as const
const managers = { ...inGroup, member: 'role_insufficient' } as const
const owners = { ...managers, admin: 'role_insufficient' } as const
/** The thing is the owner's own; for everybody else it does not exist. */
const ownOnly = (code: ErrorCode): Outcomes => ({ ...all(code), nobody: 'unauthenticated', owner: 'ok' })
const acrossABlock: Outcomes = {
  ...all(outside),
  nobody: 'unauthenticated',
  blocked: 'blocked',
  owner: 'blocked',
}
/** Nobody of the cast is an operator: an admin or owner of a group is none either. */
const operators: Outcomes = { ...all('operators_only'), nobody: 'unauthenticated' }

// ── what is shown and is nothing ─────────────────────────────────────────────────────────────────────────────────────

let names = 0
const aName = () => `newcomer-${++names}`
const shownCode = () => ({ request: randomUUID(), code: '000000' })
const shownGrant = { grant: 'x'.repeat(43), secret: 'x'.repeat(43) }
const base64url = 'AAAA'
const createdPasskey = {
  id: base64url,
  rawId: base64url,
  type: 'public-key',
  clientExtensionResults: {},
  response: { clientDataJSON: base64url, attestationObject: base64url },
}
const usedPasskey = {
  ...createdPasskey,
  response: { clientDataJSON: base64url, authenticatorData: base64url, signature: base64url },
}
/** One pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

// ── the matrix ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A request that says nothing about the caller. */
const plain = (url: string, options: CallOptions = {}) => ({ url, ...options })
const get = (url: string, outcome: Outcomes): Line => ({ ask: () => plain(url), outcome })
const ofGroup = (more: string, outcome: Outcomes, body?: () => unknown): Line => ({
  ask: scene => plain(`/v1/conversations/${scene.group}${more}`, body === undefined ? {} : { body: body() }),
  outcome,
})

/** Whoever may pin learns that there is no message there. */
const pinned: Readonly<Record<string, Line>> = {
  'in the group': ofGroup('/pins/1', { ...managers, admin: 'message_unknown', owner: 'message_unknown' }),
  'across a block': {
    ask: scene => plain(`/v1/conversations/${scene.directWith.blocked}/pins/1`),
    outcome: acrossABlock,
  },
}

/** About a message of another member. */
const ofMessage = (more: string, outcome: Outcomes, body?: () => unknown): Line => ({
  ask: async scene => {
    const { seq } = await post(scene, 'target')
    const url = `/v1/conversations/${scene.group}/messages/${seq}${more}`
    return plain(url, body === undefined ? {} : { body: body() })
  },
  outcome,
})
const nobodys = (outcome: Outcomes): Outcomes => ({
  ...outcome,
  member: 'message_unknown',
  admin: 'message_unknown',
  owner: 'message_unknown',
})
/** Of a place where no message stands, for all who are in the group. */
const unknownInGroup = {
  ...inGroup,
  member: 'message_unknown',
  admin: 'message_unknown',
  owner: 'message_unknown',
} as const
const reacted: Readonly<Record<string, Line>> = {
  'in the group': ofGroup('/messages/1/reactions/%F0%9F%91%8D', unknownInGroup),
  'across a block': {
    ask: scene => plain(`/v1/conversations/${scene.directWith.blocked}/messages/1/reactions/%F0%9F%91%8D`),
    outcome: acrossABlock,
  },
}
/** Nobody here has asked anything, and nothing has been said: who is in the group learns that, and no more. */
const nothingThere = (more: string, body?: () => unknown): Line =>
  ofGroup(more, { ...inGroup, member: 'message_unknown', admin: 'message_unknown', owner: 'message_unknown' }, body)
/** Of the direct conversation that the owner has closed. */
const voteAcrossBlock = (more: string, outcome: Outcome, body?: () => unknown): Line => ({
  ask: scene =>
    plain(`/v1/conversations/${scene.directWith.blocked}${more}`, body === undefined ? {} : { body: body() }),
  outcome: { ...all(outside), nobody: 'unauthenticated', blocked: outcome, owner: outcome },
})
const aVote = () => ({ clientId: randomUUID(), options: [0] })

/** Several lines where the answer depends on what it is about. */
export const matrix: Readonly<Record<string, Line | Readonly<Record<string, Line>>>> = {
  // What the load balancer, a browser and a verifier of tokens ask before anybody has signed in.
  'GET /healthz': get('/healthz', anybody),
  'GET /readyz': get('/readyz', anybody),
  'GET /v1/openapi.json': get('/v1/openapi.json', anybody),
  'GET /v1/.well-known/jwks.json': get('/v1/.well-known/jwks.json', anybody),
  'GET /v1/connect': get('/v1/connect', signedIn),

  // Signing in: what is shown decides, not who asks. Nothing right is shown here; the flows have tests of their own.
  'POST /v1/users': { ask: () => plain('/v1/users', { body: { username: aName() } }), outcome: anybody },
  'GET /v1/registration': get('/v1/registration', anybody),
  // No work is asked for here.
  'POST /v1/registration/work': { ask: () => plain('/v1/registration/work'), outcome: all('route_unknown') },
  'POST /v1/users/with-passkey/options': {
    ask: () => plain('/v1/users/with-passkey/options', { body: { username: aName() } }),
    outcome: anybody,
  },
  'POST /v1/users/with-passkey': {
    ask: () => plain('/v1/users/with-passkey', { body: { challenge: randomUUID(), passkey: createdPasskey } }),
    outcome: all('challenge_invalid'),
  },
  'POST /v1/codes': {
    ask: () => plain('/v1/codes', { body: { email: `${aName()}@example.org`, purpose: 'sign-in' } }),
    outcome: anybody,
  },
  'POST /v1/codes/:id/resend': {
    ask: () => plain(`/v1/codes/${randomUUID()}/resend`, { body: {} }),
    outcome: all('code_invalid'),
  },
  'POST /v1/password-resets': {
    ask: () => plain('/v1/password-resets', { body: { ...shownCode(), password: 'a password of one’s own' } }),
    outcome: all('code_invalid'),
  },
  'POST /v1/sessions': {
    ask: () => plain('/v1/sessions', { body: { username: aName(), password: 'not the one' } }),
    outcome: all('invalid_credentials'),
  },
  'POST /v1/sessions/with-code': {
    ask: () => plain('/v1/sessions/with-code', { body: shownCode() }),
    outcome: all('code_invalid'),
  },
  'POST /v1/sessions/with-passkey': {
    ask: () => plain('/v1/sessions/with-passkey', { body: { challenge: randomUUID(), passkey: usedPasskey } }),
    outcome: all('challenge_invalid'),
  },
  'POST /v1/passkeys/options': { ask: () => plain('/v1/passkeys/options'), outcome: anybody },
  'POST /v1/sessions/second-factor': {
    ask: () =>
      plain('/v1/sessions/second-factor', { body: { challenge: randomUUID(), factor: 'totp', code: '000000' } }),
    outcome: all('challenge_invalid'),
  },
  'POST /v1/sessions/second-factor/code': {
    ask: () => plain('/v1/sessions/second-factor/code', { body: { challenge: randomUUID() } }),
    outcome: all('challenge_invalid'),
  },
  'POST /v1/sessions/second-factor/passkey': {
    ask: () => plain('/v1/sessions/second-factor/passkey', { body: { challenge: randomUUID() } }),
    outcome: all('challenge_invalid'),
  },
  'GET /v1/providers': get('/v1/providers', anybody),
  'POST /v1/providers/:provider/authorizations': {
    ask: () => plain('/v1/providers/none/authorizations', { body: { returnTo: 'http://localhost:8080/' } }),
    outcome: all('provider_unknown'),
  },
  'GET /v1/providers/:provider/authorizations/:id': get(
    `/v1/providers/none/authorizations/${randomUUID()}`,
    all('provider_unknown'),
  ),
  'GET /v1/providers/:provider/callback': get('/v1/providers/none/callback?state=none', all('provider_unknown')),
  'POST /v1/sessions/with-provider': {
    ask: () => plain('/v1/sessions/with-provider', { body: shownGrant }),
    outcome: all('authorization_failed'),
  },
  'POST /v1/sessions/refresh': {
    ask: () => plain('/v1/sessions/refresh', { body: { refreshToken: 'none' } }),
    outcome: all('refresh_token_invalid'),
  },

  // One's own account.
  'GET /v1/me': get('/v1/me', signedIn),
  'PATCH /v1/me': { ask: () => plain('/v1/me', { body: { displayName: 'Another' } }), outcome: signedIn },
  'GET /v1/me/settings': get('/v1/me/settings', signedIn),
  'PATCH /v1/me/settings': {
    ask: () => plain('/v1/me/settings', { body: { lastSeenVisibility: 'nobody' } }),
    outcome: signedIn,
  },
  'PUT /v1/me/username': { ask: () => plain('/v1/me/username', { body: { username: aName() } }), outcome: signedIn },
  'PUT /v1/me/password': {
    ask: () => plain('/v1/me/password', { body: { password: 'a password of one’s own' } }),
    outcome: signedIn,
  },
  'POST /v1/me/email': {
    ask: () => plain('/v1/me/email', { body: { email: `${aName()}@example.org` } }),
    outcome: signedIn,
  },
  'PUT /v1/me/email': {
    ask: () => plain('/v1/me/email', { body: shownCode() }),
    outcome: { ...all('code_invalid'), nobody: 'unauthenticated' },
  },
  'DELETE /v1/me/email': { ask: () => plain('/v1/me/email'), outcome: signedIn },
  'GET /v1/me/factors': get('/v1/me/factors', signedIn),
  'POST /v1/me/totp': { ask: () => plain('/v1/me/totp'), outcome: signedIn },
  'POST /v1/me/totp/confirm': {
    ask: () => plain('/v1/me/totp/confirm', { body: { code: '000000' } }),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'DELETE /v1/me/totp': {
    ask: () => plain('/v1/me/totp'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'POST /v1/me/recovery-codes': {
    ask: () => plain('/v1/me/recovery-codes'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'PUT /v1/me/email-factor': {
    ask: () => plain('/v1/me/email-factor'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'DELETE /v1/me/email-factor': {
    ask: () => plain('/v1/me/email-factor'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'POST /v1/sessions/current/reauthentication': {
    ask: () =>
      plain('/v1/sessions/current/reauthentication', { body: { factor: 'password', password: 'not the one' } }),
    outcome: { ...all('invalid_credentials'), nobody: 'unauthenticated' },
  },
  'POST /v1/sessions/current/reauthentication/code': {
    ask: () => plain('/v1/sessions/current/reauthentication/code'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'POST /v1/sessions/current/reauthentication/passkey': {
    ask: () => plain('/v1/sessions/current/reauthentication/passkey'),
    outcome: { ...all('factor_conflict'), nobody: 'unauthenticated' },
  },
  'POST /v1/sessions/current/reauthentication/with-provider': {
    ask: () => plain('/v1/sessions/current/reauthentication/with-provider', { body: shownGrant }),
    outcome: { ...all('authorization_failed'), nobody: 'unauthenticated' },
  },
  'GET /v1/me/passkeys': get('/v1/me/passkeys', signedIn),
  'POST /v1/me/passkeys/options': { ask: () => plain('/v1/me/passkeys/options'), outcome: signedIn },
  'POST /v1/me/passkeys': {
    ask: () => plain('/v1/me/passkeys', { body: { challenge: randomUUID(), passkey: createdPasskey, name: 'Mine' } }),
    outcome: { ...all('challenge_invalid'), nobody: 'unauthenticated' },
  },
  'PATCH /v1/me/passkeys/:id': {
    ask: async scene => plain(`/v1/me/passkeys/${await aPasskey(scene)}`, { body: { name: 'Mine' } }),
    outcome: ownOnly('passkey_unknown'),
  },
  'DELETE /v1/me/passkeys/:id': {
    ask: async scene => plain(`/v1/me/passkeys/${await aPasskey(scene)}`),
    outcome: { ...ownOnly('passkey_unknown'), owner: 'last_sign_in_method' },
  },
  'GET /v1/me/identities': get('/v1/me/identities', signedIn),
  'POST /v1/me/identities/authorizations': {
    ask: () =>
      plain('/v1/me/identities/authorizations', { body: { provider: 'none', returnTo: 'http://localhost:8080/' } }),
    outcome: { ...all('provider_unknown'), nobody: 'unauthenticated' },
  },
  'POST /v1/me/identities': {
    ask: () => plain('/v1/me/identities', { body: shownGrant }),
    outcome: { ...all('authorization_failed'), nobody: 'unauthenticated' },
  },
  'DELETE /v1/me/identities/:provider': {
    ask: async scene => {
      await scene.chat.pool.query(
        `INSERT INTO identities (issuer, subject, user_id, provider) VALUES ('https://id.example.org', $1, $2, 'example')`,
        [randomUUID(), scene.people.owner.user],
      )
      return plain('/v1/me/identities/example')
    },
    outcome: { ...ownOnly('identity_unknown'), owner: 'last_sign_in_method' },
  },
  'GET /v1/me/security-events': get('/v1/me/security-events', signedIn),
  'PUT /v1/me/deletion': { ask: () => plain('/v1/me/deletion'), outcome: signedIn },
  'DELETE /v1/me/deletion': { ask: () => plain('/v1/me/deletion'), outcome: signedIn },
  'GET /v1/me/export': get('/v1/me/export', signedIn),
  'PUT /v1/me/avatar': {
    ask: () => plain('/v1/me/avatar', { raw: picture, headers: { 'content-type': 'image/png' } }),
    outcome: signedIn,
  },
  'DELETE /v1/me/avatar': { ask: () => plain('/v1/me/avatar'), outcome: signedIn },
  'POST /v1/me/avatar/uploads': { ask: () => plain('/v1/me/avatar/uploads', { body: {} }), outcome: signedIn },
  'PUT /v1/me/avatar/from-upload': {
    ask: async scene => plain('/v1/me/avatar/from-upload', { body: { upload: await anUpload(scene) } }),
    outcome: { ...all('upload_unknown'), nobody: 'unauthenticated' },
  },
  'PUT /v1/uploads/:id': {
    ask: async scene =>
      plain(`/v1/uploads/${await anUpload(scene)}`, {
        raw: picture,
        headers: { 'content-type': 'image/png' },
      }),
    outcome: ownOnly('upload_unknown'),
  },
  'GET /v1/avatars/:id/:size': get(`/v1/avatars/${randomUUID()}/64`, all('file_unknown')),
  'GET /v1/sessions': get('/v1/sessions', signedIn),
  'DELETE /v1/sessions': { ask: () => plain('/v1/sessions'), outcome: signedIn },
  'DELETE /v1/sessions/current': { ask: () => plain('/v1/sessions/current'), outcome: signedIn },
  'DELETE /v1/sessions/:id': {
    ask: async scene => plain(`/v1/sessions/${await aSession(scene)}`),
    outcome: ownOnly('session_unknown'),
  },
  'GET /v1/devices': get('/v1/devices', signedIn),
  'POST /v1/devices': {
    ask: () =>
      plain('/v1/devices', { body: { name: 'phone', platform: 'android', provider: 'fcm', token: randomUUID() } }),
    outcome: signedIn,
  },
  'DELETE /v1/devices/:id': {
    ask: async scene => plain(`/v1/devices/${await aDevice(scene)}`),
    outcome: ownOnly('device_unknown'),
  },
  'GET /v1/push': get('/v1/push', signedIn),
  'GET /v1/notifications': get('/v1/notifications', signedIn),
  'GET /v1/notifications/count': get('/v1/notifications/count', signedIn),
  'POST /v1/notifications/read': { ask: () => plain('/v1/notifications/read'), outcome: signedIn },
  'POST /v1/notifications/:id/read': {
    ask: async scene => plain(`/v1/notifications/${await aNotification(scene)}/read`),
    outcome: ownOnly('notification_unknown'),
  },

  // Other people.
  'GET /v1/people': get('/v1/people?q=nobody%20of%20this%20name', signedIn),
  'GET /v1/users': get('/v1/users?username=nobody-of-this-name', { ...all('user_unknown'), nobody: 'unauthenticated' }),
  // Whoever is blocked sees the name, which stands in their conversations, and nothing else.
  'GET /v1/users/:id': { ask: scene => plain(`/v1/users/${scene.people.owner.user}`), outcome: signedIn },
  'GET /v1/contacts': get('/v1/contacts', signedIn),
  'DELETE /v1/contacts/:user': {
    ask: scene => plain(`/v1/contacts/${scene.people.owner.user}`),
    outcome: { ...all('contact_unknown'), nobody: 'unauthenticated', contact: 'ok' },
  },
  'GET /v1/contact-requests': get('/v1/contact-requests?direction=received', signedIn),
  'POST /v1/contact-requests': {
    ask: scene => plain('/v1/contact-requests', { body: { user: scene.people.owner.user } }),
    outcome: { ...signedIn, contact: 'contact_exists', blocked: 'blocked', owner: 'field_invalid' },
  },
  'POST /v1/contact-requests/:id/accept': {
    ask: async scene => plain(`/v1/contact-requests/${await aContactRequest(scene)}/accept`),
    outcome: ownOnly('request_unknown'),
  },
  'POST /v1/contact-requests/:id/decline': {
    ask: async scene => plain(`/v1/contact-requests/${await aContactRequest(scene)}/decline`),
    outcome: ownOnly('request_unknown'),
  },
  // Only who has sent it can take it back; not even who received it.
  'DELETE /v1/contact-requests/:id': {
    ask: async scene => plain(`/v1/contact-requests/${await aContactRequest(scene)}`),
    outcome: { ...all('request_unknown'), nobody: 'unauthenticated' },
  },
  'GET /v1/blocks': get('/v1/blocks', signedIn),
  'PUT /v1/blocks/:user': {
    ask: scene => plain(`/v1/blocks/${scene.people.owner.user}`),
    outcome: { ...signedIn, owner: 'field_invalid' },
  },
  'DELETE /v1/blocks/:user': { ask: scene => plain(`/v1/blocks/${scene.people.blocked.user}`), outcome: signedIn },
  'POST /v1/reports': {
    'of a person': {
      ask: scene => plain('/v1/reports', { body: { user: scene.newcomer.user, reason: 'spam' } }),
      outcome: signedIn,
    },
    'of a message in the group': {
      ask: async scene => {
        await post(scene, 'target')
        return plain('/v1/reports', {
          body: { user: scene.target.user, reason: 'spam', conversation: scene.group, seq: 1 },
        })
      },
      outcome: inGroup,
    },
  },

  // Conversations.
  'GET /v1/conversations': get('/v1/conversations', signedIn),
  'POST /v1/conversations': {
    'with the owner': {
      ask: scene => plain('/v1/conversations', { body: { kind: 'direct', user: scene.people.owner.user } }),
      // The one with whom the owner has a conversation from before the block may read it, and the owner has one with themselves.
      outcome: signedIn,
    },
    'with the owner in a group': {
      ask: scene =>
        plain('/v1/conversations', { body: { kind: 'group', name: 'New', members: [scene.people.owner.user] } }),
      outcome: { ...signedIn, blocked: 'blocked' },
    },
  },
  'GET /v1/conversation-requests': get('/v1/conversation-requests?direction=received', signedIn),
  'GET /v1/conversation-requests/:id': {
    ask: scene => plain(`/v1/conversation-requests/${scene.asked.direct.request}`),
    outcome: ownOnly('request_unknown'),
  },
  'POST /v1/conversation-requests/:id/accept': {
    'of a direct conversation': {
      ask: scene => plain(`/v1/conversation-requests/${scene.asked.direct.request}/accept`),
      outcome: ownOnly('request_unknown'),
    },
    'of a group, by whom it is not for': {
      ask: scene => plain(`/v1/conversation-requests/${scene.asked.group.request}/accept`),
      outcome: { ...all('request_unknown'), nobody: 'unauthenticated' },
    },
  },
  'POST /v1/conversation-requests/:id/decline': {
    ask: scene => plain(`/v1/conversation-requests/${scene.asked.direct.request}/decline`),
    outcome: ownOnly('request_unknown'),
  },
  'DELETE /v1/conversation-requests/:id': {
    'into the group': {
      ask: scene => plain(`/v1/conversation-requests/${scene.asked.group.request}`),
      outcome: { ...ownOnly('request_unknown'), admin: 'ok' },
    },
    'of somebody else, to the owner': {
      ask: scene => plain(`/v1/conversation-requests/${scene.asked.direct.request}`),
      outcome: { ...all('request_unknown'), nobody: 'unauthenticated' },
    },
  },
  'GET /v1/conversations/:id': ofGroup('', inGroup),
  'PATCH /v1/conversations/:id': ofGroup('', managers, () => ({ name: 'Another name' })),
  'PATCH /v1/conversations/:id/settings': {
    'to describe it': ofGroup('/settings', managers, () => ({ description: 'Ahoy' })),
    'to describe it, where all may edit': {
      ask: async scene => {
        await permit(scene, { edit: 'member' })
        return plain(`/v1/conversations/${scene.group}/settings`, { body: { description: 'Ahoy' } })
      },
      outcome: inGroup,
    },
    'to slow it down': ofGroup('/settings', managers, () => ({ slowModeMs: 1_000 })),
    'to narrow its windows': ofGroup('/settings', managers, () => ({
      editWindowMs: 60_000,
      deleteWindowMs: 60_000,
      editHistory: false,
    })),
    'to permit something': ofGroup('/settings', owners, () => ({ permissions: { post: 'admin' } })),
  },
  'PUT /v1/conversations/:id/avatar': {
    ask: scene =>
      plain(`/v1/conversations/${scene.group}/avatar`, { raw: picture, headers: { 'content-type': 'image/png' } }),
    outcome: managers,
  },
  'DELETE /v1/conversations/:id/avatar': ofGroup('/avatar', managers),
  'PUT /v1/conversations/:id/avatar/from-upload': {
    ask: async scene =>
      plain(`/v1/conversations/${scene.group}/avatar/from-upload`, {
        body: { upload: await anUpload(scene) },
      }),
    // Nothing has arrived in it, and the admin has none.
    outcome: { ...managers, owner: 'upload_unknown', admin: 'upload_unknown' },
  },
  'PUT /v1/conversations/:id/owner': {
    ask: scene => plain(`/v1/conversations/${scene.group}/owner`, { body: { user: scene.target.user } }),
    outcome: owners,
  },
  'PUT /v1/conversations/:id/members/:user/silence': {
    'of a member': {
      ask: scene =>
        plain(`/v1/conversations/${scene.group}/members/${scene.target.user}/silence`, {
          body: { untilMs: mutedForEver },
        }),
      outcome: managers,
    },
    'of an admin': {
      ask: scene =>
        plain(`/v1/conversations/${scene.group}/members/${scene.people.admin.user}/silence`, {
          body: { untilMs: null },
        }),
      outcome: owners,
    },
  },
  'GET /v1/conversations/:id/bans': ofGroup('/bans', managers),
  'PUT /v1/conversations/:id/bans/:user': {
    'of a member': {
      ask: scene => plain(`/v1/conversations/${scene.group}/bans/${scene.target.user}`),
      outcome: managers,
    },
    'of a stranger': {
      ask: scene => plain(`/v1/conversations/${scene.group}/bans/${scene.newcomer.user}`),
      outcome: managers,
    },
    'of the admin': {
      ask: scene => plain(`/v1/conversations/${scene.group}/bans/${scene.people.admin.user}`),
      outcome: { ...owners, admin: 'field_invalid' },
    },
  },
  'DELETE /v1/conversations/:id/bans/:user': {
    ask: async scene => {
      await ban(scene, scene.newcomer.user)
      return plain(`/v1/conversations/${scene.group}/bans/${scene.newcomer.user}`)
    },
    outcome: managers,
  },
  'GET /v1/conversations/:id/links': ofGroup('/links', managers),
  'POST /v1/conversations/:id/links': {
    'as it is': ofGroup('/links', managers, () => ({})),
    'where all may add people': {
      ask: async scene => {
        await permit(scene, { addMembers: 'member' })
        return plain(`/v1/conversations/${scene.group}/links`, { body: {} })
      },
      outcome: inGroup,
    },
  },
  'DELETE /v1/conversations/:id/links/:link': {
    ask: async scene => plain(`/v1/conversations/${scene.group}/links/${(await aLink(scene)).id}`),
    outcome: managers,
  },
  // Whoever has the link.
  'POST /v1/links/preview': {
    ask: async scene => plain('/v1/links/preview', { body: { token: (await aLink(scene)).token } }),
    outcome: signedIn,
  },
  'POST /v1/links/join': {
    'by a good link': {
      ask: async scene => plain('/v1/links/join', { body: { token: (await aLink(scene)).token } }),
      outcome: signedIn,
    },
    'by one that says to ask': {
      ask: async scene => plain('/v1/links/join', { body: { token: (await aLink(scene, true)).token } }),
      outcome: signedIn,
    },
    'of a group from which one is banned': {
      ask: async (scene, role) => {
        if (role === 'stranger') await ban(scene, scene.people.stranger.user)
        return plain('/v1/links/join', { body: { token: (await aLink(scene)).token } })
      },
      outcome: { ...signedIn, stranger: 'banned' },
    },
    'by none': {
      ask: () => plain('/v1/links/join', { body: { token: 'none' } }),
      outcome: { ...all('invitation_invalid'), nobody: 'unauthenticated' },
    },
  },
  'GET /v1/conversations/:id/join-requests': ofGroup('/join-requests', managers),
  'POST /v1/conversations/:id/join-requests/:user/approve': {
    ask: async scene => plain(`${await aJoinRequest(scene)}/approve`),
    outcome: managers,
  },
  'POST /v1/conversations/:id/join-requests/:user/decline': {
    ask: async scene => plain(`${await aJoinRequest(scene)}/decline`),
    outcome: managers,
  },
  'GET /v1/join-requests': get('/v1/join-requests?direction=received', signedIn),
  // Of the newcomer.
  'DELETE /v1/join-requests/:id': {
    ask: async scene => {
      await aJoinRequest(scene)
      return plain(`/v1/join-requests/${scene.group}`)
    },
    outcome: { ...all('request_unknown'), nobody: 'unauthenticated' },
  },
  'PUT /v1/conversations/:id/timer': {
    'of a group': ofGroup('/timer', managers, () => ({ timerMs: 3_600_000 })),
    'of a direct conversation': {
      ask: scene => plain(`/v1/conversations/${scene.directWith.contact}/timer`, { body: { timerMs: 3_600_000 } }),
      outcome: { ...all(outside), nobody: 'unauthenticated', contact: 'ok', owner: 'ok' },
    },
    'across a block': {
      ask: scene => plain(`/v1/conversations/${scene.directWith.blocked}/timer`, { body: { timerMs: 3_600_000 } }),
      outcome: acrossABlock,
    },
  },
  'PUT /v1/conversations/:id/messages/:seq/reminder': {
    ask: async scene => {
      const { seq } = await post(scene, 'target')
      return plain(`/v1/conversations/${scene.group}/messages/${seq}/reminder`, { body: { at: tomorrow() } })
    },
    outcome: inGroup,
  },
  'DELETE /v1/conversations/:id/messages/:seq/reminder': ofGroup('/messages/1/reminder', signedIn),
  'GET /v1/reminders': get('/v1/reminders', signedIn),
  'POST /v1/scheduled-messages': {
    'in the group': {
      ask: scene =>
        plain('/v1/scheduled-messages', { body: { conversation: scene.group, ...message(), at: tomorrow() } }),
      outcome: inGroup,
    },
    'in a thread': {
      ask: async scene => {
        const { seq: thread } = await post(scene, 'target')
        return plain('/v1/scheduled-messages', {
          body: { conversation: scene.group, ...message(), thread, at: tomorrow() },
        })
      },
      outcome: inGroup,
    },
    'across a block': {
      ask: scene => {
        const body = { conversation: scene.directWith.blocked, ...message(), at: tomorrow() }
        return plain('/v1/scheduled-messages', { body })
      },
      outcome: acrossABlock,
    },
  },
  'GET /v1/scheduled-messages': get('/v1/scheduled-messages', signedIn),
  'PATCH /v1/scheduled-messages/:id': {
    ask: async scene => plain(`/v1/scheduled-messages/${await aScheduled(scene)}`, { body: { at: tomorrow() } }),
    outcome: ownOnly('scheduled_unknown'),
  },
  'DELETE /v1/scheduled-messages/:id': {
    ask: async scene => plain(`/v1/scheduled-messages/${await aScheduled(scene)}`),
    outcome: ownOnly('scheduled_unknown'),
  },
  'PATCH /v1/conversations/:id/preferences': ofGroup('/preferences', inGroup, () => ({ archived: true, pinned: true })),
  'PUT /v1/conversations/:id/draft': ofGroup('/draft', inGroup, () => ({ at: Date.now(), content: { text: 'Hello' } })),
  'GET /v1/drafts': get('/v1/drafts', signedIn),
  'GET /v1/unread': get('/v1/unread', signedIn),
  'PUT /v1/conversations/:id/mute': ofGroup('/mute', inGroup, () => ({ untilMs: null })),
  'GET /v1/conversations/:id/members': ofGroup('/members', inGroup),
  'POST /v1/conversations/:id/members': {
    ask: scene => plain(`/v1/conversations/${scene.group}/members`, { body: { users: [scene.newcomer.user] } }),
    outcome: managers,
  },
  'DELETE /v1/conversations/:id/members/:user': {
    ask: scene => plain(`/v1/conversations/${scene.group}/members/${scene.target.user}`),
    outcome: managers,
  },
  'PATCH /v1/conversations/:id/members/:user': {
    ask: scene => plain(`/v1/conversations/${scene.group}/members/${scene.target.user}`, { body: { role: 'admin' } }),
    outcome: owners,
  },
  'GET /v1/conversations/:id/messages': ofGroup('/messages', inGroup),
  'GET /v1/conversations/:id/pins': ofGroup('/pins', inGroup),
  'PUT /v1/conversations/:id/pins/:seq': pinned,
  'DELETE /v1/conversations/:id/pins/:seq': pinned,
  'GET /v1/conversations/:id/messages/:seq/reactions': ofGroup('/messages/1/reactions', unknownInGroup),
  'PUT /v1/conversations/:id/messages/:seq/reactions/:emoji': reacted,
  'DELETE /v1/conversations/:id/messages/:seq/reactions/:emoji': reacted,
  'PUT /v1/conversations/:id/messages/:seq/star': ofGroup('/messages/1/star', unknownInGroup),
  'DELETE /v1/conversations/:id/messages/:seq/star': ofGroup('/messages/1/star', signedIn),
  'GET /v1/stars': get('/v1/stars', signedIn),
  'GET /v1/threads': get('/v1/threads', signedIn),
  'GET /v1/conversations/:id/threads/:seq/messages': nothingThere('/threads/1/messages'),
  'PUT /v1/conversations/:id/threads/:seq/follow': nothingThere('/threads/1/follow'),
  'DELETE /v1/conversations/:id/threads/:seq/follow': nothingThere('/threads/1/follow'),
  'PUT /v1/conversations/:id/threads/:seq/read': nothingThere('/threads/1/read', () => ({ seq: 2 })),
  'PUT /v1/conversations/:id/polls/:seq/vote': {
    'in the group': nothingThere('/polls/1/vote', aVote),
    'across a block': voteAcrossBlock('/polls/1/vote', 'blocked', aVote),
  },
  'POST /v1/conversations/:id/polls/:seq/close': {
    'in the group': nothingThere('/polls/1/close'),
    'across a block': voteAcrossBlock('/polls/1/close', 'blocked'),
  },
  'GET /v1/conversations/:id/polls/:seq/voters': nothingThere('/polls/1/voters'),
  'POST /v1/conversations/:id/messages': {
    'in the group': ofGroup('/messages', inGroup, message),
    'in an announcement group': {
      ask: async scene => {
        await permit(scene, { post: 'admin' })
        return plain(`/v1/conversations/${scene.group}/messages`, { body: message() })
      },
      outcome: managers,
    },
    'while the member is silenced': {
      ask: async scene => {
        await silence(scene)
        return plain(`/v1/conversations/${scene.group}/messages`, { body: message() })
      },
      outcome: { ...inGroup, member: 'silenced' },
    },
    'to everybody of a large group': ofGroup('/messages', managers, () => {
      const { clientId, body } = message()
      return { clientId, body: { ...body, mentionsAll: true } }
    }),
    'before it is accepted': {
      ask: scene => plain(`/v1/conversations/${scene.asked.direct.conversation}/messages`, { body: message() }),
      outcome: { ...all(outside), nobody: 'unauthenticated' },
    },
    'across a block': {
      ask: scene => plain(`/v1/conversations/${scene.directWith.blocked}/messages`, { body: message() }),
      outcome: acrossABlock,
    },
  },
  'PATCH /v1/conversations/:id/messages/:seq': ofMessage('', nobodys(inGroup), message),
  'DELETE /v1/conversations/:id/messages/:seq': {
    'of another': ofMessage('', managers),
    'that is none': ofGroup('/messages/1', nobodys(inGroup)),
    'across a block': {
      ask: scene => plain(`/v1/conversations/${scene.directWith.blocked}/messages/1`),
      outcome: acrossABlock,
    },
  },
  'GET /v1/conversations/:id/messages/:seq/versions': {
    'of another': ofMessage('/versions', inGroup),
    'of none': ofGroup('/messages/1/versions', nobodys(inGroup)),
  },
  'POST /v1/conversations/:id/forwards': {
    'in the group': {
      ask: async scene => {
        const source = { conversation: scene.group, seq: (await post(scene, 'target')).seq }
        return plain(`/v1/conversations/${scene.group}/forwards`, { body: { clientId: randomUUID(), source } })
      },
      outcome: inGroup,
    },
    'of what one cannot see': {
      ask: async scene => {
        const source = { conversation: scene.directWith.contact, seq: 1 }
        return plain(`/v1/conversations/${scene.group}/forwards`, { body: { clientId: randomUUID(), source } })
      },
      outcome: nobodys(inGroup),
    },
    'across a block': {
      ask: scene => {
        const source = { conversation: scene.group, seq: 1 }
        const body = { clientId: randomUUID(), source }
        return plain(`/v1/conversations/${scene.directWith.blocked}/forwards`, { body })
      },
      outcome: acrossABlock,
    },
  },
  'POST /v1/conversations/:id/hidden': {
    ask: async scene => {
      const { seq } = await post(scene, 'target')
      return plain(`/v1/conversations/${scene.group}/hidden`, { body: { seqs: [seq] } })
    },
    outcome: inGroup,
  },
  'PUT /v1/conversations/:id/cleared': ofGroup('/cleared', inGroup, () => ({ upTo: 1 })),
  'GET /v1/hidden-messages': get('/v1/hidden-messages', signedIn),
  'PUT /v1/conversations/:id/receipts': ofGroup('/receipts', inGroup, () => ({ read: 1 })),

  // Operators alone invite, unless the deployment says otherwise.
  'POST /v1/invitations': {
    ask: () => plain('/v1/invitations', { body: {} }),
    outcome: { ...all('operators_only'), nobody: 'unauthenticated' },
  },
  'GET /v1/invitations': get('/v1/invitations', signedIn),
  'DELETE /v1/invitations/:id': {
    ask: async scene => plain(`/v1/invitations/${await anInvitation(scene)}`),
    outcome: ownOnly('invitation_unknown'),
  },

  // The operators.
  'POST /v1/operator/invitations': { ask: () => plain('/v1/operator/invitations', { body: {} }), outcome: operators },
  'GET /v1/operator/invitations': get('/v1/operator/invitations', operators),
  'DELETE /v1/operator/invitations/:id': {
    ask: async scene => plain(`/v1/operator/invitations/${await anInvitation(scene)}`),
    outcome: operators,
  },
  'GET /v1/operator/reports': get('/v1/operator/reports', operators),
  'POST /v1/operator/reports/:id/decision': {
    ask: () => plain(`/v1/operator/reports/${randomUUID()}/decision`, { body: { decision: 'dismissed' } }),
    outcome: operators,
  },
  'GET /v1/operator/actions': get('/v1/operator/actions', operators),
  'GET /v1/operator/users/:id': {
    ask: scene => plain(`/v1/operator/users/${scene.target.user}`),
    outcome: operators,
  },
  ...Object.fromEntries(
    ['suspend', 'ban', 'lift', 'sign-out'].map(verb => [
      `POST /v1/operator/users/:id/${verb}`,
      {
        ask: (scene: Scene) => plain(`/v1/operator/users/${scene.target.user}/${verb}`, { body: { reason: 'Spam' } }),
        outcome: operators,
      },
    ]),
  ),
  'POST /v1/operator/conversations/:id/remove-message': {
    ask: scene =>
      plain(`/v1/operator/conversations/${scene.group}/remove-message`, { body: { seq: 1, reason: 'Spam' } }),
    outcome: operators,
  },
  'GET /v1/operator/entry-counts': get('/v1/operator/entry-counts', operators),
  'GET /v1/operator/pushes': get('/v1/operator/pushes', operators),
  'GET /v1/operator/dead-pushes': get('/v1/operator/dead-pushes', operators),
  'POST /v1/operator/dead-pushes/:id/retry': {
    ask: () => plain(`/v1/operator/dead-pushes/${randomUUID()}/retry`),
    outcome: operators,
  },
  'GET /v1/operator/dead-jobs': get('/v1/operator/dead-jobs', operators),
  'POST /v1/operator/dead-jobs/:id/retry': {
    ask: () => plain(`/v1/operator/dead-jobs/${randomUUID()}/retry`),
    outcome: operators,
  },
}
