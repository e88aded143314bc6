import { randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, protect, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let people = 0
let [alice, bob, carol] = [] as unknown as [Person, Person, Person]
/** Filled once the people have their ids. */
const operators: string[] = []

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat, settings: { operators, registrations: { max: 1_000, windowMs: 60_000 } } })
  call = api.call
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
beforeEach(async () => {
  people++
  ;[alice, bob, carol] = (await Promise.all(
    ['alice', 'bob', 'carol'].map(name => api.register(`${name}-${people}`)),
  )) as [Person, Person, Person]
})
afterAll(() => {
  const ours = /\/(contacts|contact-requests|blocks|reports|operator\/reports)/
  expect(api.unanswered().filter(route => ours.test(route))).toEqual([])
})

/** The answer to somebody's request, or the code of its refusal. */
async function ask(by: Person, request: string, body?: object) {
  const answer = await call(request.replace(' /', ' /v1/'), {
    token: by.token,
    ...(body === undefined ? {} : { body }),
  })
  return answer.status < 300 ? { status: answer.status, body: answer.body } : answer.body.error.code
}
const request = (by: Person, body: object) => ask(by, 'POST /contact-requests', body)
const direct = (by: Person, other: Person) => ask(by, 'POST /conversations', { kind: 'direct', user: other.id })
const post = (by: Person, conversation: string) =>
  ask(by, `POST /conversations/${conversation}/messages`, { clientId: randomUUID(), body: { text: 'hi' } })

describe('contacts', () => {
  test('are asked for by id, accepted, listed and ended', async () => {
    const { status, body: asked } = await request(alice, { user: bob.id, note: 'from the harbour' })
    expect(status).toBe(201)
    expect(asked).toMatchObject({ from: { id: alice.id }, to: { id: bob.id }, note: 'from the harbour' })
    expect(await ask(alice, 'GET /contact-requests?direction=sent')).toEqual({
      status: 200,
      body: { requests: [asked] },
    })
    expect(await ask(bob, 'GET /contact-requests?direction=received')).toEqual({
      status: 200,
      body: { requests: [asked] },
    })
    expect(await ask(bob, `POST /contact-requests/${asked.id}/accept`)).toMatchObject({
      status: 200,
      body: { user: { id: alice.id } },
    })
    expect(await ask(alice, 'GET /contacts')).toMatchObject({
      status: 200,
      body: { contacts: [{ user: { id: bob.id } }] },
    })
    expect(await request(alice, { user: bob.id })).toBe('contact_exists')
    expect(await ask(bob, `DELETE /contacts/${alice.id}`)).toMatchObject({ status: 204 })
    expect(await ask(bob, `DELETE /contacts/${alice.id}`)).toBe('contact_unknown')
    expect(await ask(alice, 'GET /contacts')).toEqual({ status: 200, body: { contacts: [] } })
  })

  test('are asked for by name, rejected and cancelled; a request that crosses is an acceptance', async () => {
    const { body: first } = await request(alice, { username: bob.username.toUpperCase() })
    expect(await ask(bob, `POST /contact-requests/${first.id}/decline`)).toMatchObject({ status: 204 })
    expect(await ask(bob, `POST /contact-requests/${first.id}/decline`)).toBe('request_unknown')
    const { body: second } = await request(alice, { username: bob.username })
    expect(await ask(bob, `DELETE /contact-requests/${second.id}`)).toBe('request_unknown')
    expect(await ask(alice, `DELETE /contact-requests/${second.id}`)).toMatchObject({ status: 204 })
    await request(alice, { username: bob.username })
    expect(await request(alice, { username: bob.username })).toBe('request_exists')
    expect(await request(bob, { username: alice.username })).toMatchObject({
      status: 200,
      body: { user: { id: alice.id } },
    })
  })

  test('by address the answer is the same whoever has it, and the one who may be found is asked', async () => {
    const [known, hidden] = [`bob-${people}@example.org`, `carol-${people}@example.org`]
    await store.chat.pool.query('UPDATE users SET email = $2, found_by_email_to = 1 WHERE id = $1', [bob.id, known])
    await store.chat.pool.query('UPDATE users SET email = $2, found_by_email_to = 3 WHERE id = $1', [carol.id, hidden])
    for (const email of [known, hidden, `nobody-${people}@example.org`, known])
      expect(await request(alice, { email, note: 'hi' })).toEqual({ status: 202, body: {} })
    const {
      body: { requests },
    } = await ask(alice, 'GET /contact-requests?direction=sent')
    expect(requests).toMatchObject([{ to: { id: bob.id } }])
  })

  test.each([
    ['nobody', {}, 'field_invalid'],
    ['two names of one person', { username: 'bob', email: 'bob@example.org' }, 'field_invalid'],
    ['a note that is too long', { username: 'bob', note: 'x'.repeat(301) }, 'field_invalid'],
    ['an unknown name', { username: 'nobody-at-all' }, 'user_unknown'],
    ['an unknown id', { user: randomUUID() }, 'user_unknown'],
    ['an address that is none', { email: 'bob.example.org' }, 'field_invalid'],
  ])('a request to %s is refused', async (_, body, code) => {
    expect(await request(alice, body)).toBe(code)
  })

  test('requests have a rate of their own', async () => {
    const strict = createFixture({ chat: store.chat, settings: { contactRequests: { max: 2, windowMs: 60_000 } } })
    const dave = await strict.register(`dave-${people}`)
    const send = (email: string) => strict.call('POST /v1/contact-requests', { token: dave.token, body: { email } })
    expect((await send('one@example.org')).status).toBe(202)
    expect((await send('two@example.org')).status).toBe(202)
    const third = await send('three@example.org')
    expect([third.status, third.body.error.code]).toEqual([429, 'rate_limited'])
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0)
    await strict.app.close()
  })
})

describe('blocks', () => {
  test('close the direct conversation both ways until they are taken back', async () => {
    const {
      body: { id },
    } = await direct(alice, bob)
    expect(await post(bob, id)).toMatchObject({ status: 201 })
    expect(await ask(alice, `PUT /blocks/${bob.id}`)).toMatchObject({ status: 204 })
    expect(await ask(alice, `PUT /blocks/${bob.id}`)).toMatchObject({ status: 204 })
    expect(await ask(alice, 'GET /blocks')).toMatchObject({ status: 200, body: { blocks: [{ user: { id: bob.id } }] } })
    expect(await ask(bob, 'GET /blocks')).toEqual({ status: 200, body: { blocks: [] } })
    for (const by of [alice, bob]) expect(await post(by, id)).toBe('blocked')
    expect(await direct(bob, alice)).toMatchObject({ status: 200, body: { id } })
    expect(await request(bob, { user: alice.id })).toBe('blocked')
    expect(await ask(alice, `DELETE /blocks/${bob.id}`)).toMatchObject({ status: 204 })
    for (const by of [alice, bob]) expect(await post(by, id)).toMatchObject({ status: 201 })
  })

  test('keep people from beginning a conversation, and out of each other’s groups', async () => {
    await ask(alice, `PUT /blocks/${bob.id}`)
    expect(await direct(bob, alice)).toBe('blocked')
    expect(await ask(bob, 'POST /conversations', { kind: 'group', name: 'Crew', members: [alice.id] })).toBe('blocked')
    const { body: group } = await ask(bob, 'POST /conversations', { kind: 'group', name: 'Crew', members: [carol.id] })
    expect(await ask(bob, `POST /conversations/${group.id}/members`, { users: [alice.id] })).toBe('blocked')
  })

  test('who takes contacts only is reached by those', async () => {
    await store.chat.pool.query('UPDATE users SET direct_from = 2 WHERE id = $1', [bob.id])
    expect(await direct(alice, bob)).toBe('contacts_only')
    const { body: group } = await ask(alice, 'POST /conversations', { kind: 'group', name: 'Crew', members: [] })
    expect(await ask(alice, `POST /conversations/${group.id}/members`, { users: [bob.id] })).toBe('contacts_only')
    const { body: asked } = await request(alice, { user: bob.id })
    await ask(bob, `POST /contact-requests/${asked.id}/accept`)
    expect(await direct(alice, bob)).toMatchObject({ status: 201 })
    expect(await ask(alice, `POST /conversations/${group.id}/members`, { users: [bob.id] })).toMatchObject({
      status: 200,
    })
  })

  test('are of others who exist', async () => {
    expect(await ask(alice, `PUT /blocks/${alice.id}`)).toBe('field_invalid')
    expect(await ask(alice, `PUT /blocks/${randomUUID()}`)).toBe('user_unknown')
    expect(await ask(alice, `DELETE /blocks/${randomUUID()}`)).toMatchObject({ status: 204 })
  })
})

test('what somebody has read is left out for whom they do not show it to', async () => {
  const {
    body: { id },
  } = await direct(alice, bob)
  await call(`PUT /v1/conversations/${id}/receipts`, { token: bob.token, body: { read: 1 } })
  const readSeq = async () => {
    const {
      body: { members },
    } = await ask(alice, `GET /conversations/${id}/members`)
    return members.find((one: { user: { id: string } }) => one.user.id === bob.id).readSeq
  }
  expect(await readSeq()).toBe(1)
  await store.chat.pool.query('UPDATE users SET read_receipts_to = 3 WHERE id = $1', [bob.id])
  expect(await readSeq()).toBeUndefined()
})

describe('reports', () => {
  test('of people and messages are read and decided by operators alone', async () => {
    operators.splice(0, operators.length, carol.id)
    await protect(store.chat, carol)
    const {
      body: { id: conversation },
    } = await direct(alice, bob)
    const {
      body: { seq },
    } = await post(bob, conversation)
    const about = { user: bob.id, reason: 'harassment', conversation, seq }
    const {
      status,
      body: { id },
    } = await ask(alice, 'POST /reports', { ...about, comment: 'vile' })
    expect(status).toBe(201)
    expect(await ask(alice, 'POST /reports', about)).toEqual({ status: 200, body: { id } })
    expect(await ask(alice, 'POST /reports', { user: bob.id, reason: 'spam' })).toMatchObject({ status: 201 })

    for (const by of [alice, bob]) {
      expect(await ask(by, 'GET /operator/reports')).toBe('operators_only')
      expect(await ask(by, `POST /operator/reports/${id}/decision`, { decision: 'dismissed' })).toBe('operators_only')
    }
    expect((await call('GET /v1/operator/reports')).body.error.code).toBe('unauthenticated')
    const { body: page } = await ask(carol, 'GET /operator/reports?limit=1')
    expect(page).toMatchObject({
      reports: [
        {
          id,
          reporter: { id: alice.id },
          user: { id: bob.id },
          reason: 'harassment',
          comment: 'vile',
          message: { conversation, seq, body: { text: 'hi' } },
        },
      ],
      next: expect.any(String),
    })
    const { body: rest } = await ask(carol, `GET /operator/reports?after=${page.next}`)
    expect(rest).toMatchObject({ reports: [{ reason: 'spam' }] })
    const decision = { decision: 'upheld', note: 'warned' }
    expect(await ask(carol, `POST /operator/reports/${id}/decision`, decision)).toMatchObject({ status: 204 })
    expect(await ask(carol, `POST /operator/reports/${id}/decision`, decision)).toBe('report_unknown')
  })

  test.each([
    ['another reason', { reason: 'boredom' }, 'field_invalid'],
    ['half a message', { reason: 'spam', seq: 1 }, 'field_invalid'],
    [
      'a conversation that is not there',
      { reason: 'spam', seq: 1, conversation: randomUUID() },
      'conversation_unknown',
    ],
  ])('with %s are refused', async (_, body, code) => {
    expect(await ask(alice, 'POST /reports', { user: bob.id, ...body })).toBe(code)
  })

  test('have a rate of their own', async () => {
    const strict = createFixture({ chat: store.chat, settings: { reports: { max: 1, windowMs: 60_000 } } })
    const dave = await strict.register(`dave-${people}`)
    const send = () => strict.call('POST /v1/reports', { token: dave.token, body: { user: bob.id, reason: 'other' } })
    expect((await send()).status).toBe(201)
    expect((await send()).body.error.code).toBe('rate_limited')
    await strict.app.close()
  })
})
