/**
 * The store goes back to a backup that holds every kind of entry, while devices hold what was said since. In the end each
 * device shows what a fresh reader reads: of the backup, and of what is said after it at the seqs of what is gone.
 */
import { conversations, messages } from '@flotilla/chat'
import { entries as kinds } from '@flotilla/protocol/schemas'
import { type Entry, limits } from '@flotilla/protocol'
import { type Client, createClient } from '@flotilla/sdk'
import { parseSecretKeys } from '@flotilla/service'
import {
  type Fleet,
  FoldedViews,
  freshDatabase,
  makeSessions,
  makeStages,
  makeUsers,
  openTestChat,
  type PostgresServer,
  readHeads,
  sayEveryKind,
  type Stages,
  startFaultProxy,
  startFleet,
  startPostgres,
  startRedis,
  type TestChat,
  until,
} from '@flotilla/testing'
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

interface Device {
  readonly user: string
  readonly client: Client
  readonly views: FoldedViews
  readonly seen: Map<string, number>
  /** The conversations that it was told to begin anew. */
  readonly told: Set<string>
}

async function openDevice(fleet: Fleet, { ctx }: TestChat, user: string): Promise<Device> {
  const [session] = (await makeSessions(ctx.pool, [user])) as [string]
  const client = createClient({
    api: 'http://fleet.test',
    getToken: () => Promise.resolve('token'),
    fetch: async () => Response.json({ ...fleet.connect(user, session), epoch: ctx.epoch() }),
    history: 'all',
    logger: { debug() {}, warn() {} },
  })
  const [views, seen, told] = [new FoldedViews(user), new Map<string, number>(), new Set<string>()]
  client.on('entry', entry => {
    views.hear(entry)
    seen.set(entry.conversation, entry.seq)
  })
  client.on('reaction', event => views.hearReaction(event))
  client.on('refresh', () => views.refresh())
  client.on('resync', ({ conversation }) => {
    views.forget(conversation)
    seen.delete(conversation)
    told.add(conversation)
  })
  await client.start()
  return later({ user, client, views, seen, told }, ({ client: one }) => one.stop())
}

async function ask<T extends pg.QueryResultRow>(url: string, ...statements: string[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  let rows: T[] = []
  for (const statement of statements) ({ rows } = await client.query<T>(statement))
  await client.end()
  return rows
}

async function readAll({ ctx }: TestChat, user: string, conversation: string) {
  const entries: Entry[] = []
  for (let after = 0; ; after = entries.at(-1)!.seq) {
    const page = await messages.history(ctx, user, { conversation, after, limit: limits.historyPageMax })
    entries.push(...page.entries)
    if (page.more !== true) return { entries, from: page.from }
  }
}

/** Waits until every device has everything, and compares what it shows with what stands. */
async function expectEqual(chat: TestChat, devices: readonly Device[], { small, large }: Stages): Promise<void> {
  await until(
    async () => {
      const heads = await readHeads(chat.ctx.pool)
      return devices.every(({ seen }) => [small, large].every(one => seen.get(one) === heads.get(one)))
    },
    { what: 'every device has everything', withinMs: healMs, everyMs: 100 },
  )
  for (const { user, views } of devices)
    for (const conversation of [small, large]) {
      const { entries, from } = await readAll(chat, user, conversation)
      expect(views.differences(conversation, entries, from)).toEqual([])
    }
}

/** The copy of a running server, as it stands when the server has nothing more for it. */
async function cutOff(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const [wal] = await ask<{ at: string }>(primary.url, 'SELECT pg_current_wal_lsn()::text AS at')
  const isThere = `SELECT pg_last_wal_replay_lsn() >= '${wal!.at}' AS there`
  await until(async () => (await ask<{ there: boolean }>(standby.url, isThere))[0]!.there, {
    what: 'the copy is complete',
    withinMs: healMs,
  })
  await ask(standby.url, `ALTER SYSTEM SET primary_conninfo = ''`, 'SELECT pg_reload_conf()')
  // A reload is asked for, and done some time after.
  await until(async () => (await ask(standby.url, 'SELECT FROM pg_stat_wal_receiver')).length === 0, {
    what: 'the copy receives nothing',
    withinMs: healMs,
  })
}

test('after a restore every device shows what stands, of every kind of entry (P5)', async () => {
  const primary = later(await startPostgres({ durable: true }), one => one.drop())
  const database = await freshDatabase(primary.url)
  const backup = later(await startPostgres({ durable: true, standbyOf: primary }), one => one.drop())
  const target = { host: '127.0.0.1', port: primary.port }
  const proxy = later(await startFaultProxy({ target }), one => one.close())
  const databaseUrl = database.url.replace(`:${primary.port}/`, `:${proxy.port}/`)
  const redis = later(await startRedis(), one => one.stop())
  const settings = { PING_INTERVAL_MS: '4000', DRAIN_MS: '2000' }
  const fleet = later(await startFleet({ gateways: 2, databaseUrl, redisUrl: redis.url, settings }), one => one.stop())
  const chat = later(
    await openTestChat(databaseUrl, {
      masterKeys: parseSecretKeys(fleet.masterKeys),
      settings: { reactionsGatherMs: 0 },
    }),
    one => one.close(),
  )
  const { ctx } = chat
  const [owner, member] = (await makeUsers(ctx.pool, 2)) as [string, string]
  const stages = await makeStages(ctx, owner, member)
  const devices = [await openDevice(fleet, chat, owner), await openDevice(fleet, chat, member)]

  const olds = await sayEveryKind(ctx, stages)
  const { rows } = await ctx.pool.query<{ kind: number }>('SELECT DISTINCT kind FROM messages')
  // What hides a message has none: it is in no store.
  const stored = Object.values(kinds).flatMap(({ number }) => (number === 0 ? [] : [number]))
  expect(rows.map(row => row.kind).sort((a, b) => a - b)).toEqual(stored.toSorted((a, b) => a - b))
  await expectEqual(chat, devices, stages)
  await cutOff(primary, backup)
  const before = await readHeads(ctx.pool)

  // What the backup lacks: it changes what the backup holds, too.
  await sayEveryKind(ctx, stages, olds)
  await conversations.rename(ctx, owner, { conversation: stages.large, name: 'lost' })
  await expectEqual(chat, devices, stages)
  const epoch = ctx.epoch()
  for (const { told } of devices) told.clear()
  await primary.stop('immediate')
  await ask(backup.url, 'SELECT pg_promote(true, 30)')
  target.port = backup.port
  await until(() => ctx.epoch() > epoch, { what: 'the epoch rises', withinMs: healMs })
  expect(await readHeads(ctx.pool)).toEqual(before)
  await until(() => devices.every(({ told }) => told.has(stages.small) && told.has(stages.large)), {
    what: 'every device is told to begin anew',
    withinMs: healMs,
  })
  await expectEqual(chat, devices, stages)

  // Other entries at the seqs of those that are gone.
  await sayEveryKind(ctx, stages, olds)
  await expectEqual(chat, devices, stages)
})
