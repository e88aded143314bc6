/**
 * Keys are rotated under load, as docs/operations.md says: known everywhere first, then used, then the old one goes. Two
 * instances are replaced one after the other at each step, so that for a while they differ.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import { testDatabase, until } from '@flotilla/testing'
import { beforeAll, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, password, type TestChat } from '../api.testbed.ts'
import { generateTokenKey, parseTokenKeys } from '../sign-in/tokens.ts'

let store: TestChat

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  return async () => {
    await store.close()
    await database.drop()
  }
})

const clientsCount = 10
const accessTokenLifeMs = 2_000
/** A client renews its token when it is so old, as SDKs do: well before the end. */
const renewAfterMs = 1_000

interface KeySet {
  readonly token: readonly string[]
  readonly refresh: readonly string[]
}

function instance({ token, refresh }: KeySet): Fixture {
  return createFixture({
    chat: store.chat,
    keys: {
      token: parseTokenKeys(`[${token.join(',')}]`),
      refresh: parseSecretKeys(refresh.join(',')),
      ticket: parseSecretKeys(generateSecretKey('t')),
    },
    settings: {
      accessTokenLifeMs,
      requestsMax: 1_000_000,
      signIns: { max: 100_000, windowMs: 60_000 },
      registrations: { max: 1_000, windowMs: 60_000 },
    },
  })
}

/** Clients in loops, each asking whichever instance is there, and what they met. */
function openLoad(instances: Fixture[]) {
  const failures: string[] = []
  const counts = { requests: 0, refreshes: 0, signIns: 0 }
  /** How often each client has renewed its token. */
  const rounds = Array.from({ length: clientsCount }, () => 0)
  const ending = new AbortController()
  let turn = 0
  const any = () => instances[turn++ % instances.length]!

  async function ask(
    request: string,
    options: Parameters<Fixture['call']>[1],
    wanted: number,
    isExcused: () => boolean = () => false,
  ) {
    const { status, body } = await any().call(request, options)
    counts.requests++
    if (status !== wanted && isExcused()) return undefined
    if (status !== wanted) failures.push(`${request}: ${status} ${body.error?.code}`)
    return body
  }

  async function client(nth: number) {
    const username = `client-${nth}`
    let held = await ask('POST /v1/users', { body: { username, password } }, 201)
    let at = performance.now()
    while (!ending.signal.aborted && failures.length === 0) {
      // On a machine that stood still the token has simply grown too old; then it is renewed like any other.
      const isOld = () => performance.now() - at > accessTokenLifeMs - 1_000
      const me = await ask('GET /v1/me', { token: held.accessToken }, 200, isOld)
      if (me !== undefined && me.username !== username)
        failures.push(`GET /v1/me answered ${me.username} to ${username}`)
      if (performance.now() - at > renewAfterMs) {
        const body = { refreshToken: held.refreshToken }
        held = await ask('POST /v1/sessions/refresh', { body }, 200)
        at = performance.now()
        counts.refreshes++
        rounds[nth] = rounds[nth]! + 1
        // One of them signs in anew now and then.
        if (nth === 0) {
          held = await ask('POST /v1/sessions', { body: { username, password } }, 201)
          counts.signIns++
        }
      }
      await sleep(15)
    }
  }

  const running = Promise.all(Array.from({ length: clientsCount }, (_, nth) => client(nth)))
  return {
    failures,
    counts,
    /** Resolves when each has begun and ended a renewal since, or one has failed. */
    async renewed() {
      const before = [...rounds]
      await until(() => failures.length > 0 || rounds.every((round, nth) => round >= before[nth]! + 2), {
        what: 'every client has renewed its token',
        withinMs: 60_000,
      })
    },
    async stop() {
      ending.abort()
      await running
    },
  }
}

test('signing keys and refresh keys are rotated under load, and no client is ever signed out', {
  timeout: 120_000,
}, async () => {
  const [oldToken, newToken] = [generateTokenKey(), generateTokenKey()]
  const [oldRefresh, newRefresh] = [generateSecretKey('old'), generateSecretKey('new')]
  const steps: KeySet[] = [
    { token: [oldToken, newToken], refresh: [oldRefresh, newRefresh] },
    { token: [newToken, oldToken], refresh: [newRefresh, oldRefresh] },
    { token: [newToken], refresh: [newRefresh] },
  ]
  const first = { token: [oldToken], refresh: [oldRefresh] }
  const instances = [instance(first), instance(first)]
  const load = openLoad(instances)
  const retired: Fixture[] = []
  const kids = (texts: readonly string[]) => texts.map(text => JSON.parse(text).kid as string)
  await sleep(1_500)
  for (const step of steps) {
    for (const at of [0, 1]) {
      retired.push(instances[at]!)
      instances[at] = instance(step)
      await sleep(300)
      expect(load.failures).toEqual([])
    }
    const { body } = await instances[0]!.call('GET /v1/.well-known/jwks.json')
    expect(body.keys.map((key: { kid: string }) => key.kid)).toEqual(kids(step.token))
    // Longer than any access token lives, and until every client has refreshed: a machine may stand still meanwhile.
    await sleep(accessTokenLifeMs)
    await load.renewed()
    expect(load.failures).toEqual([])
  }
  await load.stop()
  expect(load.failures).toEqual([])
  expect(load.counts.refreshes).toBeGreaterThan(clientsCount * 5)
  expect(load.counts.signIns).toBeGreaterThan(3)
  await Promise.all([...retired, ...instances].map(one => one.app.close()))
})
