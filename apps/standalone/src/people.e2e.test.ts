/** People, from registering to signing out, as an application meets them: through the SDK alone, against all of it. */
import { createHmac, randomBytes } from 'node:crypto'
import { silentLogger } from '@flotilla/service'
import { dropFolder, makeFolder, until, watchAwake } from '@flotilla/testing'
import {
  avatarUrl,
  type Client,
  type ClientEvents,
  createClient,
  createSignIn,
  FlotillaError,
  mutedForEver,
  type SessionStore,
  type SignIn,
  type StoredSession,
  type User,
  textOf,
} from '@flotilla/sdk'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Standalone, startStandalone } from './standalone.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const undo: (() => Promise<unknown>)[] = []
let folder: string
let standalone: Standalone

beforeAll(async () => {
  folder = makeFolder('people')
  standalone = await startStandalone({
    folder,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
    bounds: { directFrom: 'anyone' },
    eventLoopDelayMsMax: 60_000,
  })
})
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})
afterAll(async () => {
  await standalone?.stop()
  dropFolder(folder)
})

type Told = { [N in keyof ClientEvents]: [name: N, event: ClientEvents[N]] }[keyof ClientEvents]
const listened = ['contact', 'notification', 'block', 'user', 'muted', 'refresh', 'message', 'stopped'] as const

/** One device of a person: a sign-in, a running client, and what it was told. */
interface Device {
  readonly account: SignIn
  readonly client: Client
  readonly told: Told[]
  readonly me: User
}

/** Names that no other test of this file has. */
const nameOf = (person: string) => `${person}_${randomBytes(4).toString('hex')}`
const password = 'a password of some length'
const signInOf = (sessions?: SessionStore) => createSignIn(standalone.url, sessions === undefined ? {} : { sessions })

async function deviceOf(account: SignIn, me: User): Promise<Device> {
  const client = createClient({ api: standalone.url, getToken: account.getToken })
  undo.push(() => client.stop())
  const told: Told[] = []
  for (const name of listened) client.on(name, event => void told.push([name, event] as Told))
  const device = { account, client, told, me }
  await client.start()
  await heard(device, 'refresh')
  return device
}

async function newDevice(person: string): Promise<Device> {
  const account = signInOf()
  return deviceOf(account, await account.register({ username: nameOf(person), password, deviceName: 'first' }))
}

/** The first event of this name that the device was told and that fits; it is told once. */
function heard<N extends keyof ClientEvents>(
  { told, me }: Device,
  name: N,
  fits: (event: ClientEvents[N]) => boolean = () => true,
): Promise<ClientEvents[N]> {
  const find = () => {
    const at = told.findIndex(([one, event]) => one === name && fits(event as ClientEvents[N]))
    return at < 0 ? undefined : { event: told.splice(at, 1)[0]?.[1] as ClientEvents[N] }
  }
  const what = `${me.username} hears ${name}`
  return until(() => find(), { what, withinMs: 10_000 }).then(({ event }) => event)
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof FlotillaError ? thrown.code : String(thrown)),
  )

async function befriend(one: Device, other: Device): Promise<void> {
  const { request } = await one.client.rest.contacts.request({ user: other.me.id })
  await other.client.rest.contacts.accept(request?.id ?? '')
  await heard(one, 'contact', change => change.event === 'contact.accepted')
}

test('a contact request is heard live, accepted live, and noticed by both', async () => {
  const [alice, bob] = [await newDevice('alice'), await newDevice('bob')]
  const found = await alice.client.rest.people.search(bob.me.username)
  expect(found.users[0]).toEqual(bob.me)

  const note = 'We met at the harbour'
  const { request } = await alice.client.rest.contacts.request({ username: bob.me.username, note })
  expect(request).toMatchObject({ from: { id: alice.me.id }, to: { id: bob.me.id }, note })
  expect(await heard(bob, 'contact')).toEqual({ event: 'contact.requested', request })
  expect(await heard(bob, 'notification')).toMatchObject({
    event: 'notification.new',
    notification: { kind: 'contact_request', actor: { id: alice.me.id } },
    unread: 1,
  })
  const received = await bob.client.rest.contacts.requests({ direction: 'received' })
  expect(received.requests).toEqual([request])

  const contact = await bob.client.rest.contacts.accept(request?.id ?? '')
  expect(contact.user.id).toBe(alice.me.id)
  await heard(alice, 'contact', change => change.event === 'contact.accepted' && change.user.id === bob.me.id)
  await heard(
    alice,
    'notification',
    change => change.event === 'notification.new' && change.notification.kind === 'contact_accepted',
  )
  expect((await alice.client.rest.contacts.list()).contacts.map(({ user }) => user.id)).toEqual([bob.me.id])
  expect(await alice.client.rest.user(bob.me.id)).toMatchObject({ contact: true, blocked: false })

  // What Bob was told went with the request.
  await heard(bob, 'notification', change => change.event === 'notification.read' && change.unread === 0)
  expect(await bob.client.rest.notifications.count()).toEqual({ unread: 0 })
  const { notifications } = await alice.client.rest.notifications.list({ unread: true })
  expect(notifications.map(({ kind }) => kind)).toEqual(['contact_accepted'])
  expect(await alice.client.rest.notifications.markRead(notifications[0]?.id ?? '')).toEqual({ unread: 0 })
  await heard(alice, 'notification', change => change.event === 'notification.read' && change.unread === 0)
  expect(await alice.client.rest.notifications.count()).toEqual({ unread: 0 })
})

/** A red point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
)

test('a new name and a new picture are seen by whoever knows the person', async () => {
  const [alice, bob] = [await newDevice('alice'), await newDevice('bob')]
  await befriend(alice, bob)
  const changed = await bob.client.rest.profile.change({ displayName: 'Bob the Sailor', about: 'At sea' })
  expect(changed).toMatchObject({ displayName: 'Bob the Sailor', about: 'At sea', hasPassword: true })
  await heard(alice, 'user', user => user.id === bob.me.id && user.displayName === 'Bob the Sailor')

  const picture = new Uint8Array(png)
  for (const set of [bob.client.rest.profile.setAvatar, bob.client.rest.profile.uploadAvatar]) {
    const { avatar } = await set(picture)
    await heard(alice, 'user', user => user.id === bob.me.id && user.avatar === avatar)
    const shown = await fetch(avatarUrl(standalone.url, avatar, 256) ?? '')
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/webp'])
  }
  await bob.client.rest.profile.removeAvatar()
  await heard(alice, 'user', user => user.id === bob.me.id && user.avatar === null)
})

test('a mention is noticed; what is muted is told to one’s own devices', async () => {
  const [alice, bob] = [await newDevice('alice'), await newDevice('bob')]
  const talk = await alice.client.rest.createDirect(bob.me.id)
  const body = { text: 'Ahoy, you', mentions: [bob.me.id] }
  const { seq } = await alice.client.send({ conversation: talk.id, body }).acknowledged
  expect((await heard(bob, 'message')).body).toEqual(body)
  expect(await heard(bob, 'notification')).toMatchObject({
    notification: { kind: 'mention', actor: { id: alice.me.id }, conversation: talk.id, seq },
  })
  bob.client.markRead(talk.id, seq)
  await heard(bob, 'notification', change => change.event === 'notification.read' && change.unread === 0)

  await bob.client.rest.mute(talk.id, mutedForEver)
  expect(await heard(bob, 'muted')).toEqual({ conversation: talk.id, until: mutedForEver })
  expect((await bob.client.rest.conversation(talk.id)).mutedUntil).toBe(mutedForEver)
})

test('a block ends the contact, closes the conversation both ways, and is told to its maker alone', async () => {
  const [alice, bob] = [await newDevice('alice'), await newDevice('bob')]
  await befriend(alice, bob)
  const talk = await alice.client.rest.createDirect(bob.me.id)
  await alice.client.rest.blocks.block(bob.me.id)
  expect(await heard(alice, 'block')).toEqual({ user: bob.me.id, blocked: true })
  await heard(bob, 'contact', change => change.event === 'contact.removed' && change.user === alice.me.id)

  for (const { client } of [alice, bob]) {
    const send = client.send({ conversation: talk.id, body: { text: 'Hello?' } })
    expect(await codeOf(send.acknowledged)).toBe('blocked')
  }
  const found = await bob.client.rest.people.search(alice.me.username)
  expect(found.users.map(({ id }) => id)).not.toContain(alice.me.id)
  expect((await alice.client.rest.blocks.list()).blocks.map(({ user }) => user.id)).toEqual([bob.me.id])
  expect(bob.told.map(([name]) => name)).not.toContain('block')
  const report = { user: bob.me.id, reason: 'harassment' } as const
  expect(await alice.client.rest.reports.file(report)).toEqual(await alice.client.rest.reports.file(report))

  await alice.client.rest.blocks.unblock(bob.me.id)
  await alice.client.send({ conversation: talk.id, body: { text: 'Peace' } }).acknowledged
  await heard(bob, 'message', ({ body }) => textOf(body) === 'Peace')
})

test('a sign-in that is revoked from another device is over within two seconds', async () => {
  const alice = await newDevice('alice')
  const account = signInOf()
  const { user } = await account.signIn({ username: alice.me.username, password, deviceName: 'second' })
  const second = await deviceOf(account, user ?? alice.me)
  const { sessions } = await alice.client.rest.sessions.list()
  expect(sessions.map(({ deviceName, current }) => [deviceName, current])).toEqual([
    ['first', true],
    ['second', false],
  ])
  const sinceRevoked = watchAwake()
  await alice.client.rest.sessions.revoke(sessions[1]?.id ?? '')
  expect(await heard(second, 'stopped')).toEqual({ reason: 'session_ended', advice: 'sign_in' })
  expect(sinceRevoked.ms()).toBeLessThan(2_000)
  sinceRevoked.stop()
  expect(await codeOf(account.getToken({ expired: true }))).toBe('refresh_token_invalid')
  expect(alice.client.state.name).toBe('live')
  const { events } = await alice.client.rest.account.listSecurityEvents()
  expect(events.map(({ kind }) => kind)).toContain('session_revoked')
})

test('two tabs with one session refresh at once, and both stay signed in', async () => {
  let stored: StoredSession | undefined
  const sessions: SessionStore = { load: async () => stored, save: async session => void (stored = session) }
  const [one, other] = [signInOf(sessions), signInOf(sessions)]
  await one.register({ username: nameOf('tabs'), password })
  for (let round = 0; round < 3; round++) await Promise.all([one, other].map(tab => tab.getToken({ expired: true })))
  expect(await codeOf(createClient({ api: standalone.url, getToken: other.getToken }).rest.me())).toBeUndefined()
})

/** RFC 6238, as an authenticator app has it. @param ahead steps of 30 s */
function totp(secret: string, ahead = 0): string {
  const bits = Array.from(secret, letter =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  )
  const bytes = (bits.join('').match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead))
  const mac = createHmac('sha1', Buffer.from(bytes)).update(counter).digest()
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

test('an authenticator app is asked for at the next sign-in, and a recovery code stands in for it once', async () => {
  const { client, me } = await newDevice('alice')
  const { secret, uri } = await client.rest.factors.beginTotp()
  expect(uri).toContain(secret)
  // The code of the step before is good for as long as the present one lasts.
  await until(() => Date.now() % 30_000 < 15_000, { what: 'a step that lasts', withinMs: 20_000, everyMs: 100 })
  const { recoveryCodes } = await client.rest.factors.confirmTotp(totp(secret, -1))
  expect(await client.rest.factors.get()).toMatchObject({ totp: true, recoveryCodesLeft: recoveryCodes.length })

  const account = signInOf()
  const begin = async () => (await account.signIn({ username: me.username, password })).secondFactor
  const needed = await begin()
  expect(needed?.factors).toEqual(['totp', 'recovery_code'])
  const challenge = needed?.challenge ?? ''
  expect(await codeOf(account.finishSignIn({ challenge, factor: 'totp', code: '000000' }))).toBe(
    'second_factor_invalid',
  )
  expect(await account.user()).toBeUndefined()
  expect(await account.finishSignIn({ challenge, factor: 'totp', code: totp(secret) })).toEqual(me)
  expect(await codeOf(account.reauthenticate({ factor: 'password', password }))).toBe('field_invalid')
  await account.reauthenticate({ factor: 'totp', code: totp(secret, 1) })

  const code = recoveryCodes[0] ?? ''
  const finish = async () => {
    const { challenge: next = '' } = (await begin()) ?? {}
    return account.finishSignIn({ challenge: next, factor: 'recovery_code', code })
  }
  expect(await finish()).toEqual(me)
  expect(await codeOf(finish())).toBe('second_factor_invalid')
})

async function codeMailedTo(email: string): Promise<string> {
  const find = async () => {
    const inbox = standalone.devInboxUrl!.replace('/dev/mail', '/dev/mail.json')
    const mails = (await (await fetch(inbox)).json()) as { to: string; text: string }[]
    return mails.find(mail => mail.to === email)?.text.match(/\b\d{6}\b/)?.[0]
  }
  return until(find, { what: `a code for ${email}` })
}

test('an address is verified by a code, which registers; the account signs in by the address', async () => {
  const account = signInOf()
  const email = `${nameOf('carol')}@example.org`
  const { request } = await account.sendCode({ email, purpose: 'register' })
  expect(await codeOf(account.register({ email: { request, code: '000000' } }))).toBe('code_invalid')
  const me = await account.register({ email: { request, code: await codeMailedTo(email) }, password })
  const { client } = await deviceOf(account, me)
  expect(await client.rest.me()).toMatchObject({ id: me.id, email, hasPassword: true })
  const { user } = await signInOf().signIn({ username: email, password })
  expect(user).toEqual(me)
})

test('a device is registered for pushes, settings and data are one’s own, and the account can go', async () => {
  const { client, me } = await newDevice('dora')
  const { rest } = client
  const device = await rest.devices.register({ name: 'Phone', platform: 'android', provider: 'fcm', token: 'token' })
  expect((await rest.devices.list()).devices).toEqual([device])
  await rest.devices.remove(device.id)
  expect((await rest.devices.list()).devices).toEqual([])

  const quietHours = { from: '22:00', until: '07:00', zone: 'Europe/Amsterdam' }
  expect(await rest.profile.changeSettings({ lastSeenVisibility: 'nobody', quietHours })).toMatchObject({
    lastSeenVisibility: 'nobody',
    quietHours,
  })
  const archive = await rest.account.exportData()
  expect(Buffer.from(await archive.slice(0, 2).arrayBuffer()).toString()).toBe('PK')

  const { deleteAfter } = await rest.account.requestDeletion()
  expect(deleteAfter).toBeGreaterThan(Date.now())
  expect((await rest.me()).deleteAfter).toBe(deleteAfter)
  await rest.account.cancelDeletion()
  expect(await rest.me()).not.toHaveProperty('deleteAfter')
  expect((await rest.account.changeUsername(nameOf('dorothea'))).id).toBe(me.id)
})
