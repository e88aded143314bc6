import { textOf } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { conversations, drafts, links, lifecycle, messages, reminders, scheduled } from '@flotilla/chat'
import { testDatabase } from '@flotilla/testing'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { unzip } from '../archive.testbed.ts'
import { createFixture, type Fixture, openChat, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat })
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

const download = ({ token }: Person, by = api) =>
  by.app.inject({ method: 'GET', url: '/v1/me/export', headers: { authorization: `Bearer ${token}` } })
const say = (by: Person, conversation: string, text: string) =>
  messages.post(store.chat, by.id, { conversation, clientId: randomUUID(), body: { text } })

async function exported(person: Person): Promise<Map<string, string>> {
  const files = await unzip((await download(person)).rawPayload)
  return new Map([...files].map(([path, bytes]) => [path, bytes.toString()]))
}

test('the archive holds all of one’s data, and nothing that opens an account', async () => {
  const [alice, bob, carol] = [await api.register('alice'), await api.register('bob'), await api.register('carol')]
  const { pool } = store.chat
  const avatar = randomUUID()
  const secrets = ['push-token', 'recovery-hash', 'totp-secret', 'code-mac', 'public-key-bytes', 'device-web-keys']
  await pool.query(`UPDATE users SET about = 'About alice', avatar = $2, email = 'alice@example.org' WHERE id = $1`, [
    alice.id,
    avatar,
  ])
  await pool.query(
    `WITH device AS (
       INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, web_keys, token_hash)
       VALUES (gen_random_uuid(), $1, $2, 'My phone', 'android', 'fcm', 'push-token', '{"auth": "device-web-keys"}', 'hash')
     ), identity AS (
       INSERT INTO identities (issuer, subject, user_id, provider) VALUES ('https://idp.example', 'subject', $1, 'idp')
     ), passkey AS (
       INSERT INTO passkeys (id, user_id, name, public_key, counter, synced)
       VALUES ('credential', $1, 'Blue key', 'public-key-bytes', 0, true)
     ), totp AS (
       INSERT INTO totp_factors (user_id, key_id, secret) VALUES ($1, 1, 'totp-secret')
     ), recovery AS (
       INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, 'recovery-hash')
     ), code AS (
       INSERT INTO codes (id, purpose, email, user_id, code_mac, tries_left, resend_at, expires_at)
       VALUES (gen_random_uuid(), 'sign-in', 'a@example.org', $1, 'code-mac', 5, now(), now() + interval '1 hour')
     ), contact AS (
       INSERT INTO contacts (user_id, contact_id) VALUES ($1, $3), ($3, $1)
     ), request AS (
       INSERT INTO contact_requests (id, from_id, to_id, note) VALUES (gen_random_uuid(), $4, $1, 'Hello alice')
     ), report AS (
       INSERT INTO reports (id, reporter_id, user_id, reason, comment) VALUES (gen_random_uuid(), $1, $4, 'spam', 'My report')
     ), notification AS (
       INSERT INTO notifications (id, user_id, kind, dedup) VALUES (gen_random_uuid(), $1, 'mention', 'x')
     )
     SELECT 1`,
    [alice.id, alice.session, bob.id, carol.id],
  )
  for (const size of [64, 256, 640])
    await api.deps.storage.put(`avatars/${avatar}-${size}.webp`, Buffer.from(`picture ${size}`), {
      contentType: 'image/webp',
    })
  const { conversation: direct } = await conversations.createDirect(store.chat, alice.id, bob.id)
  const { id: group } = await conversations.createGroup(store.chat, bob.id, { name: 'Later', members: [] })
  await say(bob, group, 'before alice')
  await conversations.addMembers(store.chat, bob.id, { conversation: group, users: [alice.id] })
  const { id: asked } = await conversations.createGroup(store.chat, bob.id, { name: 'Asked', members: [] })
  await store.chat.pool.query(
    'INSERT INTO conversation_requests (id, conversation_id, user_id, from_id, state) VALUES ($1, $1, $2, $3, 1)',
    [asked, alice.id, bob.id],
  )
  const { id: left } = await conversations.createGroup(store.chat, bob.id, { name: 'Left', members: [alice.id] })
  await say(bob, left, 'what alice has left')
  await conversations.leave(store.chat, alice.id, { conversation: left })
  const { id: foreign } = await conversations.createGroup(store.chat, bob.id, { name: 'Foreign', members: [carol.id] })
  await say(bob, foreign, 'not for alice')
  await say(bob, direct.id, 'Hello, alice ✓')
  await say(alice, direct.id, 'Hello, bob')
  await say(bob, group, 'to all')
  const at = Date.now() + 86_400_000
  const later = { conversation: direct.id, clientId: randomUUID(), body: { text: 'Said later' }, at }
  await scheduled.schedule(store.chat, alice.id, later)
  await reminders.set(store.chat, alice.id, { conversation: direct.id, seq: 2, at })
  const draft = { conversation: direct.id, at: Date.now() - 1_000, content: { text: 'What alice began' } }
  await drafts.put(store.chat, alice.id, draft)
  await conversations.changeSettings(store.chat, alice.id, { conversation: direct.id, notify: 'nothing' })
  const [greeting] = (await messages.history(store.chat, alice.id, { conversation: direct.id })).entries.slice(1)
  const about = { conversation: direct.id, seq: greeting!.seq }
  await messages.star(store.chat, alice.id, about)
  const reaction = { conversation: direct.id, target: about.seq, clientId: randomUUID(), emoji: '👍', on: true }
  await messages.react(store.chat, alice.id, reaction)
  await pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [alice.id, carol.id])
  await pool.query('INSERT INTO join_requests (conversation_id, user_id) VALUES ($1, $2)', [foreign, alice.id])
  await conversations.ban(store.chat, bob.id, { conversation: left, user: alice.id })
  const own = await conversations.createGroup(store.chat, alice.id, { name: 'Own', members: [] })
  const { token } = await links.make(store.chat, alice.id, { conversation: own.id })
  const secret = { type: 'poll', question: 'Lunch?', options: ['a', 'b'], anonymous: true, fallback: 'Lunch?' } as const
  const { seq: poll } = await messages.post(store.chat, bob.id, {
    conversation: direct.id,
    clientId: randomUUID(),
    body: { ...secret, options: ['a', 'b'] },
  })
  const vote = (by: string, option: number) =>
    messages.vote(store.chat, by, { conversation: direct.id, target: poll, clientId: randomUUID(), options: [option] })
  await Promise.all([vote(alice.id, 0), vote(bob.id, 1)])
  await messages.followThread(store.chat, alice.id, { conversation: direct.id, thread: poll })

  const answer = await download(alice)
  expect(answer.headers).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="flotilla-export.zip"',
    'cache-control': 'no-store',
  })
  const files = new Map([...(await unzip(answer.rawPayload))].map(([path, bytes]) => [path, bytes.toString()]))
  expect([...files.keys()].sort()).toEqual(
    [
      'account.json',
      'avatar.webp',
      'blocks.json',
      'contact-requests.json',
      'contacts.json',
      'conversation-requests.json',
      'conversations.json',
      'devices.json',
      'group-bans.json',
      'drafts.json',
      'hidden-messages.json',
      'identities.json',
      'invitations.json',
      'invite-links.json',
      'join-requests.json',
      `messages/${direct.id}.jsonl`,
      `messages/${group}.jsonl`,
      `messages/${own.id}.jsonl`,
      'notifications.json',
      'passkeys.json',
      'reminders.json',
      'reports.json',
      'scheduled-messages.json',
      'security-events.json',
      'sessions.json',
      'settings.json',
      'stars.json',
      'versions.jsonl',
      'threads.json',
      'votes.json',
    ].sort(),
  )
  const json = (path: string) => JSON.parse(files.get(path) ?? '')
  const bobPerson = { id: bob.id, username: 'bob', displayName: 'bob' }
  expect(json('join-requests.json')).toMatchObject([{ conversation: foreign, name: 'Foreign' }])
  expect(json('group-bans.json')).toMatchObject([{ conversation: left, name: 'Left' }])
  expect(json('invite-links.json')).toMatchObject([{ conversation: own.id, usedCount: 0 }])
  expect(files.get('invite-links.json')).not.toContain(token)
  expect(json('account.json')).toMatchObject({ id: alice.id, about: 'About alice', email: 'alice@example.org' })
  expect(json('settings.json')).toMatchObject({ lastSeenVisibility: 'everyone', pushNames: true })
  expect(json('sessions.json')).toMatchObject([{ id: alice.session, signInMethod: 'registration', endedAt: null }])
  expect(json('devices.json')).toMatchObject([{ name: 'My phone', platform: 'android' }])
  expect(json('identities.json')).toMatchObject([{ provider: 'idp', subject: 'subject' }])
  expect(json('passkeys.json')).toMatchObject([{ name: 'Blue key' }])
  expect(json('drafts.json')).toEqual([draft])
  expect(json('contacts.json')).toMatchObject([{ user: bobPerson }])
  expect(json('conversation-requests.json')).toMatchObject([{ name: 'Asked', from: { username: 'bob' } }])
  expect(json('contact-requests.json')).toMatchObject([{ from: { username: 'carol' }, note: 'Hello alice' }])
  expect(json('blocks.json')).toMatchObject([{ user: { username: 'carol' } }])
  expect(json('reports.json')).toMatchObject([{ comment: 'My report' }])
  expect(json('notifications.json').length).toBeGreaterThan(0)
  expect(json('scheduled-messages.json')).toMatchObject([{ body: { text: 'Said later' }, state: 'waiting' }])
  expect(json('reminders.json')).toMatchObject([{ conversation: direct.id, seq: 2 }])
  expect(json('threads.json')).toEqual([{ conversation: direct.id, thread: poll, following: true, readSeq: poll }])
  // Nothing of how others voted.
  expect(json('votes.json')).toEqual([{ conversation: direct.id, poll, options: [0] }])
  expect(json('security-events.json').map((event: { kind: string }) => event.kind)).toEqual([
    'registered',
    'data_exported',
  ])
  expect(json('stars.json')).toMatchObject([about])
  expect(files.get(`messages/${direct.id}.jsonl`)).toContain('"own":{"version":1,"emojis":["👍"]}')
  const listed = json('conversations.json') as { id: string; kind: string; members: object[] }[]
  expect(listed.map(one => one.id).sort()).toEqual([direct.id, group, own.id].sort())
  expect(listed.find(one => one.id === direct.id)).toMatchObject({ kind: 'direct', role: 'member' })
  expect(listed.find(one => one.id === direct.id)?.members).toContainEqual(bobPerson)
  expect(files.get('avatar.webp')).toBe('picture 640')

  const texts = (conversation: string) =>
    (files.get(`messages/${conversation}.jsonl`) ?? '')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
      .flatMap(entry => (entry.event === 'message.new' ? [[entry.by, textOf(entry.body)]] : []))
  expect(texts(direct.id)).toEqual([
    [bob.id, 'Hello, alice ✓'],
    [alice.id, 'Hello, bob'],
    [bob.id, 'Lunch?'],
  ])
  expect(texts(group)).toEqual([[bob.id, 'to all']])
  const everything = [...files.values()].join('\n')
  const hash = await pool.query<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [alice.id])
  for (const secret of [...secrets, hash.rows[0]!.password_hash]) {
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain(Buffer.from(secret).toString('hex'))
  }
})

test('more than a page of anything is whole and in order', async () => {
  const [dora, emil] = [await api.register('dora'), await api.register('emil')]
  const { conversation } = await conversations.createDirect(store.chat, dora.id, emil.id)
  await Promise.all(Array.from({ length: 450 }, (_, nth) => say(dora, conversation.id, `message ${nth}`)))
  await store.chat.pool.query(
    `INSERT INTO security_events (user_id, kind, detail)
     SELECT $1, 'signed_in', jsonb_build_object('n', n::text) FROM generate_series(1, 400) n`,
    [dora.id],
  )
  await store.chat.pool.query(`INSERT INTO contacts (user_id, contact_id) SELECT $1, id FROM users WHERE id <> $1`, [
    dora.id,
  ])
  const files = await exported(dora)
  const entries = files.get(`messages/${conversation.id}.jsonl`)!.trimEnd().split('\n')
  expect(entries.map(line => JSON.parse(line).seq)).toEqual(Array.from({ length: 451 }, (_, at) => at + 1))
  const turns = JSON.parse(files.get('security-events.json')!)
    .map((event: { detail: { n?: string } }) => event.detail.n)
    .filter(Boolean)
  expect(turns).toEqual(Array.from({ length: 400 }, (_, at) => String(at + 1)))
})

test('who leaves a conversation while the archive is written gets no more of it', async () => {
  const [finn, gina] = [await api.register('finn'), await api.register('gina')]
  const { id } = await conversations.createGroup(store.chat, gina.id, { name: 'Group', members: [finn.id] })
  await Promise.all(Array.from({ length: 300 }, (_, nth) => say(gina, id, `message ${nth}`)))
  let lines = 0
  for await (const part of lifecycle.exportOf(store.chat, finn.id)) {
    if (!('text' in part) || part.path !== `messages/${id}.jsonl`) continue
    for await (const text of part.text) {
      lines += text.split('\n').length - 1
      await conversations.leave(store.chat, finn.id, { conversation: id }).catch(() => {})
    }
  }
  expect(lines).toBe(200)
})

test('two a day, and each is noted and told', async () => {
  const hugo = await api.register('hugo')
  for (let turn = 0; turn < 2; turn++) expect((await download(hugo)).statusCode).toBe(200)
  const refused = await api.call('GET /v1/me/export', { token: hugo.token })
  expect(refused.body.error).toMatchObject({ code: 'rate_limited', retryMs: expect.any(Number) })
  const { body } = await api.call('GET /v1/me/security-events', { token: hugo.token })
  expect(body.events.map((event: { kind: string }) => event.kind)).toEqual([
    'data_exported',
    'data_exported',
    'registered',
  ])
  const ines = await api.register('ines')
  expect((await download(ines)).statusCode).toBe(200)
})

test('a client that goes away in the middle leaves nothing running', async () => {
  const here = createFixture({ chat: store.chat, keys: api.deps.keys, storage: api.deps.storage })
  const jana = await here.register('jana')
  const kurt = await here.register('kurt')
  const { conversation } = await conversations.createDirect(store.chat, jana.id, kurt.id)
  for (let round = 0; round < 15; round++)
    await Promise.all(Array.from({ length: 200 }, () => say(jana, conversation.id, 'hello')))
  await here.app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => here.app.close())
  const { port } = here.app.server.address() as AddressInfo

  // The third page is held until the server has seen the client go: how much the buffers on
  // the way would take differs from machine to machine.
  const gone = Promise.withResolvers<void>()
  here.app.server.on('connection', socket => socket.once('close', () => gone.resolve()))
  let pages = 0
  const { pool } = store.chat
  const query = pool.query.bind(pool)
  pool.query = (async (...args: Parameters<typeof query>) => {
    if ((args[0] as unknown as { name?: string }).name === 'history-after' && ++pages === 3) {
      going.destroy()
      await gone.promise
    }
    return query(...args)
  }) as typeof pool.query
  onTestFinished(() => void (pool.query = query))

  const headers = { authorization: `Bearer ${jana.token}` }
  const going = httpRequest({ host: '127.0.0.1', port, path: '/v1/me/export', headers })
  const closed = new Promise(resolve => going.once('close', resolve))
  going.on('response', response => response.on('error', () => {}).resume())
  going.on('error', () => {})
  going.end()
  await closed
  const underWay = () => here.registry.getSingleMetricAsString('flotilla_api_requests_in_flight')
  await expect.poll(underWay).toMatch(/in_flight\S* 0$/m)
  await sleep(300)
  expect(pages).toBe(3)
  const { body } = await here.call('GET /v1/me', { token: jana.token })
  expect(body.id).toBe(jana.id)
})
