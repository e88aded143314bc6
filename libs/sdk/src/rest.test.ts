/** Every URL of the API has its method here, which asks what the API takes and is typed as what the API answers. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Compile } from 'typebox/schema'
import { beforeEach, expect, test } from 'vitest'
import { avatarUrl } from './avatar-url.ts'
import { systemClock } from './clock.ts'
import { createCall, type Fetch } from './http.ts'
import type { PasskeyCeremonies } from './rest/passkeys.ts'
import { createRest, mutedForEver, type Rest } from './rest.ts'
import type { StoredSession } from './session-keeper.ts'
import { createSignIn, type SignIn } from './sign-in.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>
}
interface Operation {
  readonly operationId: string
  readonly security: readonly object[]
  readonly parameters?: readonly { in: string; name: string; required?: boolean; schema: Json }[]
  readonly requestBody?: Content & { readonly required?: boolean }
  readonly responses: Readonly<Record<string, Content>>
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>> }
}

const file = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url))
const document = JSON.parse(readFileSync(file, 'utf8')) as Document
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      operation.operationId,
      { ...operation, path, method: method.toUpperCase() },
    ]),
  ),
)

/** What the SDK has no method for, and why. */
const without: Readonly<Record<string, string>> = {
  health: 'for machines',
  ready: 'for machines',
  jwks: 'for servers that check access tokens',
  openapi: 'the paper itself',
  avatar: 'a page shows it by its URL: avatarUrl',
  openVisit: 'the browser goes there',
  endVisit: 'the browser comes back there',
  refresh: 'createSignIn does it by itself: sign-in.test.ts',
  listReports: 'for operators',
  decideReport: 'for operators',
  listPushes: 'for operators',
  listDeadPushes: 'for operators',
  retryPush: 'for operators',
  listDeadJobs: 'for operators',
  retryJob: 'for operators',
  getStanding: 'for operators',
  suspendUser: 'for operators',
  banUser: 'for operators',
  liftSuspension: 'for operators',
  signUserOut: 'for operators',
  removeMessage: 'for operators',
  listOperatorActions: 'for operators',
  makeInvitationAsOperator: 'for operators',
  listInvitationsAsOperator: 'for operators',
  revokeInvitationAsOperator: 'for operators',
  askForWork: 'createSignIn does it by itself: sign-in.test.ts',
}

// ---- samples: each has every field of its type. A missing one does not compile; one too many the API does not know. ----

const id = '00000000-0000-4000-8000-000000000001'
const at = 1_700_000_000_000
const user = { id, username: 'ann', displayName: 'Ann', avatar: id }
const me = { ...user, about: 'Hi', email: 'ann@example.org', hasPassword: true, deleteAfter: at, createdAt: at }
const signedIn = {
  user,
  session: id,
  accessToken: 'a',
  accessTokenExpiresInMs: 600_000,
  refreshToken: 'r',
  device: 'd',
}
const invitation = { id, user: id, byOperator: false, uses: 1, used: 0, createdAt: at, expiresAt: at }
const needed = { secondFactor: { challenge: id, factors: ['totp' as const, 'passkey' as const], lifeMs: 1 } }
const asked = { request: id, lifeMs: 1, resendAfterMs: 1 }
const shown = { request: id, code: '123456' }
const visit = { url: 'https://api/v1/providers/x/visits/y', secret: 's'.repeat(43), lifeMs: 1 }
const shownVisit = { grant: 'g', secret: visit.secret }
const whence = { address: '::1', country: 'NL', agent: 'curl' }
const message = { event: 'message.new', conversation: id, seq: 1, epoch: 1, at, by: id, clientId: id } as const
const role = 'owner' as const
const conversation = {
  id,
  kind: 'group' as const,
  name: 'Crew',
  head: 1,
  headAt: at,
  role,
  joinedSeq: 1,
  deliveredSeq: 1,
  readSeq: 1,
  unread: 0,
  mutedUntil: at,
  memberCount: 1,
  pending: true,
  members: [{ user, role }],
  lastMessage: { ...message, body: { text: 'hi' } },
}
const settings = {
  lastSeenTo: 'everyone' as const,
  readReceiptsTo: 'contacts' as const,
  foundByEmailTo: 'nobody' as const,
  directFrom: 'contacts' as const,
  pushNames: true,
  quietHours: { from: '22:00', until: '07:00', zone: 'Europe/Amsterdam' },
}
const contact = { user, at }
const conversationRequest = {
  id,
  conversation: id,
  kind: 'group' as const,
  name: 'Crew',
  from: user,
  to: user,
  at,
  messages: 0,
}
const contactRequest = { id, from: user, to: user, note: 'Hello', at }
const kind = 'mention' as const
const notification = { id, kind, at, read: false, actor: user, conversation: id, seq: 1, detail: { a: 'b' } }
const platform = 'web' as const
const device = { id, name: 'Phone', platform, provider: 'webpush' as const, createdAt: at, seenAt: at, current: true }
const passkey = { id: 'pk', name: 'Key', synced: true, createdAt: at, usedAt: null }
const reference = { id: 'pk', type: 'public-key' as const, transports: ['usb' as const] }
const toUse = {
  rpId: 'x',
  challenge: 'c',
  timeout: 1,
  userVerification: 'required' as const,
  allowCredentials: [reference],
}
const toCreate = {
  rp: { id: 'x', name: 'X' },
  user: { id: 'u', name: 'ann', displayName: 'Ann' },
  challenge: 'c',
  timeout: 1,
  pubKeyCredParams: [{ alg: -7, type: 'public-key' as const }],
  attestation: 'none' as const,
  excludeCredentials: [reference],
  extensions: { credProps: true as const },
  hints: ['hybrid' as const],
  authenticatorSelection: {
    residentKey: 'required' as const,
    requireResidentKey: true as const,
    userVerification: 'required' as const,
  },
}
const passkeys: PasskeyCeremonies = {
  async create({ optionsJSON }) {
    expect(optionsJSON).toEqual(toCreate)
    const response = { clientDataJSON: 'a', attestationObject: 'b', transports: ['usb'] }
    return { id: 'pk', rawId: 'pk', type: 'public-key', response }
  },
  async get({ optionsJSON }) {
    expect(optionsJSON).toEqual(toUse)
    const response = { clientDataJSON: 'a', authenticatorData: 'b', signature: 'c', userHandle: null }
    return { id: 'pk', rawId: 'pk', type: 'public-key', response }
  },
}
const place = { upload: id, url: `/v1/uploads/${id}`, method: 'PUT' as const, fields: {}, expiresInMs: 1 }
const picture = new Blob(['x'], { type: 'image/png' })
const done = undefined

// ---- the table ----------------------------------------------------------------------------------------------------

interface Sdk {
  readonly rest: Rest
  readonly account: SignIn
}
interface Case {
  /** The operations that are called, in order, and what each answers. */
  readonly steps: readonly (readonly [id: string, answer: unknown])[]
  readonly call: (sdk: Sdk) => Promise<unknown>
  readonly brings: unknown
}
/** A method of one call that brings what the API answers. */
const plain = <T>(id: string, call: (sdk: Sdk) => Promise<T>, answer: NoInfer<T>): Case => ({
  steps: [[id, answer]],
  call,
  brings: answer,
})
/** A method that makes more, or less, of it. */
const made = <T>(steps: Case['steps'], call: (sdk: Sdk) => Promise<T>, brings: NoInfer<T>): Case => ({
  steps,
  call,
  brings,
})

const cases: readonly Case[] = [
  plain('me', ({ rest }) => rest.me(), me),
  plain('getUser', ({ rest }) => rest.user(id), { ...user, about: '', lastSeenAt: at, contact: true, blocked: false }),
  plain('findUser', ({ rest }) => rest.userByName('ann'), user),
  plain('searchPeople', ({ rest }) => rest.people.search('an'), { users: [user] }),
  plain('connect', ({ rest }) => rest.connect(), {
    urls: [{ url: 'wss://x', region: 'here' }],
    ticket: 't',
    ticketExpiresInMs: 1,
    protocol: 1,
    epoch: 1,
  }),
  // conversations
  plain('openConversation', ({ rest }) => rest.createDirect(id), conversation),
  plain('openConversation', ({ rest }) => rest.createGroup('Crew', [id]), conversation),
  plain('listConversations', ({ rest }) => rest.conversations({ limit: 5, after: 'x' }), {
    conversations: [conversation],
    next: 'y',
  }),
  plain('getConversation', ({ rest }) => rest.conversation(id), conversation),
  plain('renameConversation', ({ rest }) => rest.rename(id, 'Crew'), conversation),
  plain('muteConversation', ({ rest }) => rest.mute(id, mutedForEver), done),
  plain('muteConversation', ({ rest }) => rest.mute(id, null), done),
  plain('listMembers', ({ rest }) => rest.members(id, { limit: 5, after: id }), {
    members: [{ user, role, deliveredSeq: 1, readSeq: 1 }],
    next: id,
  }),
  plain('addMembers', ({ rest }) => rest.addMembers(id, [id]), { seq: 1, asked: [id] }),
  plain('removeMember', ({ rest }) => rest.removeMember(id, id), { seq: 1 }),
  plain('changeRole', ({ rest }) => rest.changeRole(id, id, 'admin'), { seq: 1 }),
  plain('history', ({ rest }) => rest.history(id, { after: 1, limit: 5 }), {
    epoch: 1,
    head: 1,
    from: 1,
    entries: [conversation.lastMessage],
  }),
  plain(
    'postMessage',
    ({ rest }) => rest.post(id, { clientId: id, body: { text: 'hi', mentions: [id] }, replyTo: 1 }),
    {
      seq: 1,
      at,
      epoch: 1,
    },
  ),
  plain('putReceipts', ({ rest }) => rest.receipts(id, { delivered: 1, read: 1 }), done),
  // account
  plain(
    'setPassword',
    ({ rest }) => rest.account.setPassword({ current: 'the old phrase', password: 'a new phrase' }),
    done,
  ),
  plain('askEmail', ({ rest }) => rest.account.askEmail('ann@example.org'), asked),
  plain('changeEmail', ({ rest }) => rest.account.changeEmail(shown), done),
  plain('removeEmail', ({ rest }) => rest.account.removeEmail(), done),
  plain('changeUsername', ({ rest }) => rest.account.changeUsername('anna'), user),
  plain('listSecurityEvents', ({ rest }) => rest.account.listSecurityEvents({ limit: 5, after: 7 }), {
    events: [{ id: 1, kind: 'signed_in', at, ...whence, session: id, detail: { by: 'password' } }],
    next: 1,
  }),
  plain('askDeletion', ({ rest }) => rest.account.askDeletion(), { deleteAfter: at }),
  plain('cancelDeletion', ({ rest }) => rest.account.cancelDeletion(), done),
  plain('exportMe', ({ rest }) => rest.account.exportMe(), new Blob(['zip'])),
  // profile
  plain('changeProfile', ({ rest }) => rest.profile.change({ displayName: 'Anna', about: 'Hi' }), me),
  plain('settings', ({ rest }) => rest.profile.settings(), settings),
  plain('changeSettings', ({ rest }) => rest.profile.changeSettings(settings), {
    ...settings,
    directFrom: null,
    quietHours: null,
  }),
  plain('setAvatar', ({ rest }) => rest.profile.setAvatar(picture), user),
  made(
    [
      ['promiseAvatarUpload', place],
      ['putUpload', done],
      ['setAvatarFromUpload', user],
    ],
    ({ rest }) => rest.profile.uploadAvatar(picture),
    user,
  ),
  plain('removeAvatar', ({ rest }) => rest.profile.removeAvatar(), done),
  // second factors, passkeys, identities, sign-ins
  plain('getFactors', ({ rest }) => rest.factors.get(), {
    password: true,
    email: true,
    totp: false,
    mailFactor: false,
    recoveryCodesLeft: 0,
    passkeys: 1,
  }),
  plain('beginTotp', ({ rest }) => rest.factors.beginTotp(), { secret: 's', uri: 'otpauth://x' }),
  plain('confirmTotp', ({ rest }) => rest.factors.confirmTotp('123456'), { recoveryCodes: ['a'] }),
  plain('disableTotp', ({ rest }) => rest.factors.disableTotp(), done),
  plain('makeRecoveryCodes', ({ rest }) => rest.factors.makeRecoveryCodes(), { recoveryCodes: ['a'] }),
  plain('enableMailFactor', ({ rest }) => rest.factors.enableMailFactor(), done),
  plain('disableMailFactor', ({ rest }) => rest.factors.disableMailFactor(), done),
  plain('listPasskeys', ({ rest }) => rest.passkeys.list(), { passkeys: [passkey] }),
  made(
    [
      ['beginAddPasskey', { challenge: id, options: toCreate }],
      ['addPasskey', passkey],
    ],
    ({ rest }) => rest.passkeys.add({ name: 'Key', create: passkeys.create }),
    passkey,
  ),
  plain('renamePasskey', ({ rest }) => rest.passkeys.rename('pk', 'Key'), passkey),
  plain('removePasskey', ({ rest }) => rest.passkeys.remove('pk'), done),
  plain('listIdentities', ({ rest }) => rest.identities.list(), {
    identities: [{ provider: 'google', name: 'Ann', email: 'ann@example.org', linkedAt: at, usedAt: at }],
  }),
  plain(
    'beginIdentityVisit',
    ({ rest }) => rest.identities.beginVisit({ provider: 'google', returnTo: 'https://x', prove: true }),
    visit,
  ),
  plain('linkIdentity', ({ rest }) => rest.identities.link(shownVisit), done),
  plain('unlinkIdentity', ({ rest }) => rest.identities.unlink('google'), done),
  plain('listSessions', ({ rest }) => rest.sessions.list(), {
    sessions: [
      { id, deviceName: 'Phone', signedInBy: 'password', ...whence, createdAt: at, seenAt: at, current: true },
    ],
  }),
  plain('revokeSession', ({ rest }) => rest.sessions.revoke(id), done),
  plain('revokeSessions', ({ rest }) => rest.sessions.revokeAll(), done),
  plain('revokeSessions', ({ rest }) => rest.sessions.revokeAll({ current: true }), done),
  // contacts
  plain('listContacts', ({ rest }) => rest.contacts.list({ limit: 5, after: id }), { contacts: [contact], next: id }),
  plain('removeContact', ({ rest }) => rest.contacts.remove(id), done),
  plain('listContactRequests', ({ rest }) => rest.contacts.requests({ direction: 'sent', limit: 5, after: 'x' }), {
    requests: [contactRequest],
    next: 'y',
  }),
  made([['requestContact', contactRequest]], ({ rest }) => rest.contacts.request({ username: 'bob', note: 'Hello' }), {
    request: contactRequest,
  }),
  made([['requestContact', contact]], ({ rest }) => rest.contacts.request({ user: id }), { contact }),
  made([['requestContact', {}]], ({ rest }) => rest.contacts.request({ email: 'bob@example.org' }), {}),
  plain('acceptContactRequest', ({ rest }) => rest.contacts.accept(id), contact),
  plain('rejectContactRequest', ({ rest }) => rest.contacts.reject(id), done),
  plain('cancelContactRequest', ({ rest }) => rest.contacts.cancel(id), done),
  plain(
    'listConversationRequests',
    ({ rest }) => rest.conversationRequests.list({ direction: 'received', limit: 5, after: 'x' }),
    { requests: [conversationRequest], next: 'y' },
  ),
  plain('getConversationRequest', ({ rest }) => rest.conversationRequests.get(id), {
    request: conversationRequest,
    messages: [conversation.lastMessage],
  }),
  plain('acceptConversationRequest', ({ rest }) => rest.conversationRequests.accept(id), conversation),
  plain('declineConversationRequest', ({ rest }) => rest.conversationRequests.decline(id), done),
  plain('cancelConversationRequest', ({ rest }) => rest.conversationRequests.cancel(id), done),
  plain('listBlocks', ({ rest }) => rest.blocks.list({ limit: 5, after: id }), { blocks: [contact], next: id }),
  plain('block', ({ rest }) => rest.blocks.block(id), done),
  plain('unblock', ({ rest }) => rest.blocks.unblock(id), done),
  plain(
    'report',
    ({ rest }) => rest.reports.file({ user: id, reason: 'spam', comment: 'x', conversation: id, seq: 1 }),
    { id },
  ),
  // invitations
  plain('makeInvitation', ({ rest }) => rest.invitations.make({ uses: 2, lifeMs: 60_000 }), {
    ...invitation,
    code: 'c',
  }),
  plain('listInvitations', ({ rest }) => rest.invitations.list({ limit: 5, after: 'x' }), {
    invitations: [invitation],
    next: 'y',
  }),
  plain('revokeInvitation', ({ rest }) => rest.invitations.revoke(id), done),
  // devices, notifications
  plain('listDevices', ({ rest }) => rest.devices.list(), { devices: [device] }),
  plain(
    'registerDevice',
    ({ rest }) => rest.devices.register({ name: 'Phone', platform: 'android', provider: 'fcm', token: 't' }),
    device,
  ),
  plain(
    'registerDevice',
    ({ rest }) => {
      const subscription = { endpoint: 'https://push', expirationTime: null, keys: { p256dh: 'k', auth: 'a' } }
      return rest.devices.register({ name: 'Browser', platform, provider: 'webpush', subscription })
    },
    device,
  ),
  plain('removeDevice', ({ rest }) => rest.devices.remove(id), done),
  plain('getPush', ({ rest }) => rest.devices.getPush(), { vapidPublicKey: 'k' }),
  plain('listNotifications', ({ rest }) => rest.notifications.list({ limit: 5, after: 'x', unread: true }), {
    notifications: [notification],
    next: 'y',
  }),
  plain('countNotifications', ({ rest }) => rest.notifications.count(), { unread: 3 }),
  plain('readNotification', ({ rest }) => rest.notifications.read(id), { unread: 2 }),
  plain('readNotifications', ({ rest }) => rest.notifications.readAll(), { unread: 0 }),
  // registering and signing in
  plain('askCode', ({ account }) => account.askCode({ email: 'ann@example.org', purpose: 'register' }), asked),
  plain('resendCode', ({ account }) => account.resendCode(id), asked),
  plain('readRegistration', ({ account }) => account.registration(), {
    mode: 'domain',
    domains: ['example.org'],
    check: 'captcha',
    captchaSiteKey: 'k',
  }),
  made(
    [['register', signedIn]],
    ({ account }) =>
      account.register({
        username: 'ann',
        password: 'correct horse',
        email: shown,
        displayName: 'Ann',
        deviceName: 'd',
        invitation: 'i',
        captcha: 'c',
      }),
    user,
  ),
  made(
    [
      ['beginPasskeyRegistration', { challenge: id, options: toCreate }],
      ['registerByPasskey', signedIn],
    ],
    ({ account }) => account.registerByPasskey({ username: 'ann', displayName: 'Ann', deviceName: 'd' }),
    user,
  ),
  made([['signIn', signedIn]], ({ account }) => account.signIn({ username: 'ann', password: 'p', deviceName: 'd' }), {
    user,
  }),
  made([['signIn', needed]], ({ account }) => account.signIn({ username: 'ann', password: 'p' }), needed),
  made([['signInByCode', signedIn]], ({ account }) => account.signInByCode(shown), { user }),
  made(
    [
      ['beginPasskeySignIn', { challenge: id, options: toUse }],
      ['signInByPasskey', signedIn],
    ],
    ({ account }) => account.signInByPasskey({ deviceName: 'd' }),
    { user },
  ),
  plain('listProviders', ({ account }) => account.listProviders(), { providers: [{ name: 'x', title: 'X' }] }),
  plain('beginVisit', ({ account }) => account.beginVisit({ provider: 'x', returnTo: 'https://x' }), visit),
  made([['signInByVisit', signedIn]], ({ account }) => account.signInByVisit({ ...shownVisit, invitation: 'i' }), {
    user,
  }),
  made(
    [['resetPassword', needed]],
    ({ account }) => account.resetPassword({ ...shown, password: 'a new phrase' }),
    needed,
  ),
  plain('askFactorCode', ({ account }) => account.askFactorCode(id), asked),
  ...(['totp', 'recovery_code', 'email_code'] as const).map(factor =>
    made(
      [['finishSignIn', signedIn]],
      ({ account }) => account.finish({ challenge: id, factor, code: '123456', deviceName: 'd' }),
      user,
    ),
  ),
  made(
    [['finishSignIn', signedIn]],
    ({ account }) => account.finish({ challenge: id, factor: 'password', password: 'p' }),
    user,
  ),
  made(
    [
      ['askFactorPasskey', { options: toUse }],
      ['finishSignIn', signedIn],
    ],
    ({ account }) => account.finish({ challenge: id, factor: 'passkey' }),
    user,
  ),
  // signed in
  made([['prove', done]], ({ account }) => account.prove({ factor: 'password', password: 'p' }), done),
  made([['prove', done]], ({ account }) => account.prove({ factor: 'totp', code: '123456' }), done),
  made([['prove', done]], ({ account }) => account.prove({ factor: 'email_code', ...shown }), done),
  made(
    [
      ['askProofPasskey', { challenge: id, options: toUse }],
      ['prove', done],
    ],
    ({ account }) => account.prove({ factor: 'passkey' }),
    done,
  ),
  plain('askProofCode', ({ account }) => account.askProofCode(), asked),
  made([['proveByVisit', done]], ({ account }) => account.proveByVisit(shownVisit), done),
  made([['signOut', done]], ({ account }) => account.signOut(), done),
]

// ---- the API, as its paper describes it -----------------------------------------------------------------------------

interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Parameters<Fetch>[1]['body']
}

let questions: Asked[]
let answers: unknown[]

const fakeFetch: Fetch = async (url, { method, headers, body }) => {
  questions.push({ method, url: new URL(url), headers, body })
  const answer = answers.shift()
  return {
    ok: true,
    status: 200,
    headers: { get: () => null },
    text: async () => (answer === undefined ? '' : JSON.stringify(answer)),
    blob: async () => answer as Blob,
  }
}
const session: StoredSession = { ...signedIn, accessTokenExpiresAt: Number.POSITIVE_INFINITY }
const sessions = { load: async () => session, save: async () => {} }
const call = createCall({
  api: 'https://api',
  fetch: fakeFetch,
  clock: systemClock,
  timeoutMs: 1_000,
  fileTimeoutMs: 1,
})
const sdk: Sdk = {
  rest: createRest(call, async () => 'a'),
  account: createSignIn('https://api', { fetch: fakeFetch, sessions, passkeys }),
}

beforeEach(() => {
  questions = []
  answers = []
})

/** A schema with what it refers to in its place. */
function whole(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(whole)
  if (typeof schema !== 'object' || schema === null) return schema
  const { $ref: reference } = schema as { $ref?: string }
  if (reference !== undefined) return whole(document.components.schemas[reference.split('/').at(-1) ?? ''] ?? false)
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value)]))
}

const fits = (schema: Json, value: unknown) => Compile(whole(schema) as object).Check(value)
const jsonSchema = (content: Content) => content.content?.['application/json']?.schema

function expectAnswered(operation: Operation, answer: unknown): void {
  const good = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  const fitting = good.filter(([, response]) => {
    if (response.content === undefined) return answer === undefined
    const schema = jsonSchema(response)
    return schema === undefined ? answer instanceof Blob : fits(schema, answer)
  })
  expect(fitting, `${operation.operationId} answers ${JSON.stringify(answer)}`).not.toEqual([])
}

function expectAsked(operation: Operation & { path: string; method: string }, { method, url, headers, body }: Asked) {
  expect(method).toBe(operation.method)
  const path = new RegExp(`^${operation.path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
  expect(url.pathname).toMatch(path)
  expect(headers['authorization']).toBe(operation.security.length === 0 ? undefined : 'Bearer a')

  const query = (operation.parameters ?? []).filter(parameter => parameter.in === 'query')
  for (const [name, value] of url.searchParams) {
    const schema = query.find(parameter => parameter.name === name)?.schema
    expect(schema, `${name} is a parameter`).toBeDefined()
    expect(
      [value, Number(value)].some(one => fits(schema ?? false, one)),
      `${name}=${value}`,
    ).toBe(true)
  }
  for (const { name, required } of query) if (required) expect(url.searchParams.has(name), name).toBe(true)

  const { requestBody } = operation
  if (requestBody === undefined) return expect(body).toBeUndefined()
  const schema = jsonSchema(requestBody)
  if (schema === undefined) return expect(Object.keys(requestBody.content ?? {})).toContain(headers['content-type'])
  expect(headers['content-type']).toBe('application/json')
  const json = JSON.parse(body as string) as unknown
  expect(fits(schema, json), `${operation.operationId} takes ${JSON.stringify(json)}`).toBe(true)
}

const nameOf = ({ steps }: Case) => steps.map(([id]) => id).join(', ')

test.each(cases.map(one => [nameOf(one), one] as const))('asks and answers as the API does: %s', async (_name, one) => {
  answers = one.steps.map(([, answer]) => answer)
  const brought = await one.call(sdk)
  expect(brought).toEqual(one.brings)
  expect(questions).toHaveLength(one.steps.length)
  for (const [number, [id, answer]] of one.steps.entries()) {
    const [operation, question] = [operations.get(id), questions[number]]
    if (operation === undefined || question === undefined) throw new Error(`the API has no operation ${id}`)
    expectAsked(operation, question)
    expectAnswered(operation, answer)
  }
})

test('every operation of the API has a method, or a reason to have none', () => {
  const covered = new Set(cases.flatMap(one => one.steps.map(([id]) => id)))
  const all = [...operations.keys()]
  expect(all.filter(id => !covered.has(id) && without[id] === undefined)).toEqual([])
  expect(Object.keys(without).filter(id => covered.has(id) || !all.includes(id))).toEqual([])
})

test('a picture lies where the API shows it', () => {
  const { path = '', parameters = [] } = operations.get('avatar') ?? {}
  const size = parameters.find(parameter => parameter.name === 'size')?.schema ?? false
  for (const one of [64, 256, 640] as const) {
    expect(avatarUrl('https://api/', id, one)).toBe(
      `https://api${path.replace('{id}', id).replace('{size}', String(one))}`,
    )
    expect(fits(size, String(one))).toBe(true)
  }
  expect(avatarUrl('https://api', null, 64)).toBeUndefined()
})

test('a picture for a store elsewhere goes there as a form, without the token, and is taken then', async () => {
  const fields = { key: 'k', policy: 'p' }
  answers = [{ ...place, url: 'https://store.example/bucket', method: 'POST', fields }, done, user]
  expect(await sdk.rest.profile.uploadAvatar(new Uint8Array([1, 2, 3]))).toEqual(user)
  const [, sent, taken] = questions
  expect(sent).toMatchObject({ method: 'POST', headers: {} })
  expect(sent?.headers).toEqual({})
  expect(sent?.url.href).toBe('https://store.example/bucket')
  const form = sent?.body as FormData
  expect([...form.keys()]).toEqual(['key', 'policy', 'file'])
  expect(await (form.get('file') as File).bytes()).toEqual(new Uint8Array([1, 2, 3]))
  expect(taken?.body).toBe(JSON.stringify({ upload: id }))
})

test('a picture that is too large is not even sent', async () => {
  const large = new Uint8Array(5_242_881)
  for (const send of [sdk.rest.profile.setAvatar, sdk.rest.profile.uploadAvatar])
    await expect(send(large)).rejects.toMatchObject({ code: 'image_invalid', rule: 'at most 5242880 bytes' })
  expect(questions).toEqual([])
})
