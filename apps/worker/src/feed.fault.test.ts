/**
 * Nodes write and change conversations, and transactions stay open, while workers are killed and stopped and come back.
 * At the end the counts that the feed has kept are those of the log itself: nothing was passed over, and nothing counted
 * twice.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { conversations, messages } from '@flotilla/chat'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  isLong,
  makeConversation,
  makeFolder,
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
import { startFcm } from './fcm.testbed.ts'
import type { WorkerTestbed } from './worker.testbed.ts'

const runMs = isLong ? 180_000 : 20_000
const leaseMs = 1_500
const groupCount = 40
const workersMin = 2
const settleMs = 60_000

const script = fileURLToPath(new URL('worker.testbed.ts', import.meta.url))
const masterKeys = generateSecretKey('test')
const undo: (() => Promise<unknown> | void)[] = []

let database: TestDatabase
let chats: TestChat[]
let fcmPort: number

beforeEach(async () => {
  database = await testDatabase()
  undo.push(() => database.drop())
  const settings = { messagesPerSecond: 10_000, messagesBurst: 1_000_000, storedBytesPerDayMax: 1e12 }
  const options = { masterKeys: parseSecretKeys(masterKeys), settings }
  chats = [await openTestChat(database.url, options), await openTestChat(database.url, options)]
  for (const chat of chats) undo.push(() => chat.close())
  const fcm = await startFcm(() => 'take')
  fcmPort = fcm.port
  undo.push(() => fcm.close())
})
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

const pool = () => chats[0]!.ctx.pool

async function startWorker(): Promise<StartedProcess> {
  const folder = makeFolder('worker')
  const operatorPort = await freePort()
  const options: WorkerTestbed = {
    databaseUrl: database.url,
    masterKeys,
    fcmPort,
    operatorPort,
    sendMs: 500,
    chat: {},
    worker: { feedLeaseMs: leaseMs, pollMs: { busy: 10, idle: 40 } },
  }
  const worker = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', script],
    folder,
    env: { WORKER_TESTBED: JSON.stringify(options) },
    ready: async () => (await fetch(`http://127.0.0.1:${operatorPort}/readyz`)).ok,
  })
  undo.push(
    () => dropFolder(folder),
    () => worker.end('SIGKILL'),
  )
  return worker
}

/** What the log holds, and what was counted, in the same form. */
const tally = async (from: string) => {
  const { rows } = await pool().query<{ line: string }>(
    `SELECT format('%s %s %s', day, kind, entries) AS line FROM (${from}) t ORDER BY 1`,
  )
  return rows.map(row => row.line)
}
const inLog = () =>
  tally(`SELECT (created_at AT TIME ZONE 'UTC')::date AS day, kind, count(*) AS entries FROM messages GROUP BY 1, 2`)
const counted = () => tally('SELECT day, kind, entries FROM entry_counts')
const sumOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0)

test('workers are killed and stopped while everybody writes: each entry is counted once', async () => {
  const [user] = (await makeUsers(pool(), 1)) as [string]
  const groups = await Promise.all(Array.from({ length: groupCount }, () => makeConversation(pool(), [user])))
  const workers = await Promise.all(Array.from({ length: workersMin }, startWorker))
  const endAt = performance.now() + runMs
  const isOn = () => performance.now() < endAt

  const write = async (node: number) => {
    const { ctx } = chats[node]!
    for (let n = 0; isOn(); n++) {
      await Promise.all(
        groups.map((conversation, at) =>
          (n + at) % 20 === node
            ? conversations.rename(ctx, user, { conversation, name: `${n}` })
            : messages.post(ctx, user, { conversation, clientId: randomUUID(), body: { text: 'ahoy' } }),
        ),
      )
      await pause(5)
    }
  }
  /** Holds everything up, now and then for longer than a lease. */
  const hold = async () => {
    for (let n = 0; isOn(); n++) {
      const tx = await pool().connect()
      await tx.query('BEGIN; SELECT pg_current_xact_id()')
      await pause(n % 8 === 7 ? 2 * leaseMs : 100)
      await tx.query(n % 2 === 0 ? 'COMMIT' : 'ROLLBACK')
      tx.release()
    }
  }
  let [killed, stopped] = [0, 0]
  const strike = async () => {
    for (let n = 0; isOn(); n++) {
      await pause(300 + Math.random() * 700)
      const at = n % workers.length
      if (n % 3 === 0) {
        // For longer than its lease: others take over, and then it wakes.
        const sleeper = workers[at]!
        sleeper.signal('SIGSTOP')
        await pause(1.5 * leaseMs)
        sleeper.signal('SIGCONT')
        stopped++
      } else {
        await workers[at]!.end('SIGKILL')
        workers[at] = await startWorker()
        killed++
      }
    }
  }
  await Promise.all([write(0), write(1), hold(), strike()])

  const log = await inLog()
  await until(async () => sumOf(await counted()) >= sumOf(log), { what: 'all is counted', withinMs: settleMs })
  // Whatever would be counted twice has its time to be.
  await pause(2 * leaseMs)
  expect(await counted()).toEqual(log)
  expect(sumOf(log)).toBeGreaterThan(1_000)
  expect([killed, stopped].every(count => count > 0)).toBe(true)
})
