/**
 * Clocks that are wrong and are set while people talk: two gateways, an API, a worker and a device, each a process with a
 * clock of its own that is stepped by up to a day; PostgreSQL, Redis and the other devices have the true one.
 */
import { textOf } from '@flotilla/protocol'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { jobs } from '@flotilla/chat'
import { type Client, createClient, createSignIn } from '@flotilla/sdk'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import {
  clocksMissing,
  dropFolder,
  type FaultProxy,
  freePort,
  makeConversation,
  makeFolder,
  makeSteppedClock,
  openTestChat,
  projectRoot,
  type StartedProcess,
  type SteppedClock,
  startFaultProxy,
  startProcess,
  startRedis,
  type TestChat,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClockDevice, DeviceLine } from './clock-device.testbed.ts'

const missing = clocksMissing()
if (missing !== undefined) console.warn(`skipped: ${missing}`)

const hourMs = 3_600_000
const password = 'correct horse battery'
/** Of talking, and of each step in it. */
const talkMs = 4_000
const stepMs = 500

interface Part {
  readonly clock: SteppedClock
  readonly process: StartedProcess
  readonly port: number
  log(): string
  metric(name: string): Promise<number>
}

const undo: (() => unknown)[] = []
let chat: TestChat
let shared: Record<string, string>
let gateways: [Part, Part]
let api: Part
let worker: Part
let proxy: FaultProxy

async function startPart(app: string, aheadMs: number, more: (port: number) => Record<string, string>): Promise<Part> {
  const folder = makeFolder(app)
  const clock = makeSteppedClock(aheadMs)
  const [port, operatorPort] = [await freePort(), await freePort()]
  const operator = (path: string) =>
    fetch(`http://127.0.0.1:${operatorPort}${path}`, { signal: AbortSignal.timeout(5_000) })
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: ['--conditions=source', join(projectRoot(), `apps/${app}/src/main.ts`)],
    folder,
    env: {
      ...shared,
      ...clock.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      OPERATOR_HOST: '127.0.0.1',
      OPERATOR_PORT: String(operatorPort),
      NODE_ID: `${app}-${port}`,
      STORAGE_FOLDER: join(folder, 'files'),
      ...more(port),
    },
    ready: async () => (await operator('/readyz')).ok,
  })
  undo.push(async () => {
    await process.end('SIGKILL')
    clock.drop()
    dropFolder(folder)
  })
  return {
    clock,
    process,
    port,
    log: () => readFileSync(join(folder, 'log'), 'utf8'),
    async metric(name) {
      const lines = (await (await operator('/metrics')).text()).split('\n')
      const values = lines.filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
  }
}

beforeAll(async () => {
  if (missing !== undefined) return
  const [database, redis] = await Promise.all([testDatabase(), startRedis()])
  const masterKeys = generateSecretKey('master')
  chat = await openTestChat(database.url, { masterKeys: parseSecretKeys(masterKeys) })
  undo.push(
    () => database.drop(),
    () => redis.stop(),
    () => chat.close(),
  )
  const { privateKey } = generateKeyPairSync('ed25519')
  shared = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    MASTER_KEYS: masterKeys,
    TICKET_KEYS: generateSecretKey('ticket'),
    REFRESH_KEYS: generateSecretKey('refresh'),
    TOKEN_KEYS: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    PING_INTERVAL_MS: '1000',
    REGISTRATIONS_MAX: '100',
    // On a busy machine every process is late now and then.
    EVENT_LOOP_DELAY_MS_MAX: '60000',
  }
  const gateway = (aheadMs: number) =>
    startPart('gateway', aheadMs, port => ({ PUBLIC_URL: `ws://127.0.0.1:${port}/v1/socket` }))
  // A day behind, 40 seconds ahead, three minutes ahead, an hour behind.
  const [one, other, first, second] = await Promise.all([
    gateway(-24 * hourMs),
    gateway(40_000),
    startPart('api', 180_000, () => ({ PUBLIC_URL: 'http://127.0.0.1' })),
    startPart('worker', -hourMs, () => ({})),
  ])
  gateways = [one, other]
  api = first
  worker = second
  proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: other.port } })
  undo.push(() => proxy.close())
})
afterAll(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

const url = () => `http://127.0.0.1:${api.port}`

interface Person {
  readonly user: string
  readonly client: Client
  /** The texts that it was given, in order. */
  readonly heard: { seq: number; text: string }[]
  readonly presence: string[]
  /** How its connections ended. */
  readonly ends: string[]
}

/** @param gateway where they connect, whatever the API says: so that both have somebody */
async function signUp(username: string, gateway: Part): Promise<Person> {
  const account = createSignIn(url())
  const { id: user } = await account.register({ username, password })
  const client = createClient({
    history: 'all',
    api: url(),
    getToken: account.getToken,
    WebSocket: class extends WebSocket {
      constructor(given: string) {
        super(`ws://127.0.0.1:${gateway.port}/v1/socket${new URL(given).search}`)
      }
    },
  })
  const person: Person = { user, client, heard: [], presence: [], ends: [] }
  client.on('message', ({ seq, body }) => void person.heard.push({ seq, text: textOf(body) }))
  client.on('presence', ({ user, online }) => void person.presence.push(`${user} ${online}`))
  client.on('state', state => {
    if (state.name === 'waiting' || state.name === 'stopped') person.ends.push(state.reason)
  })
  undo.push(() => client.stop())
  return person
}

async function startDevice(username: string): Promise<{ clock: SteppedClock; lines(): DeviceLine[] }> {
  const folder = makeFolder('device')
  const clock = makeSteppedClock()
  const device: ClockDevice = {
    api: url(),
    username,
    password,
    socket: `ws://127.0.0.1:${proxy.port}/v1/socket`,
    pingTimeoutMs: 1_000,
  }
  const lines = () =>
    readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      // The last one may be half written.
      .slice(0, -1)
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as DeviceLine)
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: ['--conditions=source', fileURLToPath(new URL('clock-device.testbed.ts', import.meta.url))],
    folder,
    env: { ...clock.env, CLOCK_DEVICE: JSON.stringify(device) },
    ready: async () => lines().some(line => 'state' in line && line.state === 'live'),
  })
  undo.push(async () => {
    await process.end('SIGKILL')
    clock.drop()
    dropFolder(folder)
  })
  return { clock, lines }
}

/** Sets every clock to somewhere else again and again, until the answer is called. */
function keepStepping(clocks: readonly SteppedClock[]): () => void {
  const places = [-hourMs, 40_000, 24 * hourMs, -40_000, 0, -24 * hourMs, 5_000, hourMs]
  let turn = 0
  const timer = setInterval(() => {
    clocks.forEach((clock, nth) => clock.step(places[(turn + nth * 3) % places.length]!))
    turn++
  }, stepMs)
  return () => clearInterval(timer)
}

test.skipIf(missing !== undefined)(
  'clocks that are wrong and are set while messages flow delay nothing, lose nothing and turn nobody away',
  async () => {
    const [ann, bob] = [await signUp('ann', gateways[0]), await signUp('bob', gateways[1])]
    const [eve, zoe] = [await signUp('eve', gateways[1]), await signUp('zoe', gateways[0])]
    const people = [ann, bob, eve, zoe]
    const users = people.map(person => person.user)
    const dan = await createSignIn(url()).register({ username: 'dan', password })
    const conversation = await makeConversation(chat.ctx.pool, [...users, dan.id])
    await Promise.all(people.slice(0, 3).map(person => person.client.start()))
    const isLive = (person: Person) => person.client.state.name === 'live'
    await until(() => people.slice(0, 3).every(isLive), { what: 'everybody is live', withinMs: 15_000 })
    const device = await startDevice('dan')
    await ann.client.watch([eve.user])

    const stop = keepStepping([...gateways, api, worker, device].map(part => part.clock))
    undo.push(stop)
    const asked: string[] = []
    const sends: Promise<unknown>[] = []
    let zoeStarted: Promise<void> | undefined
    const beganAt = performance.now()
    while (performance.now() - beganAt < talkMs) {
      for (const person of [ann, bob]) {
        asked.push(`ask ${asked.length}`)
        sends.push(person.client.send({ conversation, body: { text: asked.at(-1)! } }).acknowledged)
        person.client.typing(conversation)
      }
      await sleep(50)
      // Somebody comes, somebody goes: tickets and presence under clocks that jump.
      if (zoeStarted === undefined && performance.now() - beganAt > talkMs / 3) {
        zoeStarted = zoe.client.start()
        void eve.client.stop()
      }
    }
    // Its network dies without a word, while its clock goes back by an hour.
    device.clock.step(hourMs)
    await sleep(1_500)
    device.clock.step(0)
    // On a machine that stands still it may have come once more: the connection that it has now.
    const states = () => device.lines().flatMap(line => ('state' in line ? [line.state] : []))
    await until(() => states().at(-1) === 'live', { what: 'the device is live', withinMs: 15_000 })
    const ends = () => states().filter(state => state !== 'live').length
    const before = ends()
    proxy.halfOpen(true, { which: ({ open }) => open })
    await until(() => ends() > before, { what: 'the device notices its dead network', withinMs: 10_000 })
    await Promise.all([...sends, zoeStarted])
    stop()

    const texts = [...asked, ...asked.map(text => `answer ${text}`)].toSorted()
    const own = [ann, bob, zoe]
    for (const { heard } of own)
      await until(() => heard.length >= texts.length, { what: 'everything arrives', withinMs: 15_000 })
    for (const { heard, ends } of own) {
      // Once, in order, without a gap (P3, P4).
      expect(heard.map(({ text }) => text).toSorted()).toEqual(texts)
      expect(heard.map(({ seq }) => seq)).toEqual(heard.map((_, nth) => heard[0]!.seq + nth))
      // A machine that stands still may have them come once more; a clock that is wrong would do it again and again.
      expect(ends.filter((reason, nth) => nth > 0 || reason !== 'unavailable')).toEqual([])
    }
    await until(() => ann.presence.at(-1) === `${eve.user} false`, { what: 'eve is seen to be gone' })
    await until(() => device.lines().filter(line => 'seq' in line).length >= texts.length, {
      what: 'the device has everything',
      withinMs: 15_000,
    })
  },
)

test.skipIf(missing !== undefined)(
  'it is said how far a clock is off, and what is measured is right all the same',
  async () => {
    for (const [part, aheadMs] of [
      [gateways[0], -hourMs],
      [gateways[1], 40_000],
      [api, -120_000],
      [worker, 24 * hourMs],
    ] as const) {
      part.clock.step(aheadMs)
      await until(async () => Math.abs((await part.metric('flotilla_clock_skew_seconds')) - aheadMs / 1_000) < 5, {
        what: 'the skew is measured',
      })
      await until(() => part.log().includes('clock differs from that of postgres'), {
        what: 'it is said',
      })
      // Nothing measured was negative or as long as a clock was off.
      expect(await part.metric('flotilla_faults_total')).toBe(0)
    }
    for (const gateway of gateways) {
      const delivered = await gateway.metric('flotilla_delivery_seconds_count')
      expect(delivered).toBeGreaterThan(0)
      for (const name of ['flotilla_delivery_seconds', 'flotilla_command_seconds'])
        expect((await gateway.metric(`${name}_sum`)) / (await gateway.metric(`${name}_count`))).toBeLessThan(5)
    }
  },
)

test.skipIf(missing !== undefined)(
  'a worker whose clock is a day ahead or behind does what is due, and only that',
  async () => {
    const job: jobs.Job = { kind: 'nothing' }
    for (const aheadMs of [-24 * hourMs, 24 * hourMs]) {
      worker.clock.step(aheadMs)
      await jobs.add(chat.ctx, job)
      const left = async () =>
        (await chat.ctx.pool.query("SELECT 1 FROM jobs WHERE due_at < now() + interval '1 minute'")).rowCount
      await until(async () => (await left()) === 0, { what: 'the job is done' })
      await chat.ctx.pool.query(`UPDATE jobs SET due_at = now() + interval '1 hour'`)
    }
  },
)
