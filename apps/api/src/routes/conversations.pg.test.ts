import { randomUUID } from 'node:crypto'
import { limits } from '@flotilla/protocol'
import { startFaultProxy, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, password, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let [alice, bob, carol, dave]: Person[] = []
/** Of alice (owner), bob (admin) and carol (member); dave is outside. */
let group: string
/** Of alice and bob. */
let direct: string

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat })
  call = api.call
  ;[alice, bob, carol, dave] = await Promise.all(['alice', 'bob', 'carol', 'dave'].map(api.register))
  group = (await openGroup(who('alice'), 'harbour', ['bob', 'carol'])).id
  await call(`PATCH /v1/conversations/${group}/members/${who('bob').id}`, {
    token: who('alice').token,
    body: { role: 'admin' },
  })
  direct = (
    await call('POST /v1/conversations', { token: who('alice').token, body: { kind: 'direct', user: who('bob').id } })
  ).body.id
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

function who(name: string): Person {
  const found = [alice, bob, carol, dave].find(person => person?.username === name)
  if (found === undefined) throw new Error(`nobody is called ${name}`)
  return found
}

async function openGroup(owner: Person, name: string, members: readonly string[]) {
  const body = { kind: 'group', name, members: members.map(member => who(member).id) }
  const answer = await call('POST /v1/conversations', { token: owner.token, body })
  expect(answer.status).toBe(201)
  return answer.body
}

const post = (by: string, conversation: string, text: string, more: object = {}) =>
  call(`POST /v1/conversations/${conversation}/messages`, {
    token: who(by).token,
    body: { clientId: randomUUID(), body: { text }, ...more },
  })

describe('people', () => {
  test('are found by name and by id', async () => {
    const { token } = who('alice')
    const { id } = who('bob')
    const expected = { status: 200, body: { id, username: 'bob', displayName: expect.any(String) } }
    expect(await call('GET /v1/users?username=BOB', { token })).toMatchObject(expected)
    expect(await call(`GET /v1/users/${id}`, { token })).toMatchObject(expected)
  })

  test.each([
    ['an unknown name', '/users?username=nobody', 404, 'user_unknown', 'username'],
    ['no name', '/users', 400, 'field_invalid', 'username'],
    ['two names', '/users?username=a&username=b', 400, 'field_invalid', 'username'],
    ['another question', '/users?username=bob&x=1', 400, 'field_invalid', 'x'],
    ['an unknown id', `/users/${randomUUID()}`, 404, 'user_unknown', undefined],
    ['an id that is none', '/users/bob', 400, 'field_invalid', 'id'],
  ])('%s is refused', async (_name, path, status, code, field) => {
    const answer = await call(`GET /v1${path}`, { token: who('alice').token })
    expect(answer.status).toBe(status)
    expect(answer.body.error.code).toBe(code)
    expect(answer.body.error.field).toBe(field)
  })
})

describe('a direct conversation', () => {
  test('is opened once for two people, whoever opens it', async () => {
    const open = (by: string, user: string) =>
      call('POST /v1/conversations', { token: who(by).token, body: { kind: 'direct', user: who(user).id } })
    const first = await open('carol', 'dave')
    expect(first.status).toBe(201)
    expect(first.body).toMatchObject({ kind: 'direct', memberCount: 2, head: 1, joinedSeq: 1 })
    expect(first.body.members.map((member: { user: { username: string } }) => member.user.username).sort()).toEqual([
      'carol',
      'dave',
    ])
    const second = await open('dave', 'carol')
    expect(second.status).toBe(200)
    expect(second.body.id).toBe(first.body.id)
  })

  test('has fixed members and no name', async () => {
    const { token } = who('alice')
    const answers = await Promise.all([
      call(`PATCH /v1/conversations/${direct}`, { token, body: { name: 'us' } }),
      call(`POST /v1/conversations/${direct}/members`, { token, body: { users: [who('carol').id] } }),
      call(`DELETE /v1/conversations/${direct}/members/${who('bob').id}`, { token }),
      call(`DELETE /v1/conversations/${direct}/members/${who('alice').id}`, { token }),
      call(`PATCH /v1/conversations/${direct}/members/${who('bob').id}`, { token, body: { role: 'admin' } }),
    ])
    for (const answer of answers) {
      expect(answer.body.error?.code).toBe('not_a_group')
      expect(answer.status).toBe(409)
    }
  })
})

describe('opening a conversation', () => {
  test.each([
    ['no kind', {}, 'kind', /one of direct, group/],
    ['another kind', { kind: 'channel' }, 'kind', /one of direct, group/],
    ['a direct one with nobody', { kind: 'direct' }, 'user', /required/],
    ['a direct one with a name', { kind: 'direct', user: randomUUID(), name: 'x' }, 'name', /not a known field/],
    ['a direct one with somebody who is no id', { kind: 'direct', user: 'bob' }, 'user', /pattern/],
    ['a group without a name', { kind: 'group', members: [] }, 'name', /required/],
    ['a group with an empty name', { kind: 'group', name: '', members: [] }, 'name', /minLength 1/],
    ['a group with a long name', { kind: 'group', name: 'x'.repeat(121), members: [] }, 'name', /maxLength 120/],
    ['a group without members', { kind: 'group', name: 'x' }, 'members', /required/],
    ['a group with a wrong member', { kind: 'group', name: 'x', members: [7] }, 'members.0', /type string/],
    [
      'a group with too many at once',
      { kind: 'group', name: 'x', members: Array.from({ length: limits.membersAtOnceMax + 1 }, () => randomUUID()) },
      'members',
      /maxItems 200/,
    ],
  ])('%s is refused', async (_name, body, field, rule) => {
    const answer = await call('POST /v1/conversations', { token: who('alice').token, body })
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field, rule: expect.stringMatching(rule) })
  })

  test.each([
    ['a direct one', { kind: 'direct', user: randomUUID() }],
    ['a group', { kind: 'group', name: 'x', members: [randomUUID()] }],
  ])('%s with somebody unknown is refused', async (_name, body) => {
    const answer = await call('POST /v1/conversations', { token: who('alice').token, body })
    expect(answer.status).toBe(404)
    expect(answer.body.error.code).toBe('user_unknown')
  })
})

describe('listing', () => {
  test('gives the latest first, page by page, with what is unread and the last message', async () => {
    const erin = await api.register('erin')
    const opened: string[] = []
    for (const name of ['one', 'two', 'three']) {
      const body = { kind: 'group', name, members: [who('alice').id] }
      opened.push((await call('POST /v1/conversations', { token: erin.token, body })).body.id)
    }
    await post('alice', opened[0] ?? '', 'latest')
    const listed: { id: string; unread: number; lastMessage?: { body: { text: string } } }[] = []
    let after = ''
    do {
      const { body } = await call(`GET /v1/conversations?limit=2${after}`, { token: erin.token })
      listed.push(...body.conversations)
      after = body.next === undefined ? '' : `&after=${encodeURIComponent(body.next)}`
    } while (after !== '')
    expect(listed.map(one => one.id)).toEqual([opened[0], opened[2], opened[1]])
    expect(listed[0]).toMatchObject({ unread: 1, lastMessage: { body: { text: 'latest' } } })
    expect(listed[1]?.lastMessage).toBeUndefined()
  })

  test.each([
    ['limit=0', 'limit', 'minimum 1'],
    ['limit=101', 'limit', 'maximum 100'],
    ['limit=x', 'limit', 'type integer'],
    ['limit=true', 'limit', 'type integer'],
    ['limit=', 'limit', 'type integer'],
    ['limit=1.5', 'limit', 'type integer'],
    ['limit=1&limit=2', 'limit', 'type integer'],
    ['after=', 'after', 'minLength 1'],
    ['page=2', 'page', 'not a known field'],
  ])('with ?%s is refused', async (query, field, rule) => {
    const answer = await call(`GET /v1/conversations?${query}`, { token: who('alice').token })
    expect(answer.status).toBe(400)
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field, rule })
  })

  test('with a cursor that is not ours is refused by its field', async () => {
    for (const after of ['nonsense', 'e30', '%27%20OR%201%3D1']) {
      const answer = await call(`GET /v1/conversations?after=${after}`, { token: who('alice').token })
      expect(answer.body.error).toMatchObject({ code: 'field_invalid', field: 'after' })
    }
  })
})

/** Every route under a conversation, called by somebody with a body that is good. */
const routes = (): [string, object | undefined][] => {
  const { id } = who('carol')
  return [
    ['GET ', undefined],
    ['PATCH ', { name: 'new' }],
    ['GET /members', undefined],
    ['POST /members', { users: [id] }],
    [`DELETE /members/${id}`, undefined],
    [`PATCH /members/${id}`, { role: 'admin' }],
    ['GET /messages', undefined],
    ['POST /messages', { clientId: randomUUID(), body: { text: 'x' } }],
    ['PUT /receipts', { read: 1 }],
  ]
}
const at = (route: string, conversation: string) => route.replace(' ', ` /v1/conversations/${conversation}`)

test('an unknown conversation is unknown on every route, and one that is no id is refused', async () => {
  const { token } = who('alice')
  for (const [route, body] of routes()) {
    const unknown = await call(at(route, randomUUID()), { token, body })
    expect([unknown.status, unknown.body.error.code], route).toEqual([404, 'conversation_unknown'])
    const wrong = await call(at(route, 'harbour'), { token, body })
    expect(wrong.body.error, route).toMatchObject({ code: 'field_invalid', field: 'id' })
  }
})

test('whoever is outside is kept out on every route', async () => {
  for (const [route, body] of routes()) {
    const answer = await call(at(route, group), { token: who('dave').token, body })
    expect([answer.status, answer.body.error.code], route).toEqual([403, 'not_a_member'])
  }
})

test('whoever is not signed in is told so on every route', async () => {
  for (const [route, body] of routes()) expect((await call(at(route, group), { body })).status, route).toBe(401)
})

test('every route with a body refuses one that is missing, wrong or has more', async () => {
  const { token } = who('alice')
  for (const [route, good] of routes()) {
    if (good === undefined) continue
    const refused = async (body: unknown) => {
      const answer = await call(at(route, group), { token, ...(body === undefined ? {} : { body }) })
      expect(answer.status, route).toBe(400)
      expect(answer.body.error, route).toMatchObject({ code: 'field_invalid', field: expect.any(String) })
      expect(answer.body.error.rule, route).toBeTruthy()
    }
    await refused(undefined)
    await refused([])
    await refused({})
    await refused({ ...good, more: 1 })
    for (const field of Object.keys(good)) await refused({ ...good, [field]: { wrong: true } })
  }
})

describe('a group', () => {
  test('is read by its members', async () => {
    const { body } = await call(`GET /v1/conversations/${group}`, { token: who('carol').token })
    expect(body).toMatchObject({ id: group, kind: 'group', role: 'member', memberCount: 3 })
    expect(body.members).toHaveLength(3)
  })

  test('is renamed by its owner and its admins', async () => {
    const rename = (by: string, name: string) =>
      call(`PATCH /v1/conversations/${group}`, { token: who(by).token, body: { name } })
    expect((await rename('bob', 'dock')).body.name).toBe('dock')
    expect((await rename('carol', 'mine')).body.error.code).toBe('role_insufficient')
    expect((await rename('alice', 'harbour')).body.name).toBe('harbour')
  })

  test('tells its members page by page', async () => {
    const { token } = who('carol')
    const first = (await call(`GET /v1/conversations/${group}/members?limit=2`, { token })).body
    expect(first.members).toHaveLength(2)
    const second = (await call(`GET /v1/conversations/${group}/members?limit=2&after=${first.next}`, { token })).body
    expect(second.next).toBeUndefined()
    const roles = [...first.members, ...second.members].map(member => [member.user.username, member.role])
    expect(Object.fromEntries(roles)).toEqual({ alice: 'owner', bob: 'admin', carol: 'member' })
    const wrong = await call(`GET /v1/conversations/${group}/members?after=carol`, { token })
    expect(wrong.body.error).toMatchObject({ code: 'field_invalid', field: 'after' })
  })

  test('takes people in and lets them go, each an entry of its log', async () => {
    const { id } = await openGroup(who('alice'), 'quay', ['bob'])
    const members = `/v1/conversations/${id}/members`
    const token = who('alice').token
    const dave = who('dave').id
    expect(await call(`POST ${members}`, { token, body: { users: [dave] } })).toMatchObject({
      status: 200,
      body: { seq: 2 },
    })
    expect((await call(`POST ${members}`, { token, body: { users: [dave] } })).body.error.code).toBe('already_a_member')
    const unknown = await call(`POST ${members}`, { token, body: { users: [randomUUID()] } })
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'user_unknown'])
    expect((await call(`DELETE ${members}/${dave}`, { token })).body).toEqual({ seq: 3 })
    const gone = await call(`GET /v1/conversations/${id}`, { token: who('dave').token })
    expect(gone.body.error.code).toBe('not_a_member')
    expect((await call(`DELETE ${members}/${who('bob').id}`, { token: who('bob').token })).body).toEqual({ seq: 4 })
    const { entries } = (await call(`GET /v1/conversations/${id}/messages`, { token })).body
    expect(entries.map((entry: { event: string }) => entry.event)).toEqual([
      'conversation.created',
      'member.added',
      'member.removed',
      'member.left',
    ])
  })

  test('lets nobody do what their role does not allow', async () => {
    const members = `/v1/conversations/${group}/members`
    const { token } = who('carol')
    const answers = [
      await call(`POST ${members}`, { token, body: { users: [who('dave').id] } }),
      await call(`DELETE ${members}/${who('bob').id}`, { token }),
      await call(`PATCH ${members}/${who('carol').id}`, { token, body: { role: 'owner' } }),
      await call(`DELETE ${members}/${who('alice').id}`, { token: who('bob').token }),
      await call(`PATCH ${members}/${who('carol').id}`, { token: who('bob').token, body: { role: 'admin' } }),
    ]
    for (const answer of answers) expect([answer.status, answer.body.error.code]).toEqual([403, 'role_insufficient'])
  })

  test('keeps an owner', async () => {
    const members = `/v1/conversations/${group}/members`
    const { token, id } = who('alice')
    expect((await call(`DELETE ${members}/${id}`, { token })).body.error.code).toBe('last_owner')
    expect((await call(`PATCH ${members}/${id}`, { token, body: { role: 'member' } })).body.error.code).toBe(
      'last_owner',
    )
  })

  test('refuses a role that there is not', async () => {
    const answer = await call(`PATCH /v1/conversations/${group}/members/${who('bob').id}`, {
      token: who('alice').token,
      body: { role: 'king' },
    })
    expect(answer.body.error).toMatchObject({ field: 'role', rule: 'one of owner, admin, member' })
  })

  test('does not know the role of somebody who is not in it', async () => {
    const { token } = who('alice')
    const members = `/v1/conversations/${group}/members`
    for (const user of [who('dave').id, randomUUID()]) {
      expect((await call(`DELETE ${members}/${user}`, { token })).body.error.code).toBe('user_unknown')
      const changed = await call(`PATCH ${members}/${user}`, { token, body: { role: 'admin' } })
      expect(changed.body.error.code).toBe('user_unknown')
    }
  })
})

describe('messages', () => {
  test('are posted and told, and posting again is answered with the first result', async () => {
    const clientId = randomUUID()
    const first = await post('alice', direct, 'hello', { clientId })
    expect(first.status).toBe(201)
    expect(first.body).toEqual({ seq: expect.any(Number), at: expect.any(Number), epoch: store.chat.epoch() })
    expect((await post('alice', direct, 'hello', { clientId })).body).toEqual(first.body)
    expect(store.emitted.at(-1)).toMatchObject({
      event: { event: 'message.new', conversation: direct, seq: first.body.seq, body: { text: 'hello' } },
    })
    const data = { nested: { deep: [1, null, 'ü'] } }
    const reply = await post('bob', direct, 'ahoy 🚢', { body: { text: 'ahoy 🚢', data }, replyTo: first.body.seq })
    const page = await call(`GET /v1/conversations/${direct}/messages?after=${first.body.seq}`, {
      token: who('bob').token,
    })
    expect(page.body.entries).toMatchObject([
      { seq: reply.body.seq, by: who('bob').id, replyTo: first.body.seq, body: { text: 'ahoy 🚢', data } },
    ])
  })

  test.each([
    ['no clientId', { clientId: undefined }, 400, 'field_invalid', 'clientId'],
    ['a clientId that is none', { clientId: '1' }, 400, 'field_invalid', 'clientId'],
    ['no text', { body: {} }, 400, 'field_invalid', 'body.text'],
    ['a text too long', { body: { text: 'x'.repeat(8_001) } }, 400, 'field_invalid', 'body.text'],
    ['a body with more', { body: { text: 'x', html: '<b>' } }, 400, 'field_invalid', 'body.html'],
    ['data that is no object', { body: { text: 'x', data: [] } }, 400, 'field_invalid', 'body.data'],
    ['data too large', { body: { text: 'x', data: { a: 'y'.repeat(8_192) } } }, 400, 'field_invalid', 'body.data'],
    ['data too deep', { body: { text: 'x', data: deep(9) } }, 400, 'data_too_deep', 'body.data'],
    ['a reply to nothing', { replyTo: 999_999 }, 404, 'message_unknown', 'replyTo'],
    ['a reply to zero', { replyTo: 0 }, 400, 'field_invalid', 'replyTo'],
  ])('with %s are refused', async (_name, more, status, code, field) => {
    const answer = await post('alice', direct, 'x', more)
    expect([answer.status, answer.body.error.code, answer.body.error.field]).toEqual([status, code, field])
  })

  function deep(levels: number): object {
    return levels === 0 ? {} : { a: deep(levels - 1) }
  }

  test('may be places and cards, each refused by the rules of its type', async () => {
    const place = { type: 'location', latitude: 52.37, longitude: 4.89, fallback: 'Dam Square' }
    const posted = await post('alice', group, '', { body: place })
    expect(posted.status).toBe(201)
    const page = await call(`GET /v1/conversations/${group}/messages?limit=1`, { token: who('carol').token })
    expect(page.body.entries).toMatchObject([{ seq: posted.body.seq, body: place }])
    for (const [body, field, rule] of [
      [{ ...place, latitude: 91 }, 'body.latitude', 'maximum 90'],
      [{ ...place, fallback: '\u200b' }, 'body.fallback', 'something visible'],
      [{ type: 'contact', fallback: 'Ann' }, 'body.name', 'required'],
      [{ type: 'contact', name: 'a\u202eb', fallback: 'Ann' }, 'body.name', 'no marks of direction'],
      [{ type: 'rumour', text: 'x' }, 'body.type', 'one of text, location, contact, poll'],
      [{}, 'body.text', 'required'],
    ] as const)
      expect((await post('alice', group, '', { body })).body).toMatchObject({
        error: { code: 'field_invalid', field, rule },
      })
  })

  test('are paged forwards and backwards', async () => {
    const { id } = await openGroup(who('alice'), 'log', [])
    for (let nth = 2; nth <= 6; nth++) await post('alice', id, `${nth}`)
    const seqs = async (query: string) => {
      const { body } = await call(`GET /v1/conversations/${id}/messages${query}`, { token: who('alice').token })
      expect(body).toMatchObject({ head: 6, from: 1, epoch: store.chat.epoch() })
      return body.entries.map((entry: { seq: number }) => entry.seq)
    }
    expect(await seqs('')).toEqual([1, 2, 3, 4, 5, 6])
    expect(await seqs('?after=2&limit=3')).toEqual([3, 4, 5])
    expect(await seqs('?before=5&limit=2')).toEqual([3, 4])
    expect(await seqs('?after=0')).toEqual([1, 2, 3, 4, 5, 6])
  })

  test.each([
    ['after=-1', 'after'],
    ['after=x', 'after'],
    ['before=9007199254740993', 'before'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['offset=3', 'offset'],
  ])('with ?%s are refused', async (query, field) => {
    const answer = await call(`GET /v1/conversations/${direct}/messages?${query}`, { token: who('alice').token })
    expect([answer.status, answer.body.error.code, answer.body.error.field]).toEqual([400, 'field_invalid', field])
  })
})

describe('receipts', () => {
  const cursors = async (by: string, conversation: string) => {
    const { body } = await call(`GET /v1/conversations/${conversation}`, { token: who(by).token })
    return { delivered: body.deliveredSeq, read: body.readSeq, unread: body.unread }
  }

  test('only rise, read implies delivered, and none goes past the head', async () => {
    const { id } = await openGroup(who('alice'), 'receipts', ['bob'])
    for (let nth = 2; nth <= 5; nth++) await post('alice', id, `${nth}`)
    const put = (body: object) => call(`PUT /v1/conversations/${id}/receipts`, { token: who('bob').token, body })
    expect((await put({ delivered: 4, read: 2 })).status).toBe(204)
    expect(await cursors('bob', id)).toMatchObject({ delivered: 4, read: 2 })
    await put({ read: 5 })
    expect(await cursors('bob', id)).toEqual({ delivered: 5, read: 5, unread: 0 })
    await put({ delivered: 1, read: 1 })
    expect(await cursors('bob', id)).toMatchObject({ delivered: 5, read: 5 })
    await put({ read: 999 })
    expect(await cursors('bob', id)).toMatchObject({ delivered: 5, read: 5 })
  })

  test.each([
    ['nothing', {}, '', 'minProperties 1'],
    ['a cursor below zero', { read: -1 }, 'read', 'minimum 0'],
    ['a cursor that is text', { delivered: '1' }, 'delivered', 'type integer'],
  ])('with %s are refused', async (_name, body, field, rule) => {
    const answer = await call(`PUT /v1/conversations/${group}/receipts`, { token: who('alice').token, body })
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field, rule })
  })
})

describe('muting', () => {
  const mute = (by: string, body: object, id = group) =>
    call(`PUT /v1/conversations/${id}/mute`, { token: who(by).token, body })

  test('is shown to the person alone, and ends', async () => {
    const untilMs = Date.now() + 3_600_000
    expect((await mute('bob', { untilMs })).status).toBe(204)
    const shown = async (by: string) =>
      (await call(`GET /v1/conversations/${group}`, { token: who(by).token })).body.mutedUntil
    expect(await shown('bob')).toBe(untilMs)
    expect(await shown('alice')).toBeUndefined()
    expect((await mute('bob', { untilMs: null })).status).toBe(204)
    expect(await shown('bob')).toBeUndefined()
  })

  test.each([
    ['nothing', {}, 'required'],
    ['a text', { untilMs: 'tomorrow' }, /type/],
    ['a time before all times', { untilMs: -1 }, /./],
    ['a time after all times', { untilMs: 253_402_300_800_000 }, /./],
  ])('%s is refused', async (_name, body, rule) => {
    const answer = await mute('bob', body)
    expect(answer.body.error).toMatchObject({
      code: 'field_invalid',
      field: 'untilMs',
      rule: expect.stringMatching(rule),
    })
  })

  test('is for members', async () => {
    expect((await mute('dave', { untilMs: null })).body.error.code).toBe('not_a_member')
    expect((await mute('bob', { untilMs: null }, randomUUID())).body.error.code).toBe('conversation_unknown')
  })
})

test('while the store is away, the answer says when to come back', async () => {
  const database = await testDatabase()
  const url = new URL(database.url)
  const proxy = await startFaultProxy({ target: { host: url.hostname, port: Number(url.port) } })
  url.port = String(proxy.port)
  url.hostname = '127.0.0.1'
  const away = await openChat(url.href)
  const here = createFixture({ chat: away.chat })
  try {
    const { token, id } = await here.register('zoe')
    await proxy.close()
    // Asks the store before anything else; the others ask for the session first.
    const signIn = await here.call('POST /v1/sessions', { body: { username: 'zoe', password } })
    expect([signIn.status, signIn.body.error?.code]).toEqual([503, 'unavailable'])
    for (const path of ['/me', `/users/${id}`, '/users?username=zoe', '/conversations']) {
      const answer = await here.call(`GET /v1${path}`, { token })
      expect([answer.status, answer.body.error?.code], path).toEqual([503, 'unavailable'])
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    }
  } finally {
    await here.app.close()
    await away.close()
    await database.drop()
  }
})

afterAll(() => {
  const mine = api
    .unanswered()
    // messages.pg.test.ts has the rest.
    .filter(route =>
      /conversations(\/:id)?(\/(members|messages|receipts|mute)(\/:user)?)?$|GET \/v1\/users/.test(route),
    )
  expect(mine).toEqual([])
})
