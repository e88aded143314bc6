/**
 * Nobody finds out by asking whether an address has an account: not by what is answered, and not by when. Calls for known
 * and for unknown addresses are mixed by chance; then it is counted how often one of the first kind took longer than one
 * of the second. Equal work comes out at a half.
 */
import { createHash } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Answer, createFixture, type Fixture, openChat, password, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture

const accounts = 8
/** By chance alone the share leaves the bounds of 0.3 and 0.7 once in 40,000 times. */
const rounds = 70
const bounds = { least: 0.3, most: 0.7 }
const unlimited = { max: 1_000_000, windowMs: 60_000 }
const guesses = { ...unlimited, waitMsMax: 1_000 }
const settings = { guesses, codes: unlimited, codesPerEmail: unlimited, signIns: unlimited, requestsMax: 1_000_000 }

const name = (kind: 'known' | 'unknown', at: number) => `${kind === 'known' ? 'known' : 'other'}-${at % accounts}`
const address = (kind: 'known' | 'unknown', at: number) => `${name(kind, at)}@example.org`

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat, settings })
  const { pool, passwords } = store.chat
  const hash = await passwords.hash(password)
  await pool.query(
    `INSERT INTO users (id, username, display_name, email, password_hash)
     SELECT gen_random_uuid(), name, name, name || '@example.org', $2 FROM unnest($1::text[]) AS name`,
    [Array.from({ length: accounts }, (_, at) => name('known', at)), hash],
  )
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

type Kind = 'known' | 'unknown'
interface Measured {
  /** How often a call for a known address took longer than one for an unknown. */
  readonly share: number
  readonly answers: Record<Kind, Answer[]>
}

/** Calls for both kinds in turn, which of them first being left to chance, so that neither stands in the other's wake. */
async function measure(ask: (kind: Kind, at: number) => Promise<Answer>): Promise<Measured> {
  const times: Record<Kind, number[]> = { known: [], unknown: [] }
  const answers: Record<Kind, Answer[]> = { known: [], unknown: [] }
  const warmUp = 6
  for (let at = -warmUp; at < rounds; at++) {
    const first = createHash('sha256').update(`${at}`).digest()[0]! % 2 === 0
    for (const kind of first ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
      const before = performance.now()
      const answer = await ask(kind, at + warmUp)
      if (at < 0) continue
      times[kind].push(performance.now() - before)
      answers[kind].push(answer)
    }
  }
  const longer = times.known.flatMap(one => times.unknown.map(other => (one > other ? 1 : one === other ? 0.5 : 0)))
  return { share: longer.reduce<number>((sum, one) => sum + one, 0) / longer.length, answers }
}

/** What an answer says, but for what is drawn by chance or counts down. */
function content({ status, body, headers }: Answer) {
  const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/g
  const kept = Object.entries(headers).filter(([header]) => !/^(date|x-ratelimit-(remaining|reset))$/.test(header))
  return JSON.stringify({ status, body, headers: Object.fromEntries(kept) }).replaceAll(uuid, 'id')
}

function expectAlike({ share, answers }: Measured): void {
  expect(new Set(answers.known.map(content))).toEqual(new Set(answers.unknown.map(content)))
  expect(new Set(answers.known.map(content)).size).toBe(1)
  expect(share).toBeGreaterThan(bounds.least)
  expect(share).toBeLessThan(bounds.most)
}

// A busy machine can spoil one measurement; what really differs spoils both.
const twice = { retry: 1, timeout: 60_000 }

describe.each(['register', 'sign-in', 'reset-password'] as const)('a code to %s', purpose => {
  const asking = (kind: Kind, at: number) => api.call('POST /v1/codes', { body: { email: address(kind, at), purpose } })
  const requests = async (): Promise<Record<Kind, string[]>> => {
    await store.chat.pool.query('DELETE FROM codes')
    const made: Record<Kind, string[]> = { known: [], unknown: [] }
    for (let at = 0; at < rounds + 6; at++)
      for (const kind of ['known', 'unknown'] as const) {
        const { rows } = await store.chat.pool.query<{ id: string }>(
          `INSERT INTO codes (id, purpose, email, code_mac, tries_left, resend_at, expires_at)
           VALUES (gen_random_uuid(), $1, $2, $3, 5, now(), now() + interval '10 minutes') RETURNING id`,
          [purpose, address(kind, at), Buffer.alloc(32)],
        )
        made[kind].push(rows[0]!.id)
      }
    return made
  }

  test('is asked for without a sign of whether the address is known', twice, async () => {
    const measured = await measure(asking)
    expect(measured.answers.known[0]?.status).toBe(202)
    expectAlike(measured)
  })

  test('is sent again without one', twice, async () => {
    const made = await requests()
    const measured = await measure((kind, at) => api.call(`POST /v1/codes/${made[kind][at]}/resend`))
    expect(measured.answers.known[0]?.status).toBe(202)
    expectAlike(measured)
  })
})

test('a wrong code is refused without a sign of whether the address is known', twice, async () => {
  const asked: Record<Kind, string[]> = { known: [], unknown: [] }
  for (let at = 0; at < 3 * accounts; at++)
    for (const kind of ['known', 'unknown'] as const) {
      const { body } = await api.call('POST /v1/codes', { body: { email: address(kind, at), purpose: 'sign-in' } })
      asked[kind].push(body.request)
    }
  const measured = await measure((kind, at) =>
    api.call('POST /v1/sessions/with-code', {
      body: { request: asked[kind][at % asked[kind].length], code: '000000' },
    }),
  )
  expect(measured.answers.known[0]?.status).toBe(401)
  expectAlike(measured)
})

describe('a wrong password', () => {
  const trying =
    (by: typeof name, at = api) =>
    (kind: Kind, round: number) =>
      at.call('POST /v1/sessions', { body: { username: by(kind, round), password: 'not the password' } })

  test.each([
    ['username', name],
    ['address', address],
  ])('is refused without a sign of whether the %s is known', twice, async (_what, by) => {
    const measured = await measure(trying(by))
    expect(measured.answers.known[0]?.status).toBe(401)
    expectAlike(measured)
  })

  test('would be told by its time if nobody were hashed for: so the measurement does measure', twice, async () => {
    const { passwords } = store.chat
    const hasty = {
      ...passwords,
      verify: async (hash: string | undefined, text: string) =>
        hash === undefined ? false : passwords.verify(hash, text),
    }
    const careless = createFixture({ chat: { ...store.chat, passwords: hasty }, settings })
    const { share } = await measure(trying(name, careless))
    await careless.app.close()
    expect(share).toBeGreaterThan(bounds.most)
  })
})
