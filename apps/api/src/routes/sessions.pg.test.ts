import { randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, createFixture, type Fixture, openChat, password, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({
    chat: store.chat,
    settings: { requestsMax: 100_000, signIns: { max: 1_000, windowMs: 60_000 } },
    countryOf: address => (address.startsWith('203.') ? 'ZZ' : 'NL'),
  })
  call = api.call
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

const home = { address: '192.0.2.1', headers: { 'user-agent': 'Firefox' } }
const elsewhere = { address: '203.0.113.9', headers: { 'user-agent': 'Firefox' } }
const signIn = async (username: string, from = home, deviceName = 'laptop'): Promise<Signed> =>
  (await call('POST /v1/sessions', { body: { username, password, deviceName }, ...from })).body
const refresh = (refreshToken: string, from = home, attempt?: string) =>
  call('POST /v1/sessions/refresh', {
    body: { refreshToken, ...(attempt === undefined ? {} : { attempt }) },
    ...from,
  })
const isIn = async (token: string) => (await call('GET /v1/me', { token })).status === 200
const codeOf = ({ body }: Answer): string => body.error?.code ?? 'ok'

interface Signed {
  session: string
  accessToken: string
  refreshToken: string
}

describe('what is kept of a device', () => {
  beforeAll(() => api.register('devices'))
  const listed = async (token: string) =>
    (await call('GET /v1/sessions', { token })).body.sessions.find((one: { current: boolean }) => one.current)

  test('the name of a program is mended, not refused: in whatever script, cut between two characters', async () => {
    const agent = (header: string) =>
      signIn('devices', { address: '192.0.2.1', headers: { 'user-agent': Buffer.from(header).toString('latin1') } })
    const { accessToken } = await agent(`Ünï\u0085cöde/1 ${'👨‍👩‍👧'.repeat(300)}`)
    const shown = (await listed(accessToken)).agent as string
    expect(shown).toMatch(/^Ünï cöde\/1 (👨‍👩‍👧)+$/u)
    const latin = await signIn('devices', { address: '192.0.2.1', headers: { 'user-agent': 'caf\xe9' } })
    expect((await listed(latin.accessToken)).agent).toBe('caf\ufffd')
  })

  test('a name that shows nothing is refused before anybody is made', async () => {
    for (const deviceName of ['\u3164', '\u115f\u2800']) {
      const refused = await call('POST /v1/users', { body: { username: 'unseen', deviceName } })
      expect(refused.body.error).toMatchObject({ field: 'deviceName', rule: 'something visible' })
    }
    expect((await call('POST /v1/users', { body: { username: 'unseen' } })).status).toBe(201)
  })
})

describe('refreshing at once', () => {
  beforeAll(() => api.register('tabs'))

  test('all tabs of one browser stay signed in, again and again', async () => {
    let { refreshToken } = await signIn('tabs')
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 12 }, () => refresh(refreshToken)))
      expect(answers.map(codeOf)).toEqual(Array(12).fill('ok'))
      const tokens = new Set(answers.map(answer => answer.body.refreshToken as string))
      expect(tokens.size).toBe(1)
      expect(await Promise.all(answers.map(answer => isIn(answer.body.accessToken)))).toEqual(Array(12).fill(true))
      refreshToken = [...tokens][0]!
    }
  })

  test('all tabs that share the cookie stay signed in', async () => {
    const headers = { ...home.headers, 'x-flotilla-cookie': '1' }
    const signedIn = await call('POST /v1/sessions', { body: { username: 'tabs', password }, ...home, headers })
    const cookies = { flotilla_refresh: signedIn.cookies[0]!.value }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call('POST /v1/sessions/refresh', { ...home, headers, cookies })),
    )
    expect(answers.map(codeOf)).toEqual(Array(8).fill('ok'))
    const next = { flotilla_refresh: answers[3]!.cookies[0]!.value }
    expect(codeOf(await call('POST /v1/sessions/refresh', { ...home, headers, cookies: next }))).toBe('ok')
  })

  test('a request that is tried again from another network is the same attempt', async () => {
    const { refreshToken } = await signIn('tabs')
    const attempt = randomUUID()
    const answers = await Promise.all([refresh(refreshToken, home, attempt), refresh(refreshToken, elsewhere, attempt)])
    expect(answers.map(codeOf)).toEqual(['ok', 'ok'])
    const wrong = await call('POST /v1/sessions/refresh', { body: { refreshToken, attempt: 'x' } })
    expect(wrong.body.error).toMatchObject({ code: 'field_invalid', field: 'attempt' })
  })

  test.each([
    ['at the same address with another program', { ...home, headers: { 'user-agent': 'curl' } }],
    ['at another address with the same program', elsewhere],
  ])('a thief %s who replays the used token ends it for both, at once', async (_name, thief) => {
    const victim = await signIn('tabs')
    const renewed = await refresh(victim.refreshToken)
    expect(await isIn(renewed.body.accessToken)).toBe(true)
    expect(codeOf(await refresh(victim.refreshToken, thief))).toBe('refresh_token_reused')
    for (const token of [victim.accessToken, renewed.body.accessToken]) expect(await isIn(token)).toBe(false)
    expect(codeOf(await refresh(renewed.body.refreshToken))).toBe('refresh_token_invalid')
    expect(codeOf(await refresh(victim.refreshToken, thief))).toBe('refresh_token_invalid')
  })

  test('a thief who replays it later ends it for both, also at the same address with the same program', async () => {
    const victim = await signIn('tabs')
    const renewed = await refresh(victim.refreshToken)
    await store.chat.pool.query(`UPDATE sessions SET refreshed_at = now() - interval '11 seconds' WHERE id = $1`, [
      victim.session,
    ])
    expect(codeOf(await refresh(victim.refreshToken))).toBe('refresh_token_reused')
    expect(codeOf(await refresh(renewed.body.refreshToken))).toBe('refresh_token_invalid')
    expect(await isIn(renewed.body.accessToken)).toBe(false)
  })

  test('a thief who is faster with the good token is out as soon as the victim refreshes', async () => {
    const victim = await signIn('tabs')
    const stolen = await refresh(victim.refreshToken, elsewhere)
    expect(await isIn(stolen.body.accessToken)).toBe(true)
    expect(codeOf(await refresh(victim.refreshToken))).toBe('refresh_token_reused')
    expect(await isIn(stolen.body.accessToken)).toBe(false)
    expect(codeOf(await refresh(stolen.body.refreshToken, elsewhere))).toBe('refresh_token_invalid')
  })

  test('a thief in a race with all tabs of the victim is out, whoever was first', async () => {
    for (let round = 0; round < 8; round++) {
      const victim = await signIn('tabs')
      const answers = await Promise.all([
        ...Array.from({ length: round }, () => refresh(victim.refreshToken)),
        refresh(victim.refreshToken, elsewhere),
        ...Array.from({ length: 8 - round }, () => refresh(victim.refreshToken)),
      ])
      expect(answers.map(codeOf)).toContain('refresh_token_reused')
      for (const { body } of answers.filter(answer => answer.status === 200)) {
        expect(await isIn(body.accessToken)).toBe(false)
        expect(codeOf(await refresh(body.refreshToken))).toBe('refresh_token_invalid')
      }
    }
  })

  test('the victim reads of it in their trail, with the address of whoever showed the old token', async () => {
    const person = await api.register('robbed')
    const victim = await signIn('robbed')
    await refresh(victim.refreshToken)
    await refresh(victim.refreshToken, elsewhere)
    const { body } = await call('GET /v1/me/security-events', { token: person.token })
    expect(body.events[0]).toMatchObject({
      kind: 'refresh_token_reused',
      session: victim.session,
      address: '203.0.113.9',
      country: 'ZZ',
      agent: 'Firefox',
    })
  })
})

describe('one’s own sessions', () => {
  test('are listed with where they are, and the list follows a refresh', async () => {
    const person = await api.register('traveller')
    const phone = await signIn('traveller', home, 'phone')
    const before = (await call('GET /v1/sessions', { token: phone.accessToken })).body.sessions
    expect(before.map((one: { id: string }) => one.id)).toEqual([phone.session, person.session])
    expect(before[0]).toMatchObject({
      deviceName: 'phone',
      signInMethod: 'password',
      address: '192.0.2.1',
      country: 'NL',
      agent: 'Firefox',
      current: true,
    })
    expect(before[1]).toMatchObject({ signInMethod: 'registration', current: false })
    await refresh(phone.refreshToken, elsewhere)
    const [after] = (await call('GET /v1/sessions', { token: phone.accessToken })).body.sessions
    expect(after).toMatchObject({ address: '203.0.113.9', country: 'ZZ', createdAt: before[0].createdAt })
    expect(after.seenAt).toBeGreaterThanOrEqual(before[0].seenAt)
  })

  test('end one by one, and only one’s own', async () => {
    const person = await api.register('careful')
    const [lost, kept] = [await signIn('careful'), await signIn('careful')]
    const stranger = await api.register('stranger')
    const end = async (session: string, token: string) =>
      call(`DELETE /v1/sessions/${session}`, { token, headers: { 'x-flotilla-cookie': '1' } })
    const refused = await end(lost.session, stranger.token)
    expect([refused.status, codeOf(refused)]).toEqual([404, 'session_unknown'])
    expect((await end(lost.session, person.token)).status).toBe(204)
    expect([await isIn(lost.accessToken), await isIn(kept.accessToken)]).toEqual([false, true])
    expect(codeOf(await refresh(lost.refreshToken))).toBe('refresh_token_invalid')
    expect(codeOf(await end(lost.session, person.token))).toBe('session_unknown')
    const own = await end(kept.session, kept.accessToken)
    expect(own.cookies[0]).toMatchObject({ name: 'flotilla_refresh', value: '' })
    expect(await isIn(kept.accessToken)).toBe(false)
  })

  test('end all but this one, or all', async () => {
    const person = await api.register('thorough')
    const others = [await signIn('thorough'), await signIn('thorough')]
    expect((await call('DELETE /v1/sessions', { token: person.token })).status).toBe(204)
    expect(await Promise.all(others.map(one => isIn(one.accessToken)))).toEqual([false, false])
    expect(await isIn(person.token)).toBe(true)
    const wrong = await call('DELETE /v1/sessions?current=yes', { token: person.token })
    expect(codeOf(wrong)).toBe('field_invalid')
    expect((await call('DELETE /v1/sessions?current=true', { token: person.token })).status).toBe(204)
    expect(await isIn(person.token)).toBe(false)
    expect(codeOf(await refresh(person.refreshToken))).toBe('refresh_token_invalid')
  })
})

test('the trail of one’s own account is read page by page', async () => {
  const person = await api.register('reader')
  for (let turn = 0; turn < 4; turn++) await signIn('reader')
  const first = (await call('GET /v1/me/security-events?limit=3', { token: person.token })).body
  expect(first.events.map((event: { kind: string }) => event.kind)).toEqual(Array(3).fill('signed_in'))
  const { body } = await call(`GET /v1/me/security-events?limit=3&after=${first.next}`, { token: person.token })
  expect(body.events.map((event: { kind: string }) => event.kind)).toEqual(['signed_in', 'registered'])
  expect(body.next).toBeUndefined()
  for (const query of ['limit=0', 'limit=101', 'after=0', 'after=x', 'user=1'])
    expect(codeOf(await call(`GET /v1/me/security-events?${query}`, { token: person.token }))).toBe('field_invalid')
})

describe('the end of an account', () => {
  test('is asked for with reauthentication, shown, and taken back after signing in again', async () => {
    const person = await api.register('leaving')
    const other = await signIn('leaving')
    await store.chat.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [
      person.session,
    ])
    const stale = await call('PUT /v1/me/deletion', { token: person.token })
    expect([stale.status, codeOf(stale)]).toEqual([403, 'reauthentication_required'])
    expect(await isIn(other.accessToken)).toBe(true)

    const asked = await call('PUT /v1/me/deletion', { token: other.accessToken })
    expect(asked.status).toBe(200)
    const { deleteAfter } = asked.body
    expect(Math.abs(deleteAfter - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000)
    expect([await isIn(person.token), await isIn(other.accessToken)]).toEqual([false, true])

    const back = await signIn('leaving')
    expect((await call('GET /v1/me', { token: back.accessToken })).body.deleteAfter).toBe(deleteAfter)
    expect((await call('DELETE /v1/me/deletion', { token: back.accessToken })).status).toBe(204)
    expect((await call('GET /v1/me', { token: back.accessToken })).body.deleteAfter).toBeUndefined()
    expect((await call('DELETE /v1/me/deletion', { token: back.accessToken })).status).toBe(204)
  })
})

test('none of it is for nobody', async () => {
  for (const route of [
    'GET /v1/sessions',
    'DELETE /v1/sessions',
    `DELETE /v1/sessions/${randomUUID()}`,
    'GET /v1/me/security-events',
    'PUT /v1/me/deletion',
    'DELETE /v1/me/deletion',
    'GET /v1/me/export',
  ])
    expect(codeOf(await call(route))).toBe('unauthenticated')
})

afterAll(() => {
  const mine = api.unanswered().filter(route => /\/sessions(\/:id|\/refresh)?$|security-events|deletion/.test(route))
  expect(mine).toEqual([])
})
