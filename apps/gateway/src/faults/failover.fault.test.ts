/**
 * The stores fail over while a crowd talks: a streaming replica of PostgreSQL takes over behind an address that is
 * switched, and another master of Redis does, by hand and by Sentinel. Connections to the one before are kept.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseSecretKeys } from '@flotilla/service'
import {
  checkAgainstStore,
  type Crowd,
  type FaultProxy,
  type Fleet,
  freshDatabase,
  type HistoryRecord,
  openTestChat,
  type PostgresServer,
  type RedisServer,
  scale,
  startCrowd,
  startFaultProxy,
  startFleet,
  startPostgres,
  startRedis,
  startRedisSentinels,
  type TestChat,
  until,
} from '@flotilla/testing'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const later = <T>(what: T, end: (what: T) => unknown): T => {
  ends.push(() => end(what))
  return what
}
const healMs = 60_000

/** An address in front of servers, which leads to one of them. */
interface Front {
  readonly proxy: FaultProxy
  leadTo(port: number): void
}

async function makeFront(port: number): Promise<Front> {
  const target = { host: '127.0.0.1', port }
  const proxy = later(await startFaultProxy({ target }), one => one.close())
  return {
    proxy,
    leadTo(next) {
      target.port = next
    },
  }
}

async function ask(server: PostgresServer, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => {})
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

/** It gets nothing more from its primary. A reload is asked for, and done some time after. */
async function cutOff(standby: PostgresServer): Promise<void> {
  await ask(standby, `ALTER SYSTEM SET primary_conninfo = ''`, 'SELECT pg_reload_conf()')
  const client = new pg.Client({ connectionString: standby.url })
  await client.connect()
  await until(async () => (await client.query('SELECT FROM pg_stat_wal_receiver')).rowCount === 0, {
    what: 'the copy receives nothing',
    withinMs: healMs,
  })
  await client.end()
}

interface Scene {
  readonly fleet: Fleet
  readonly chat: TestChat
  readonly crowd: Crowd
  epoch(): Promise<number>
  /** Whether this holds of a figure of every gateway. */
  all(name: string, holds: (value: number) => boolean): Promise<boolean>
  /** Waits until messages are acknowledged again. */
  flows(): Promise<void>
}

async function setScene(databaseUrl: string, redisUrl: string): Promise<Scene> {
  const fleet = later(
    await startFleet({ gateways: 2, databaseUrl, redisUrl, settings: { PING_INTERVAL_MS: '4000', DRAIN_MS: '2000' } }),
    one => one.stop(),
  )
  const keys = parseSecretKeys(fleet.masterKeys)
  const chat = later(await openTestChat(databaseUrl, { masterKeys: keys }), one => one.close())
  const crowd = later(await startCrowd({ fleet, chat: chat.ctx, ...scale, people: 20, cutsPerSecond: 0.02 }), one =>
    one.stop(),
  )
  return {
    fleet,
    chat,
    crowd,
    async epoch() {
      const found = await chat.ctx.pool.query<{ epoch: number }>('SELECT epoch FROM store')
      return found.rows[0]!.epoch
    },
    all: async (name, holds) => (await Promise.all(fleet.nodes.map(node => node.metric(name)))).every(holds),
    async flows() {
      const before = crowd.acknowledged()
      await until(() => crowd.acknowledged() > before + 20, { what: 'messages flow', withinMs: healMs, everyMs: 50 })
    },
  }
}

async function setPostgres(): Promise<{ primary: PostgresServer; standby: PostgresServer; front: Front; url: string }> {
  const primary = later(await startPostgres({ durable: true }), one => one.drop())
  const database = await freshDatabase(primary.url)
  const standby = later(await startPostgres({ durable: true, standbyOf: primary }), one => one.drop())
  const front = await makeFront(primary.port)
  return { primary, standby, front, url: database.url.replace(`:${primary.port}/`, `:${front.proxy.port}/`) }
}

async function setRedis(): Promise<RedisServer> {
  return later(await startRedis(), one => one.stop())
}

const isTrue = (value: number) => value === 1
const isFalse = (value: number) => value === 0

test('a synchronous replica of PostgreSQL takes over, the old primary stays as its standby: nothing is lost', async () => {
  const { primary, standby, front, url } = await setPostgres()
  await ask(primary, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`, 'SELECT pg_reload_conf()')
  const { crowd, all, flows, epoch } = await setScene(url, (await setRedis()).url)
  const before = await epoch()
  crowd.start()
  await flows()
  await primary.stop('fast')
  await ask(standby, 'SELECT pg_promote(true, 30)')
  // The address still leads there: to a server that answers every question, with what was.
  await primary.start(standby)
  await until(async () => (await all('flotilla_store_writable', isFalse)) && (await all('flotilla_store_up', isTrue)), {
    what: 'the old primary answers, and counts as one that takes no writes',
    withinMs: healMs,
  })
  const acknowledged = crowd.acknowledged()
  await pause(2_000)
  expect(crowd.acknowledged()).toBe(acknowledged)
  front.leadTo(standby.port)
  await flows()
  await until(() => all('flotilla_store_writable', isTrue), { what: 'the gateways are ready', withinMs: healMs })
  expect(await all('flotilla_faults_total', isFalse)).toBe(true)
  expect(await epoch()).toBeGreaterThan(before)
  crowd.pause()
  await crowd.settle(60_000)
  expect(await crowd.check()).toEqual([])
})

test('a replica of PostgreSQL that lacks the last commits takes over: every device is told by the epoch (P5)', async () => {
  const { primary, standby, front, url } = await setPostgres()
  const { crowd, chat, flows, epoch } = await setScene(url, (await setRedis()).url)
  const before = await epoch()
  crowd.start()
  await flows()
  await cutOff(standby)
  await flows()
  await primary.stop('immediate')
  await ask(standby, 'SELECT pg_promote(true, 30)')
  const switched = crowd.history.records.length
  front.leadTo(standby.port)
  await flows()
  expect(await epoch()).toBeGreaterThan(before)
  crowd.pause()
  // Heads say nothing here: who saw more of the old store than there is of the new one seems to have everything.
  await until(() => untold(crowd.history.records, switched).length === 0, {
    what: 'every device is told of the epoch in every conversation of which it saw something',
    withinMs: healMs,
    everyMs: 50,
  })
  await crowd.settle(60_000)
  const { kept, lost } = await whatRemains(crowd.history.records, switched, chat)
  expect(lost).toBeGreaterThan(0)
  expect(await checkAgainstStore(kept, chat.ctx)).toEqual([])
})

/** Who was told since then to forget a conversation, and where in the history. */
function toldSince(records: readonly HistoryRecord[], switched: number): ReadonlyMap<string, number> {
  const told = new Map<string, number>()
  for (const [at, record] of records.entries())
    if (record.kind === 'resync' && at >= switched) told.set(`${record.device} ${record.conversation}`, at)
  return told
}

/** Who saw something before, and was not told yet. */
function untold(records: readonly HistoryRecord[], switched: number): string[] {
  const told = toldSince(records, switched)
  const saw = records.slice(0, switched).filter(record => record.kind === 'saw')
  return [...new Set(saw.map(({ device, conversation }) => `${device} ${conversation}`))].filter(who => !told.has(who))
}

/**
 * The history without what the replica never got. Every device must have been told to forget it, in each conversation: what
 * it saw before that is of a store that is gone.
 */
async function whatRemains(records: readonly HistoryRecord[], switched: number, { ctx }: TestChat) {
  const stored = new Set(
    (await ctx.pool.query<{ client_id: string }>('SELECT client_id FROM messages')).rows.map(row => row.client_id),
  )
  const told = toldSince(records, switched)
  let lost = 0
  const kept = records.filter((record, at) => {
    if (record.kind === 'acknowledged' && at < switched && !stored.has(record.clientId)) {
      lost++
      return false
    }
    if (record.kind === 'receipt') return at >= switched
    if (record.kind !== 'saw' && record.kind !== 'resync') return true
    const toldAt = told.get(`${record.device} ${record.conversation}`)
    return toldAt === undefined || at >= toldAt
  })
  return { kept, lost }
}

test('a master of Redis is demoted with its connections kept: what waits is delivered once the address leads on', async () => {
  const [master, replica] = [await setRedis(), await setRedis()]
  const front = await makeFront(master.port)
  const commands = [master, replica].map(server => later(new Redis(server.url), one => one.disconnect())) as [
    Redis,
    Redis,
  ]
  await commands[1].replicaof('127.0.0.1', master.port)
  const postgres = later(await startPostgres({ durable: true }), one => one.drop())
  const scene = await setScene((await freshDatabase(postgres.url)).url, `redis://127.0.0.1:${front.proxy.port}`)
  const { crowd, all, flows } = scene
  crowd.start()
  await flows()
  await commands[1].replicaof('NO', 'ONE')
  await commands[0].replicaof('127.0.0.1', replica.port)
  await until(() => all('flotilla_routing_up', isFalse), { what: 'the gateways notice', withinMs: healMs })
  // Messages are stored and acknowledged all the while.
  await flows()
  front.leadTo(replica.port)
  await until(() => all('flotilla_routing_up', isTrue), {
    what: 'they hold their leases at the new master',
    withinMs: healMs,
  })
  expect(await all('flotilla_redis_refusals_total', value => value > 0)).toBe(true)
  crowd.pause()
  await crowd.settle(healMs)
  expect(await crowd.check()).toEqual([])
})

test('the master of Redis is killed and Sentinel appoints its replica: nothing is lost', async () => {
  const sentinels = later(await startRedisSentinels(), one => one.stop())
  const postgres = later(await startPostgres({ durable: true }), one => one.drop())
  const { crowd, all, flows } = await setScene((await freshDatabase(postgres.url)).url, sentinels.url)
  crowd.start()
  await flows()
  await sentinels.master.kill()
  await flows()
  await until(async () => (await sentinels.masterPort()) === sentinels.replica.port, {
    what: 'the replica is appointed',
    withinMs: 30_000,
  })
  await until(() => all('flotilla_routing_up', isTrue), { what: 'the gateways follow', withinMs: healMs })
  // It comes back empty, and as a master until the sentinels have told it otherwise.
  await sentinels.master.restart()
  await flows()
  crowd.pause()
  await crowd.settle(healMs)
  expect(await crowd.check()).toEqual([])
})
