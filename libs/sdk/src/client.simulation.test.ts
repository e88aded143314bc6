/**
 * Whole clients against a model server over a simulated network, on a simulated clock: whatever order of sends, cuts,
 * losses, crashes, changes of membership and restored backups fast-check thinks of, the promises hold.
 */
import { conversationOf, foldAll, limits } from '@flotilla/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { placeOf } from './simulation/changes.testbed.ts'
import { Device, type Held, type Verb, verbNames } from './simulation/device.testbed.ts'
import { calm, ModelServer, type Trouble } from './simulation/model-server.testbed.ts'
import { dice, SimClock } from './simulation/sim-clock.testbed.ts'
import type { HistoryStart } from './sync.ts'

const conversations = ['c1', 'c2', 'c3'] as const
const users = ['ann', 'bob'] as const
const ghost = 'zoe'

type Step = { waitMs: number } & (
  | { do: 'send'; user: number; conversation: number; count: number }
  | { do: 'ask'; user: number; conversation: number }
  | { do: 'change'; user: number; conversation: number; verb: Verb; nths: number[] }
  | { do: 'outlive'; conversation: number; nth: number }
  | { do: 'post'; conversation: number; count: number }
  | { do: 'cut' | 'silence' | 'crash' | 'restart' | 'wipe' | 'wake' | 'expire'; user: number }
  | { do: 'remove' | 'add'; user: number; conversation: number; isShownAll: boolean }
  | { do: 'readd'; user: number; conversation: number; isShownAll: boolean; afterMs: number }
  | { do: 'restore'; loseMax: number }
  | { do: 'set' | 'sleep'; ms: number }
  | { do: 'trouble'; trouble: Trouble }
)

const user = fc.nat(users.length - 1)
const conversation = fc.nat(conversations.length - 1)
const share = fc.constantFrom(0, 0, 0.1, 0.5)
const waitMs = fc.oneof(fc.nat(300), fc.nat(15_000))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      waitMs,
      do: fc.constant('send' as const),
      user,
      conversation,
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ waitMs, do: fc.constant('ask' as const), user, conversation }) },
  {
    weight: 8,
    arbitrary: fc.record({
      waitMs: fc.oneof(fc.nat(300), waitMs),
      do: fc.constant('change' as const),
      user,
      conversation,
      verb: fc.constantFrom(...verbNames),
      nths: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ waitMs, do: fc.constant('outlive' as const), conversation, nth: fc.nat(4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      waitMs,
      do: fc.constant('post' as const),
      conversation,
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 90 })),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      waitMs,
      do: fc.constantFrom(
        'cut' as const,
        'silence' as const,
        'crash' as const,
        'restart' as const,
        'wipe' as const,
        'wake' as const,
        'expire' as const,
      ),
      user,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      waitMs,
      do: fc.constantFrom('remove' as const, 'add' as const),
      user,
      conversation,
      isShownAll: fc.boolean(),
    }),
  },
  // Out, and in again before everybody has heard of it.
  {
    weight: 2,
    arbitrary: fc.record({
      waitMs,
      do: fc.constant('readd' as const),
      user,
      conversation,
      isShownAll: fc.boolean(),
      afterMs: fc.nat(1_500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ waitMs, do: fc.constant('restore' as const), loseMax: fc.nat(8) }) },
  // The clock on the wall is set by up to an hour, forward or back; or everybody's machine sleeps.
  {
    weight: 1,
    arbitrary: fc.record({
      waitMs,
      do: fc.constantFrom('set' as const, 'sleep' as const),
      ms: fc.integer({ min: -3_600_000, max: 3_600_000 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      waitMs,
      do: fc.constant('trouble' as const),
      trouble: fc.record({
        losePublish: share,
        duplicate: share,
        refuse: share,
        hang: fc.constantFrom(0, 0, 0.1),
        delay: share,
        refuseConnect: share,
        narrow: fc.constantFrom(0, 0, 3),
      }),
    }),
  },
)

class World {
  readonly clock = new SimClock()
  readonly server: ModelServer
  readonly devices: Device[]

  readonly history: HistoryStart

  constructor(seed: number, how: { transactional: boolean; history: HistoryStart; isOld: boolean }) {
    this.history = how.history
    this.server = new ModelServer(this.clock, dice(seed))
    this.server.isOld = how.isOld
    this.devices = users.map(name => new Device(this.server, name, how))
    this.server.create('c1', ghost, users)
    this.server.create('c2', 'ann', ['bob', ghost])
    this.server.create('c3', 'bob', [ghost])
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const device of this.devices) await this.#finish(device.start())
    for (const step of steps) {
      await this.clock.advance(step.waitMs)
      await this.#do(step)
    }
    await this.#heal()
  }

  async #do(step: Step): Promise<void> {
    const { server } = this
    const device = 'user' in step ? this.devices[step.user] : undefined
    const conversation = 'conversation' in step ? (conversations[step.conversation] ?? 'c1') : 'c1'
    switch (step.do) {
      case 'send':
        for (let count = 0; count < step.count; count++) device?.send(conversation)
        return
      case 'ask':
        return device?.ask(conversation)
      case 'change':
        for (const nth of step.nths) device?.change(step.verb, conversation, nth)
        return
      case 'outlive':
        return this.#outlive(conversation, step.nth)
      case 'post':
        for (let count = 0; count < step.count; count++)
          server.append(conversation, { event: 'message.new', by: ghost, clientId: `g${count}`, body: { text: 'x' } })
        return
      case 'cut':
        return device?.cut()
      case 'silence':
        return device?.fallSilent()
      case 'wake':
        return device?.client?.wake()
      case 'expire':
        return server.expireToken(device?.user ?? '')
      case 'crash':
        await device?.noteKept()
        device?.crash()
        return device && this.#finish(device.start())
      case 'restart':
        if (device === undefined) return
        await this.#finish(device.stop())
        return this.#finish(device.start())
      case 'wipe':
        if (device === undefined) return
        await this.#finish(device.stop())
        device.wipe()
        return this.#finish(device.start())
      case 'remove':
      case 'add':
        return this.#admit(conversation, device?.user ?? '', step.do === 'add', step.isShownAll)
      case 'readd':
        this.#admit(conversation, device?.user ?? '', false)
        await this.clock.advance(step.afterMs)
        return this.#admit(conversation, device?.user ?? '', true, step.isShownAll)
      case 'restore':
        return server.restore(step.loseMax)
      case 'trouble':
        server.trouble = step.trouble
        return
      case 'set':
        return this.clock.set(step.ms)
      case 'sleep':
        return this.clock.sleep(Math.abs(step.ms))
    }
  }

  /** The nth message from the end has had its time. */
  #outlive(conversation: string, nth: number): void {
    const messages = this.server.entries(conversation, 0).filter(one => one.event === 'message.new')
    const target = messages.at(-1 - nth)
    if (target === undefined || target.removed !== undefined) return
    const body = { text: 'This message has expired.' }
    this.server.append(conversation, { event: 'messages.expired', by: ghost, targets: [target.seq], body })
  }

  /** @param isShownAll what was said before as well */
  #admit(conversation: string, user: string, isIn: boolean, isShownAll = false): void {
    const { server } = this
    if (server.members(conversation).has(user) === isIn) return
    const members = [{ user, role: 'member' as const }]
    const since = isShownAll ? { since: 1 } : {}
    if (isIn) server.append(conversation, { event: 'member.added', by: ghost, members, ...since })
    else server.append(conversation, { event: 'member.removed', by: ghost, user })
  }

  /** The network is well again, and the nodes say now and then how far things are (P6). */
  async #heal(): Promise<void> {
    this.server.trouble = calm
    for (const device of this.devices) if (device.client === undefined) await this.#finish(device.start())
    for (let round = 0; round < 12; round++) {
      await this.clock.advance(10_000)
      for (const socket of this.server.sockets) this.server.tellHeads(socket)
    }
    await this.clock.advance(10_000)
  }

  /** Something that needs the clock to move before it is done. */
  async #finish(work: Promise<void>): Promise<void> {
    const progress = { done: false }
    const settled = work.finally(() => (progress.done = true))
    for (let tries = 0; !progress.done && tries < 2_000; tries++) await this.clock.advance(20)
    if (!progress.done) throw new Error('it does not end')
    await settled
  }
}

function check({ server, devices, history }: World): void {
  for (const device of devices) {
    const viewed = conversationOf(device.user)
    expect(device.violations, device.user).toEqual([])
    // Whole (P5): everything that the person may see is held, from the beginning or from where it was called off.
    for (const name of conversations) {
      const since = server.members(name).get(device.user)
      const held = device.held.get(name)
      if (since === undefined) {
        if (held !== undefined) expect.fail(`${device.user} still holds ${name}`)
        continue
      }
      // All of it was read when the device came to know it.
      if (held === undefined && history === 'unread' && server.read.get(`${name} ${device.user}`) === server.head(name))
        continue
      expect(held, `${device.user} has nothing of ${name}`).toBeDefined()
      if (held === undefined) continue
      const wentOn = heldRemoval(held, device.user)
      if (wentOn === since - 1) expect(held.start).toBeLessThan(since - 1)
      else if (wentOn !== undefined) expect(held.start).toBeGreaterThanOrEqual(since - 1)
      else if (!held.resynced && history === 'all') expect(held.start, `${device.user} ${name} start`).toBe(since - 1)
      else expect(held.start).toBeGreaterThanOrEqual(since - 1)
      // Never less than the latest page.
      if (!held.resynced && history === 'latest' && wentOn === undefined)
        expect(held.start).toBeLessThanOrEqual(Math.max(since - 1, held.firstHead - limits.resumeLatestMax))
      const entries = server.entries(name, held.start, undefined, device.user)
      expect(held.entries.map(placeOf), `${device.user} ${name}`).toEqual(entries.map(placeOf))
      // Some were heard as they happened, some as they stood then: folded they say the same.
      // And so they do in whatever order, and twice, as with pages that are read beside.
      const mixed = shuffled([...held.entries, ...entries], server.random)
      const [shown, stands, jumbled] = [held.entries, entries, mixed].map(list => foldAll(viewed, list))
      expect(shown, `${device.user} ${name} folded`).toEqual(stands)
      expect(jumbled, `${device.user} ${name} folded in any order`).toEqual(stands)
      expect(server.delivered.get(`${name} ${device.user}`), `${device.user} ${name} delivered`).toBe(server.head(name))
    }
    checkSends(server, device)
  }
}

/**
 * Out and in again while the device was away, with nothing in between or with all of it shown: what it holds goes on without
 * a gap, over the removal.
 */
function heldRemoval({ entries }: Held, user: string): number | undefined {
  return entries.findLast(one => one.event === 'member.removed' && one.user === user)?.seq
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const ranked = list.map(item => ({ item, rank: random() }))
  return ranked.sort((one, other) => one.rank - other.rank).map(({ item }) => item)
}

function checkSends(server: ModelServer, device: Device): void {
  expect(device.client?.pending().map(send => send.clientId)).toEqual([])
  const places = new Map<string, number>()
  for (const send of device.sends) {
    const rows = server
      .entries(send.conversation, 0)
      .filter(entry => 'clientId' in entry && entry.clientId === send.clientId)
    expect(rows.length, `rows of ${send.clientId}`).toBeLessThanOrEqual(1)
    const [row] = rows
    // What changes nothing is answered by the entry that has said so already, or by none.
    if (row === undefined && send.op !== 'message.send' && send.ack !== undefined) continue
    if (send.ack !== undefined && send.ack.epoch === server.epoch) expect(row?.seq, send.clientId).toBe(send.ack.seq)
    if (send.failed !== undefined) {
      expect(['not_a_member', 'message_unknown', 'role_insufficient', 'vote_refused'], send.clientId).toContain(
        send.failed,
      )
      expect(row, send.clientId).toBeUndefined()
    }
    if (send.ack === undefined && send.failed === undefined && send.kept && send.lost !== true)
      expect(row, `${send.clientId} was neither sent nor refused`).toBeDefined()
    if (row === undefined) continue
    // In the order of the sends, whatever was tried again, but for what a backup had lost after it was acknowledged.
    if (send.lost === true || send.restored === true) continue
    expect(row.seq, `${send.clientId} in order`).toBeGreaterThan(places.get(send.conversation) ?? 0)
    places.set(send.conversation, row.seq)
  }
}

const runs = Number(process.env['SIMULATION_RUNS'] ?? 60)
const timeout = Math.max(120_000, runs * 100)

test('exactly once, in order, whole or called off, and every send one row: through anything', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.record({
        transactional: fc.boolean(),
        history: fc.constantFrom('latest' as const, 'unread' as const, 'all' as const),
        isOld: fc.boolean(),
      }),
      fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }),
      async (seed, how, steps) => {
        const world = new World(seed, how)
        await world.run(steps)
        check(world)
      },
    ),
    { numRuns: runs },
  )
})

test('behind a line that carries little, everything arrives, and it is soon asked for in what the line carries', async () => {
  const world = new World(1, { transactional: true, history: 'all', isOld: false })
  const { server, clock, devices } = world
  const ann = devices[0]!
  const posted = 55
  for (let count = 0; count < posted; count++)
    server.append('c1', { event: 'message.new', by: ghost, clientId: `g${count}`, body: { text: 'x' } })
  server.trouble = { ...calm, narrow: 2 }
  const started = ann.start()
  const isTold = () => server.delivered.get('c1 ann') === server.head('c1')
  for (let round = 0; round < 600 && !isTold(); round++) await clock.advance(100)
  await started
  check({ server, devices: [ann], history: 'all' } as World)
  // Halved until it fits, and grown too far now and then, ever more seldom.
  expect(server.slowCloses).toBeGreaterThan(0)
  expect(server.slowCloses).toBeLessThan(10)
}, 30_000)
