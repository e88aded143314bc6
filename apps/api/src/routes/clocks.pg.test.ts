/** An API on a machine whose clock is wrong: Date is set, and stands still; PostgreSQL has the right time. */
import { verifyTicket } from '@flotilla/service'
import { testDatabase } from '@flotilla/testing'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createFixture, type Fixture, openChat } from '../api.testbed.ts'

const hourMs = 3_600_000
let api: Fixture

beforeAll(async () => {
  const database = await testDatabase()
  const store = await openChat(database.url)
  api = createFixture({
    chat: store.chat,
    settings: { gatewayUrls: [{ region: 'here', url: 'ws://gateway' }], requestsMax: 10_000 },
  })
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
afterEach(() => void vi.useRealTimers())

const isOff = (byMs: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs })
const expiryOf = (token: string) =>
  (JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }).exp * 1_000
let people = 0
const register = () =>
  api.call('POST /v1/users', { body: { username: `person${++people}`, password: 'correct horse battery' } })

test.each([
  ['an hour ahead', hourMs],
  ['an hour behind', -hourMs],
])('%s it takes the tokens of the others, and what it signs is good there', async (_, byMs) => {
  const now = Date.now()
  const before = (await register()).body
  isOff(byMs)
  expect((await api.call('GET /v1/me', { token: before.accessToken })).status).toBe(200)
  const after = (await register()).body
  expect(Math.abs(expiryOf(after.accessToken) - now - after.accessTokenExpiresInMs)).toBeLessThan(60_000)
  const { ticket } = (await api.call('GET /v1/connect', { token: after.accessToken })).body
  vi.useRealTimers()
  expect(verifyTicket(api.deps.keys.ticket, ticket, Date.now())).toMatchObject({ user: after.user.id })
  expect((await api.call('GET /v1/me', { token: after.accessToken })).status).toBe(200)
})
