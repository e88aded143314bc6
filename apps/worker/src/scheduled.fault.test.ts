/**
 * Workers are killed and frozen while they send what people have scheduled. At the end the log has every message once, those
 * of one sender in one conversation in the order of their times, and nobody was told that one could not be sent.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { scheduled } from '@flotilla/chat'
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

const runMs = isLong ? 120_000 : 15_000
const leaseMs = 2_000
const workersMin = 2
const senderCount = 20
const conversationsEach = 2
/** By one sender in one conversation. */
const messagesEach = isLong ? 200 : 40
const settleMs = 120_000
const freely = { messagesPerSecond: 10_000, messagesBurst: 1_000_000, storedBytesPerDayMax: 1e12 }

const script = fileURLToPath(new URL('worker.testbed.ts', import.meta.url))
const masterKeys = generateSecretKey('test')
const undo: (() => Promise<unknown> | void)[] = []

let database: TestDatabase
let chat: TestChat
let fcmPort: number

beforeEach(async () => {
  database = await testDatabase()
  undo.push(() => database.drop())
  chat = await openTestChat(database.url, {
    masterKeys: parseSecretKeys(masterKeys),
    settings: { scheduledMax: conversationsEach * messagesEach },
  })
  undo.push(() => chat.close())
  const fcm = await startFcm(() => 'take')
  fcmPort = fcm.port
  undo.push(() => fcm.close())
})
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

interface Worker extends StartedProcess {
  readonly name: string
}

async function startWorker(): Promise<Worker> {
  const folder = makeFolder('worker')
  const operatorPort = await freePort()
  const name = `worker-${operatorPort}`
  const options: WorkerTestbed = {
    databaseUrl: database.url,
    masterKeys,
    fcmPort,
    operatorPort,
    name,
    sendMs: 500,
    chat: freely,
    worker: { scheduledLeaseMs: leaseMs, pollMs: { busy: 10, idle: 40 } },
  }
  const worker = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', script],
    folder,
    env: { WORKER_TESTBED: JSON.stringify(options) },
    ready: async () => (await fetch(`http://127.0.0.1:${operatorPort}/readyz`)).ok,
    readyWithinMs: 60_000,
  })
  undo.push(
    () => dropFolder(folder),
    () => worker.end('SIGKILL'),
  )
  return { ...worker, name }
}

/** By sender and conversation: what is to be said there, in its order. */
async function planMessages(): Promise<Map<string, string[]>> {
  const senders = await makeUsers(chat.ctx.pool, senderCount)
  const planned = new Map<string, string[]>()
  const at = Date.now() + 86_400_000
  const plan = async (sender: string, conversation: string) => {
    const ids = Array.from({ length: messagesEach }, () => randomUUID())
    for (const clientId of ids)
      await scheduled.schedule(chat.ctx, sender, { conversation, clientId, body: { text: clientId }, at })
    planned.set(`${sender}/${conversation}`, ids)
  }
  await Promise.all(
    senders.map(async sender => {
      for (let nth = 0; nth < conversationsEach; nth++)
        await plan(sender, await makeConversation(chat.ctx.pool, [sender]))
    }),
  )
  return new Map([...planned].map(([lane, ids]) => [lane, ids.toSorted()]))
}

/** Some are due at once, all within the run. Groups of them have one time, and then their ids decide. */
async function makeDue(): Promise<void> {
  await chat.ctx.pool.query(
    `UPDATE scheduled_messages s SET due_at = d.at, attempt_at = d.at
       FROM (SELECT user_id, id, now() + $1 * (row_number() OVER (PARTITION BY user_id, conversation_id ORDER BY id) / 3)
                                       * interval '1 millisecond' AS at FROM scheduled_messages) d
      WHERE s.user_id = d.user_id AND s.id = d.id`,
    [(runMs * 3) / messagesEach],
  )
}

/** Remembers, from now on, what a second worker had to take because the first did not come to its end. */
async function watchTakeovers(): Promise<() => Promise<number>> {
  await chat.ctx.pool.query(`
    CREATE TABLE takeovers (id uuid);
    CREATE FUNCTION note_takeover() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO takeovers VALUES (NEW.id); RETURN NULL; END $$;
    CREATE TRIGGER takeover AFTER UPDATE OF attempt_count ON scheduled_messages FOR EACH ROW
      WHEN (NEW.attempt_count > 1) EXECUTE FUNCTION note_takeover()`)
  return async () => (await chat.ctx.pool.query('SELECT FROM takeovers')).rowCount ?? 0
}

/** Ends a worker in the middle of a post, which waits for a lock that only opens when the worker is no more. */
async function killWhilePosting({ name, end }: Worker): Promise<void> {
  const client = await chat.ctx.pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT FROM conversations FOR UPDATE')
    const isPosting = `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`
    await until(async () => (await chat.ctx.pool.query(isPosting, [name])).rowCount !== 0, {
      what: 'it posts',
      withinMs: settleMs,
      everyMs: 10,
    })
    await end('SIGKILL')
    await client.query('ROLLBACK')
  } finally {
    client.release()
  }
}

const left = async () => (await chat.ctx.pool.query('SELECT FROM scheduled_messages')).rowCount

/** How many are claimed and not settled. */
async function inHand(): Promise<number> {
  const { rows } = await chat.ctx.pool.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM scheduled_messages WHERE claimed_at IS NOT NULL',
  )
  return rows[0]!.count
}

async function inLog(): Promise<Map<string, string[]>> {
  const { rows } = await chat.ctx.pool.query<{ lane: string; ids: string[] }>(
    `SELECT sender_id || '/' || conversation_id AS lane, array_agg(client_id::text ORDER BY seq) AS ids FROM messages GROUP BY 1`,
  )
  return new Map(rows.map(({ lane, ids }) => [lane, ids]))
}

test('workers are killed and frozen while they send: each message is sent once, and in the order of its sender', async () => {
  const planned = await planMessages()
  const takeovers = await watchTakeovers()
  const workers = await Promise.all(Array.from({ length: workersMin }, startWorker))
  await makeDue()
  await killWhilePosting(workers[0]!)
  workers[0] = await startWorker()
  const endAt = performance.now() + runMs
  for (let n = 0; performance.now() < endAt; n++) {
    await pause(100 + Math.random() * 400)
    const at = n % workers.length
    const worker = workers[at]!
    if (n % 4 === 0) {
      // For longer than its lease: others take over, and then it wakes and goes on.
      worker.signal('SIGSTOP')
      await pause(1.5 * leaseMs)
      worker.signal('SIGCONT')
    } else {
      // The last of it may be sent between two looks.
      await until(async () => (await inHand()) > 0 || (await left()) === 0, {
        what: 'something is in hand',
        withinMs: settleMs,
        everyMs: 1,
      })
      if ((await left()) === 0) break
      await worker.end('SIGKILL')
      workers[at] = await startWorker()
    }
  }
  await until(async () => (await left()) === 0, { what: 'all is sent', withinMs: settleMs })
  // Whatever would be sent twice has its time to be.
  await pause(2 * leaseMs)
  expect(await inLog()).toEqual(planned)
  expect((await chat.ctx.pool.query('SELECT FROM notifications')).rowCount).toBe(0)
  expect(await takeovers()).toBeGreaterThan(0)
})
