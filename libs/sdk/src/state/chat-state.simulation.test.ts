/**
 * The state of a chat against a model server over a simulated network: whatever is read, sent, lost, repeated and restored,
 * what is shown has no gap, and in the end it is what somebody sees who reads it for the first time.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Client } from '../client.ts'
import { calm, ModelServer, ModelSocket, type Trouble } from '../simulation/model-server.testbed.ts'
import { dice, SimClock } from '../simulation/sim-clock.testbed.ts'
import type { Store } from '../store.ts'
import { createMemoryStore } from '../store-memory.ts'
import type { ChatArchive } from './archive.ts'
import { createMemoryArchive } from './archive.testbed.ts'
import { createChatState } from './chat-state.ts'
import { heldMax } from './log.ts'
import type { ChatState, MessageRow, Row, Timeline, TimelineView } from './views.ts'

type Step = { waitMs: number } & (
  | { do: 'send' | 'edit' | 'remove' | 'post'; count: number }
  | { do: 'older' | 'newer' | 'latest' | 'cut' | 'crash' | 'leave' | 'silence' }
  | { do: 'jump'; at: number }
  | { do: 'restore'; loseMax: number }
  | { do: 'trouble'; trouble: Trouble }
)

const share = fc.constantFrom(0, 0, 0.1, 0.5)
const waitMs = fc.oneof(fc.nat(300), fc.nat(15_000))
const count = fc.oneof(
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 30, max: 120 }),
)
const named = <const N extends Step['do']>(...names: N[]) => fc.record({ waitMs, do: fc.constantFrom(...names) })
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ waitMs, do: fc.constantFrom('send', 'edit', 'remove'), count: fc.nat(4) }) },
  { weight: 5, arbitrary: fc.record({ waitMs, do: fc.constant('post'), count }) },
  { weight: 6, arbitrary: named('older', 'older', 'newer', 'latest') },
  {
    weight: 4,
    arbitrary: fc.record({ waitMs, do: fc.constant('jump'), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 3, arbitrary: named('cut', 'crash', 'leave', 'silence') },
  { weight: 1, arbitrary: fc.record({ waitMs, do: fc.constant('restore'), loseMax: fc.nat(8) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      waitMs,
      do: fc.constant('trouble'),
      trouble: fc.record({
        losePublish: share,
        duplicate: share,
        refuse: share,
        hang: fc.constantFrom(0, 0, 0.1),
        refuseConnect: share,
        narrow: fc.constant(0),
      }),
    }),
  },
) as fc.Arbitrary<Step>

/** One person's application: a client, its state, and a timeline that is looked at. */
class Reader {
  readonly user: string
  client!: Client
  state!: ChatState
  timeline!: Timeline
  #server: ModelServer
  #store: Store = createMemoryStore()
  #archive: ChatArchive
  #sends = 0
  #sockets: ModelSocket[] = []
  #kill = () => {}
  #end = () => {}

  constructor(server: ModelServer, user: string, archive: ChatArchive = createMemoryArchive()) {
    this.#server = server
    this.user = user
    this.#archive = archive
  }

  start(): Promise<void> {
    const server = this.#server
    const clock = server.clock.process()
    const sockets: ModelSocket[] = (this.#sockets = [])
    let token = ''
    this.client = new Client({
      api: 'http://api',
      getToken: async ({ expired }) => (expired || token === '' ? (token = server.token(this.user)) : token),
      store: this.#store,
      logger: { debug() {}, warn() {} },
      clock,
      random: server.random,
      uuid: () => `${this.user}-${++this.#sends}`,
      fetch: server.fetch,
      WebSocket: class extends ModelSocket {
        constructor(url: string) {
          super(server, url)
          sockets.push(this)
        }
      },
    })
    this.state = createChatState(this.client, { archive: this.#archive, clock })
    this.timeline = this.state.timeline('c1')
    this.#end = this.timeline.subscribe(() => void this.timeline.get())
    this.#kill = () => clock.kill()
    return this.client.start()
  }

  look(isLooking: boolean): void {
    this.#end()
    this.#end = isLooking ? this.timeline.subscribe(() => void this.timeline.get()) : () => {}
  }

  cut(): void {
    for (const socket of this.#sockets) socket.end(1006)
  }

  fallSilent(): void {
    for (const socket of this.#sockets) socket.silent = true
  }

  crash(): void {
    this.#kill()
    for (const socket of this.#sockets) socket.close()
  }
}

const isMessage = (row: Row): row is MessageRow => row.kind === 'message'
const stored = ({ rows }: TimelineView) => rows.filter(row => row.kind === 'notice' || row.state === 'sent')
const seqsOf = (view: TimelineView) => stored(view).flatMap(({ seq }) => (seq === undefined ? [] : [seq]))

class World {
  readonly clock = new SimClock()
  readonly server: ModelServer
  readonly ann: Reader
  #calls = new Set<Promise<void>>()

  constructor(seed: number) {
    this.server = new ModelServer(this.clock, dice(seed))
    this.server.create('c1', 'zoe', ['ann'])
    this.post(30)
    this.ann = new Reader(this.server, 'ann')
  }

  post(count: number): void {
    for (let nth = 0; nth < count; nth++)
      this.server.append('c1', {
        event: 'message.new',
        by: 'zoe',
        clientId: `z${this.server.head('c1')}`,
        body: { text: `${nth}` },
        ...(nth % 7 === 3 ? { replyTo: this.server.head('c1') } : {}),
      })
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.finish(this.ann.start())
    for (const step of steps) {
      await this.clock.advance(step.waitMs)
      const before = this.ann.timeline.get()
      const isQuiet = this.#calls.size === 0
      await this.#do(step)
      const after = this.ann.timeline.get()
      this.check(after)
      // Nothing but a step of one's own brings anything into a window that is not at the head.
      const isOwn = ['send', 'older', 'newer', 'latest', 'jump', 'crash', 'leave', 'restore'].includes(step.do)
      if (before.hasNewer && isQuiet && !isOwn && after.discontinuity === before.discontinuity && after.hasNewer)
        expect(seqsOf(after)).toEqual(seqsOf(before))
    }
    await this.#heal()
  }

  async #do(step: Step): Promise<void> {
    const { server, ann } = this
    const own = stored(ann.timeline.get())
      .filter(isMessage)
      .filter(row => row.own && row.removed === undefined)
    switch (step.do) {
      case 'send':
        for (let nth = 0; nth < step.count; nth++) {
          const { clientId } = ann.timeline.send({ body: { text: `own ${nth}` } })
          const view = ann.timeline.get()
          // The row is there at once, at the end.
          expect(view.hasNewer).toBe(false)
          expect(view.rows.at(-1)?.key).toBe(clientId)
        }
        return
      case 'edit':
        for (const { seq } of own.slice(-step.count))
          ann.client.edit({ conversation: 'c1', target: seq!, body: { text: `edited ${server.head('c1')}` } })
        return
      case 'remove':
        for (const { seq } of own.slice(0, step.count)) server.remove('c1', seq!)
        return
      case 'post':
        return this.post(step.count)
      case 'older':
      case 'newer':
      case 'latest':
        return this.#call(ann.timeline[step.do]())
      case 'jump':
        return this.#call(ann.timeline.jump(1 + Math.floor(step.at * server.head('c1'))))
      case 'cut':
        return ann.cut()
      case 'silence':
        return ann.fallSilent()
      case 'leave':
        ann.look(false)
        await this.clock.advance(50)
        return ann.look(true)
      case 'crash':
        ann.crash()
        return this.finish(ann.start())
      case 'restore':
        return server.restore(step.loseMax)
      case 'trouble':
        server.trouble = step.trouble
    }
  }

  #call(call: Promise<void>): void {
    this.#calls.add(call)
    void call.finally(() => this.#calls.delete(call))
  }

  /** What must be true of every view. */
  check({ rows, loading, error }: TimelineView): void {
    const keys = rows.map(({ key }) => key)
    expect(new Set(keys).size, 'keys').toBe(keys.length)
    const seqs = seqsOf({ rows } as TimelineView)
    // While it begins anew it shows what there was, and what was sent since may have the seq of something that is lost.
    if (loading !== 'first' && error === undefined) expect(seqs).toEqual([...seqs].sort((one, other) => one - other))
    expect(seqs.length).toBeLessThanOrEqual(heldMax + 20)
  }

  async #heal(): Promise<void> {
    this.server.trouble = calm
    this.ann.look(true)
    for (let round = 0; round < 12; round++) {
      await this.clock.advance(10_000)
      for (const socket of this.server.sockets) this.server.tellHeads(socket)
    }
    await this.clock.advance(10_000)
    this.gapless()
  }

  /** Between the first and the last row that are shown nothing is missing. */
  gapless(): void {
    const seqs = seqsOf(this.ann.timeline.get())
    const first = seqs[0] ?? 0
    const last = seqs.at(-1) ?? 0
    const entries = this.server
      .entries('c1', first - 1, last)
      .filter(({ event }) => /^(message\.new|con|mem)/.test(event))
    expect(seqs).toEqual(entries.map(({ seq }) => seq))
  }

  /** Something that needs the clock to move before it is done. */
  async finish(work: Promise<void>): Promise<void> {
    const progress = { isDone: false }
    const settled = work.finally(() => (progress.isDone = true))
    for (let tries = 0; !progress.isDone && tries < 2_000; tries++) await this.clock.advance(20)
    await settled
  }
}

/** What somebody sees who reads it for the first time, as far as both see it. */
async function compare(world: World): Promise<void> {
  const { server, ann } = world
  await world.finish(ann.timeline.latest())
  const fresh = new Reader(server, 'ann')
  await world.finish(fresh.start())
  await world.finish(fresh.timeline.latest())
  for (let pages = 0; pages < 10; pages++) {
    // Quotes that no page brought are read by themselves.
    await world.clock.advance(1_000)
    world.gapless()
    const [one, other] = [ann.timeline.get(), fresh.timeline.get()]
    expect(one.hasNewer).toBe(false)
    expect(one.loading).toBe('none')
    const shared = Math.min(stored(one).length, stored(other).length)
    expect(stored(one).slice(-shared)).toEqual(stored(other).slice(-shared))
    expect(one.rows.filter(row => isMessage(row) && row.state === 'sending')).toEqual([])
    if (!one.hasOlder || one.rows.length > heldMax - 60) break
    await world.finish(ann.timeline.older())
    await world.finish(fresh.timeline.older())
  }
  expect(ann.state.conversations.get()).toEqual(fresh.state.conversations.get())
  await world.finish(fresh.state.stop())
}

const troubled = (trouble: Partial<Trouble>): Step => ({ waitMs: 0, do: 'trouble', trouble: { ...calm, ...trouble } })

/** What runs have found. */
const found: [seed: number, steps: Step[]][] = [
  // The list was read before the store was restored, and nothing else.
  [711056912, [troubled({ refuse: 0.5 }), { waitMs: 142, do: 'restore', loseMax: 5 }, { waitMs: 0, do: 'older' }]],
  // An acknowledged message was lost with the end of the log.
  [
    0,
    [
      { waitMs: 0, do: 'send', count: 1 },
      { waitMs: 98, do: 'restore', loseMax: 1 },
      { waitMs: 18, do: 'cut' },
    ],
  ],
  // A notice came live, and not by a page.
  [
    0,
    [troubled({ hang: 0.1, refuseConnect: 0.5 }), { waitMs: 174, do: 'send', count: 0 }, { waitMs: 94, do: 'older' }],
  ],
  // The device began with later entries than the list.
  [-1072293281, [{ waitMs: 61, do: 'post', count: 51 }]],
  // A quote was refused while the connection stood.
  [
    0,
    [
      { waitMs: 0, do: 'jump', at: 0 },
      troubled({ refuseConnect: 0.5 }),
      { waitMs: 476, do: 'restore', loseMax: 0 },
      { waitMs: 4642, do: 'send', count: 0 },
    ],
  ],
]

const runs = Number(process.env['SIMULATION_RUNS'] ?? 60)
const timeout = Math.max(120_000, runs * 100)

test('whatever is read, sent, lost and repeated: no gap, and what a fresh reader sees', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(step, { minLength: 1, maxLength: 25, size: 'max' }),
      async (seed, steps) => {
        const world = new World(seed)
        await world.run(steps)
        await compare(world)
      },
    ),
    { numRuns: runs, examples: found },
  )
})
