/**
 * A thousand people are away while the push service fails in every way that it knows and a worker is killed. At the end
 * everybody has heard of everything, nobody twice within the window, and no worker has held more than its slots.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { messages, push } from '@flotilla/chat'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  isLong,
  makeConversation,
  makeFolder,
  makeSessions,
  makeUsers,
  openTestChat,
  type StartedProcess,
  startProcess,
  type TestChat,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FcmReaction, type FcmRequest, type FcmTestbed, startFcm, type Taken } from './fcm.testbed.ts'
import type { WorkerTestbed } from './worker.testbed.ts'

/** As the product has them, or a tenth of it. */
const times = isLong
  ? { delayMs: 2_000, windowMs: 30_000, sendMs: 10_000, outageMs: 60_000, roundMs: 20_000, retryAfterSeconds: 10 }
  : { delayMs: 200, windowMs: 3_000, sendMs: 500, outageMs: 2_000, roundMs: 1_500, retryAfterSeconds: 4 }
const settleMs = isLong ? 600_000 : 90_000
const people = 1_000
const groupSize = 50
const deadTokens = 40
const inFlightMax = 50
const rssGrowthMax = 120 * 2 ** 20

const script = fileURLToPath(new URL('worker.testbed.ts', import.meta.url))
const masterKeys = generateSecretKey('test')

let database: TestDatabase
let chat: TestChat
let fcm: FcmTestbed
let react: (request: FcmRequest) => FcmReaction
const undo: (() => Promise<unknown> | void)[] = []

beforeEach(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url, {
    masterKeys: parseSecretKeys(masterKeys),
    presumedAbsent: users => users.filter(user => !senders.has(user)),
  })
  react = () => 'take'
  fcm = await startFcm(request => react(request))
})
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
  await fcm.close()
  await chat.close()
  await database.drop()
})

const senders = new Set<string>()

interface Worker {
  readonly process: StartedProcess
  rss(): Promise<number>
}

async function startWorker(): Promise<Worker> {
  const folder = makeFolder('worker')
  const operatorPort = await freePort()
  const options: WorkerTestbed = {
    databaseUrl: database.url,
    masterKeys,
    fcmPort: fcm.port,
    operatorPort,
    sendMs: times.sendMs,
    chat: {
      pushDelayMs: times.delayMs,
      pushCollapseMs: times.windowMs,
      pushSendMs: times.sendMs,
      pushAttemptsMax: 30,
      pushRetryMs: { first: 200, max: 3_000 },
    },
    worker: {
      pushesInFlightMax: inFlightMax,
      pushPauseMs: { first: times.sendMs / 2, max: times.sendMs * 2 },
      pollMs: { busy: 50, idle: 200 },
    },
  }
  const url = `http://127.0.0.1:${operatorPort}`
  const process_ = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', script],
    folder,
    env: { WORKER_TESTBED: JSON.stringify(options) },
    ready: async () => (await fetch(`${url}/readyz`)).ok,
  })
  undo.push(
    () => dropFolder(folder),
    () => process_.end('SIGTERM'),
  )
  return {
    process: process_,
    async rss() {
      const metrics = await (await fetch(`${url}/metrics`)).text()
      return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)?.[1])
    },
  }
}

/** People with a device each, in groups that somebody writes to. @returns the groups and the tokens */
async function populate() {
  const ids = await makeUsers(chat.ctx.pool, people)
  const sessions = await makeSessions(chat.ctx.pool, ids)
  await chat.ctx.pool.query(
    `INSERT INTO devices (id, user_id, session_id, name, platform, provider, token, token_hash)
     SELECT gen_random_uuid(), p.id, p.session, 'phone', 'android', 'fcm', 'token-' || p.id, sha256(('fcm token-' || p.id)::bytea)
       FROM unnest($1::uuid[], $2::uuid[]) p (id, session)`,
    [ids, sessions],
  )
  const groups: { id: string; sender: string; tokens: string[] }[] = []
  for (let from = 0; from < people; from += groupSize) {
    const [sender] = (await makeUsers(chat.ctx.pool, 1)) as [string]
    senders.add(sender)
    const members = ids.slice(from, from + groupSize)
    const id = await makeConversation(chat.ctx.pool, [sender, ...members])
    groups.push({ id, sender, tokens: members.map(member => `token-${member}`) })
  }
  return groups
}

type Group = Awaited<ReturnType<typeof populate>>[number]

const speak = (groups: readonly Group[]) =>
  Promise.all(
    groups.map(({ id, sender }) =>
      messages.post(chat.ctx, sender, { conversation: id, clientId: randomUUID(), body: { text: 'are you there?' } }),
    ),
  )

const waiting = async () => {
  const found = await chat.ctx.pool.query<{ waiting: number }>(
    `SELECT (SELECT count(*) FROM push_deliveries WHERE state = 'waiting')::int + (SELECT count(*) FROM pushes WHERE due_at IS NOT NULL)::int
          + (SELECT count(*) FROM offline_messages WHERE push_due)::int AS waiting`,
  )
  return found.rows[0]!.waiting
}

/** The shortest time between two pushes about a conversation that arrived at one device. */
function shortestGapMs(taken: readonly Taken[]): number {
  const last = new Map<string, number>()
  let shortest = Number.POSITIVE_INFINITY
  for (const { token, collapseKey, at } of taken) {
    const key = `${token} ${collapseKey}`
    shortest = Math.min(shortest, at - (last.get(key) ?? Number.NEGATIVE_INFINITY))
    last.set(key, at)
  }
  return shortest
}

/** Fails in all ways, a third of the time. */
function fickle(): FcmReaction {
  const dice = Math.random()
  if (dice < 0.12) return { status: 500, code: 'INTERNAL' }
  if (dice < 0.18) return { status: 503, code: 'UNAVAILABLE' }
  if (dice < 0.24) return 'take and hang'
  if (dice < 0.28) return 'hang'
  return dice < 0.33 ? 'take and cut' : 'take'
}

test('1,000 people who are away: all hear of everything, none twice, whatever fails', async () => {
  const groups = await populate()
  const dead = new Set(groups.flatMap(group => group.tokens).slice(0, deadTokens))
  const unregistered: FcmReaction = { status: 404, code: 'UNREGISTERED' }
  const [first, second] = [await startWorker(), await startWorker()]
  const rssBefore = await second.rss()

  // It is too much for the service, and it says for how long: it is left alone until then, by both.
  const busy: FcmReaction = { status: 429, code: 'QUOTA_EXCEEDED', retryAfter: String(times.retryAfterSeconds) }
  react = () => busy
  await speak(groups)
  await until(() => fcm.requests.length > 0, { what: 'it is tried', withinMs: settleMs })
  await pause(times.retryAfterSeconds * 1_000)
  // By when they came, not by when this test looks: what each had under way when it was told, and nothing more.
  const endsAt = fcm.requests[0]!.at + times.retryAfterSeconds * 1_000
  const early = fcm.requests.filter(({ at }) => at < endsAt)
  expect(early.length).toBeLessThanOrEqual(2 * inFlightMax)
  expect(new Set(early.map(({ token }) => token)).size).toBe(early.length)
  const asked = fcm.requests.length

  // Then nothing works at all.
  react = () => ({ status: 500, code: 'INTERNAL' })
  await until(() => fcm.requests.length > asked, { what: 'it is tried again', withinMs: settleMs })
  await pause(times.outageMs)
  expect(fcm.taken).toEqual([])

  // Then it works, badly; people go on writing; and a worker dies.
  const badly = (request: FcmRequest) => (dead.has(request.token) ? unregistered : fickle())
  react = badly
  for (let round = 0; round < 3; round++) {
    await speak(groups)
    await pause(times.roundMs)
    if (round !== 1) continue
    // It dies with pushes in hand that have arrived, which nobody but the service knows.
    const before = fcm.taken.length
    react = request => (dead.has(request.token) ? unregistered : 'take and hang')
    await until(() => fcm.taken.length >= before + 10, { what: 'pushes are under way', withinMs: settleMs })
    await first.process.end('SIGKILL')
    react = badly
  }
  react = request => (dead.has(request.token) ? unregistered : 'take')
  await until(async () => (await waiting()) === 0, { what: 'nothing waits', withinMs: settleMs, everyMs: 250 })

  const heads = new Map(groups.map(group => [group.id, 4]))
  const heard = new Map(fcm.taken.map(one => [one.token, one.uptoSeq]))
  for (const group of groups)
    for (const token of group.tokens) expect(heard.get(token)).toBe(dead.has(token) ? undefined : heads.get(group.id))
  expect(shortestGapMs(fcm.taken)).toBeGreaterThanOrEqual(times.windowMs)

  // Dead tokens are asked once more at the most (by the worker that was killed), and their devices are gone.
  const devices = await chat.ctx.pool.query<{ token: string }>('SELECT token FROM devices')
  expect(devices.rows).toHaveLength(people - deadTokens)
  expect(devices.rows.filter(row => dead.has(row.token))).toEqual([])
  expect((await push.listDead(chat.ctx, { limit: 10 })).pushes).toEqual([])

  expect(fcm.openMax).toBeLessThanOrEqual(2 * inFlightMax)
  expect((await second.rss()) - rssBefore).toBeLessThan(rssGrowthMax)
})
