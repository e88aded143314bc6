/** A primary, its standby, and an address in front of them that is switched. */
import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type FaultProxy,
  freshDatabase,
  type PostgresServer,
  startFaultProxy,
  startPostgres,
  until,
} from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createPulse, type Pulse } from '../log/pulse.ts'
import { asRefusal } from './failures.ts'
import { createLane, createPool, type Pool } from './pool.ts'
import { prepareSchema } from './prepare-schema.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
let primary: PostgresServer
let standby: PostgresServer
let proxy: FaultProxy
let target: { host: string; port: number }
let url: string
const ends: (() => unknown)[] = []

beforeAll(async () => {
  primary = await startPostgres()
  const database = await freshDatabase(primary.url)
  standby = await startPostgres({ standbyOf: primary })
  target = { host: '127.0.0.1', port: primary.port }
  proxy = await startFaultProxy({ target })
  url = database.url.replace(`:${primary.port}/`, `:${proxy.port}/`)
})
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})
afterAll(async () => {
  await proxy.close()
  await Promise.all([primary.drop(), standby.drop()])
})

function openPool(): Pool {
  const pool = createPool({ url, connectionsMax: 4, logger, applicationName: 'test' })
  ends.push(() => pool.end())
  return pool
}

async function openPulse(pool: Pool, onNewEpoch: (epoch: number) => void = () => {}): Promise<Pulse> {
  const lane = createLane(pool, 1_000, logger)
  ends.push(() => lane.end())
  const pulse = await createPulse({ pool: lane, logger, clock: { heard() {} }, pulseMs: 20, onNewEpoch })
  ends.push(() => pulse.stop())
  return pulse
}

const serverOf = async (pool: Pool) =>
  (await pool.query<{ port: number }>('SELECT inet_server_port() AS port')).rows[0]!.port
const epochOf = async (pool: Pool) => (await pool.query<{ epoch: number }>('SELECT epoch FROM store')).rows[0]!.epoch

async function ask(server: PostgresServer, statement: string): Promise<void> {
  const pool = createPool({ url: server.url, connectionsMax: 1, logger, applicationName: 'test' })
  await pool.query(statement)
  await pool.end()
}

/** Where each of its connections leads. */
async function serversOf(pool: Pool): Promise<number[]> {
  const clients = await Promise.all(Array.from({ length: pool.options.max! }, () => pool.connect()))
  const answers = await Promise.all(
    clients.map(client => client.query<{ port: number }>('SELECT inet_server_port() AS port')),
  )
  for (const client of clients) client.release()
  return answers.map(answer => answer.rows[0]!.port)
}

/** Whatever is idle, one more is needed. */
async function makeConnection(pool: Pool): Promise<void> {
  const clients = await Promise.allSettled(Array.from({ length: pool.idleCount + 1 }, () => pool.connect()))
  for (const client of clients) if (client.status === 'fulfilled') client.value.release()
}

test('a way that leads to a standby: nothing is read there, the process says so, and heals when it leads back', async () => {
  const pool = openPool()
  const pulse = await openPulse(pool)
  const epoch = pulse.epoch()
  expect(await serverOf(pool)).toBe(primary.port)
  target.port = standby.port
  proxy.cut()
  await until(() => pulse.unready() !== undefined, { what: 'it says so' })
  await until(() => pulse.alive(), { what: 'it was heard' })
  expect(pulse.unready()).toContain('standby')
  expect([pulse.alive(), pulse.writable()]).toEqual([true, false])
  expect(asRefusal(await pool.query('SELECT 1').catch((error: unknown) => error))).toMatchObject({
    code: 'unavailable',
  })
  target.port = primary.port
  await until(() => pulse.unready() === undefined, { what: 'it is well again' })
  expect(await serverOf(pool)).toBe(primary.port)
  expect(pulse.epoch()).toBe(epoch)
})

test('read-only, then not: reads go on, writes are refused, readiness follows, and nobody resyncs', async () => {
  const pool = openPool()
  const pulse = await openPulse(pool)
  const epoch = pulse.epoch()
  const set = async (value: string) => {
    await ask(primary, `ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await ask(primary, 'SELECT pg_reload_conf()')
  }
  await set('on')
  await until(() => pulse.unready() !== undefined, { what: 'it says so' })
  expect([pulse.unready(), pulse.alive(), pulse.writable()]).toEqual([
    'the store takes no writes: it is read-only',
    true,
    false,
  ])
  expect(await epochOf(pool)).toBe(epoch)
  const refused = await pool.query('UPDATE store SET epoch = epoch').catch((error: unknown) => error)
  expect(asRefusal(refused)).toMatchObject({ code: 'unavailable' })
  await expect(prepareSchema({ url, migrates: true, waitMsMax: 50, logger })).rejects.toThrow('takes no writes')
  await expect(prepareSchema({ url, migrates: false, waitMsMax: 50, logger })).rejects.toThrow('takes no writes')
  await set('off')
  await until(() => pulse.unready() === undefined, { what: 'it is well again' })
  await pool.query('UPDATE store SET epoch = epoch')
  expect(pulse.epoch()).toBe(epoch)
})

test('a write that finds no room makes the process unready for a while', async () => {
  const pool = openPool()
  const pulse = await openPulse(pool)
  let now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
  ends.push(() => clock.mockRestore())
  const noRoom = pool.query(`DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '53100'; END $$`)
  await expect(noRoom).rejects.toMatchObject({ code: '53100' })
  expect([pulse.unready(), pulse.alive(), pulse.writable()]).toEqual([
    'the store takes no writes: it has no room',
    true,
    false,
  ])
  now += 6_000
  expect([pulse.unready(), pulse.writable()]).toEqual([undefined, true])
})

test('a primary that is restarted is the same store', async () => {
  const pool = openPool()
  const pulse = await openPulse(pool)
  const epoch = pulse.epoch()
  await primary.stop('immediate')
  await until(() => !pulse.alive(), { what: 'it is away' })
  await primary.start()
  await until(() => pulse.unready() === undefined, { what: 'it is back' })
  expect(pulse.epoch()).toBe(epoch)
})

test('a promoted replica is told at once, by one rise of the epoch, and connections to the one before are dropped', async () => {
  const [one, other] = [openPool(), openPool()]
  const told: number[][] = [[], []]
  const first = await openPulse(one, epoch => told[0]!.push(epoch))
  await openPulse(other, epoch => told[1]!.push(epoch))
  const before = first.epoch()
  // Kept, and good for writes there to the end.
  const busy = await one.connect()
  expect([await serverOf(one), await serverOf(other)]).toEqual([primary.port, primary.port])
  await makeConnection(other)
  await ask(standby, 'SELECT pg_promote(true, 30)')
  target.port = standby.port
  expect([await serverOf(one), await serverOf(other)]).toEqual([primary.port, primary.port])
  const underWay = busy.query('SELECT pg_sleep(60)').catch((error: unknown) => error)

  await Promise.all([makeConnection(one), makeConnection(other)])
  const broken = await underWay
  expect(String(broken)).toContain('Connection terminated')
  expect(asRefusal(broken)).toMatchObject({ code: 'unavailable' })
  busy.release(true)
  for (const pool of [one, other])
    expect(await serversOf(pool)).toEqual(Array.from({ length: pool.options.max! }, () => standby.port))
  const epoch = await epochOf(one)
  expect(epoch).toBeGreaterThan(before)
  await until(() => told.every(epochs => epochs.length > 0), { what: 'both are told' })
  await pause(100)
  expect(told).toEqual([[epoch], [epoch]])
  // A rise of another copy of the same data at another time must not come to the same number.
  expect(Math.abs(epoch - (Date.now() - Date.UTC(2020, 0)) / 1_000)).toBeLessThan(600)
})

test('a primary whose disk was set back is another store', async () => {
  target.port = primary.port
  const pool = openPool()
  const pulse = await openPulse(pool)
  const epoch = pulse.epoch()
  await primary.stop('fast')
  execFileSync('cp', ['-a', primary.data, `${primary.data}-before`])
  await primary.start()
  await until(() => pulse.unready() === undefined, { what: 'it is back' })
  await pool.query('CREATE TABLE more AS SELECT * FROM generate_series(1, 20000)')
  await makeConnection(pool)
  expect(pulse.epoch()).toBe(epoch)
  await primary.stop('fast')
  execFileSync('rm', ['-r', primary.data])
  execFileSync('mv', [`${primary.data}-before`, primary.data])
  await primary.start()
  await until(() => pulse.epoch() > epoch, { what: 'the epoch has risen' })
  expect(await epochOf(pool)).toBe(pulse.epoch())
})
