/** Tests only: the stores on which the suites run, and nodes whose sockets are lists. */
import { randomBytes } from 'node:crypto'
import { startRedisCluster, testRedis, until } from '@flotilla/testing'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { type Clock, systemClock } from './clock.ts'
import type { Delivery } from './envelope.ts'
import { createMemoryBus, createMemoryRouting } from './memory.ts'
import type { Missed } from './missed.ts'
import { createNode, type NodePorts, type RoutingNode } from './node.ts'
import { createRedisRouting } from './redis.ts'
import type { FleetKeys } from './seal.ts'
import type { Absence } from './absences.ts'
import type { RoutedFrame } from './router.ts'
import type { NodeSettings } from './settings.ts'
import type { RoutingStore } from './store.ts'
import type { PresenceChange } from './watching.ts'

/** Of the fleet that the suites are. */
export const fleetKeys: FleetKeys = [{ id: 'test', key: randomBytes(32) }]

export const quietLogger = { debug() {}, info() {}, warn() {}, error() {} }

/** Of a connection to a Redis that is well: a machine that stands still for seconds is no outage. */
export const patientLink = { commandMsMax: 60_000, connectMsMax: 60_000, silentMsMax: 60_000, readyWaitMsMax: 60_000 }

/** The true time, but what is due after just so many ms is due when the test says so. */
export function holdTimers(heldMs: number) {
  const held = new Set<() => void>()
  const clock: Clock = {
    ...systemClock,
    after(ms, run) {
      if (ms !== heldMs) return systemClock.after(ms, run)
      held.add(run)
      return () => held.delete(run)
    },
  }
  return {
    clock,
    /** Runs what is held, in its order. */
    release() {
      const due = Array.from(held)
      for (const run of due) if (held.delete(run)) run()
    },
  }
}

/** Somewhere that nodes can meet. */
export interface Bed {
  /** Opens one more store in the same place. */
  open(): Promise<RoutingStore>
  /** Moves to another place, in which nobody has been. */
  renew(): void
  close(): Promise<void>
}

function onRedis(url: string, keyPrefix: string, close: () => Promise<void>): Bed {
  let turn = 1
  return {
    open: () =>
      createRedisRouting({ url, keyPrefix: `${keyPrefix}${turn}`, fleetKeys, logger: quietLogger, ...patientLink }),
    renew() {
      turn++
    },
    close,
  }
}

export const beds = {
  memory: async (): Promise<Bed> => {
    let bus = createMemoryBus()
    return {
      open: async () => createMemoryRouting(bus),
      renew() {
        bus = createMemoryBus()
      },
      close: async () => {},
    }
  },
  redis: async (): Promise<Bed> => {
    const redis = await testRedis()
    return onRedis(redis.url, redis.keyPrefix, () => redis.stop())
  },
  'redis cluster': async (): Promise<Bed> => {
    const cluster = await startRedisCluster()
    return onRedis(cluster.url, '', () => cluster.stop())
  },
}

/** A lease for the tests in which one must run out. */
export const shortLeaseMs = 1_500

/** What a test waits for is quick; what would be a fault of its own on a machine that stands still for seconds is slow. */
const quickSettings: Partial<NodeSettings> = {
  beatMs: 100,
  leaseMs: 60_000,
  retryMs: 50,
  earlyBeatMs: 20,
  echoMsMax: 60_000,
  suspectMarginMs: 0,
  suspectGatherMs: 10,
  suspectPauseMs: 10,
  suspectJitterMs: 0,
  unreadablePauseMs: 200,
  absenceGatherMs: 50,
  presenceGatherMs: 50,
  sweepClaimMs: 60_000,
  // What finds everything in the end must not hide that the quick way does not work.
  presenceRecheckMs: 60_000,
  auditNamesMax: 0,
}

export interface TestNode extends RoutingNode {
  readonly store: RoutingStore
  /** Who has a socket here, and the frames that it got. */
  readonly sockets: Map<string, string[]>
  /** Conversations of interest here, and the frames that came for them, with the version. */
  readonly interests: Map<string, string[]>
  readonly entries: unknown[]
  /** Of what was no entry. */
  readonly deliveries: Delivery[]
  readonly absences: Absence[]
  /** For how long something may have been lost, in ms, by suspicion. */
  readonly suspicions: number[]
  /** Whose signals may have been lost, by suspicion. */
  readonly missing: Missed[]
  readonly changes: PresenceChange[]
  /** Opens a socket as a gateway does. */
  open(user: string): Promise<void>
  /** Closes a person's last socket as a gateway does. */
  shut(user: string): Promise<void>
  /** Ends as a process that was killed: says nothing to anybody. */
  crash(): Promise<void>
}

export interface TestNodeOptions {
  readonly settings?: Partial<NodeSettings>
  readonly kind?: 'gateway' | 'api'
  readonly clock?: Clock
}

/** A store that can be cut off, as when its process is killed. */
function mortal(store: RoutingStore): RoutingStore & { cut(): void } {
  let isCut = false
  const guard = <T extends object>(contract: T): T =>
    new Proxy(contract, {
      get(target, name) {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        return (...args: unknown[]) => {
          if (!isCut || name === 'state' || name === 'renew') return method.apply(target, args)
          const error = new Error('unable to do anything: crashed')
          if (name === 'entries') throw error
          return Promise.reject(error)
        }
      },
    })
  return {
    broker: guard(store.broker),
    whereabouts: guard(store.whereabouts),
    leases: guard(store.leases),
    counters: guard(store.counters),
    refusals: store.refusals,
    close: () => store.close(),
    cut() {
      isCut = true
    },
  }
}

/** Starts a node on a store of its own. */
export async function startNode(
  id: string,
  intactStore: RoutingStore,
  options: TestNodeOptions = {},
): Promise<TestNode> {
  const store = mortal(intactStore)
  const sockets = new Map<string, string[]>()
  const interests = new Map<string, string[]>()
  const entries: unknown[] = []
  const deliveries: Delivery[] = []
  const absences: Absence[] = []
  const suspicions: number[] = []
  const missing: Missed[] = []
  const changes: PresenceChange[] = []
  const ports: NodePorts = {
    deliver(users, frame, delivery) {
      if (delivery.class === 'entry') entries.push(delivery.entry)
      else deliveries.push(delivery)
      return users.filter(user => sockets.get(user)?.push(frame) === undefined)
    },
    deliverByInterest: ({ conversation, version }, frame) =>
      void interests.get(conversation)?.push(`${version} ${frame}`),
    absent: list => void absences.push(...list),
    suspect(ageMs, missed) {
      suspicions.push(ageMs)
      missing.push(missed)
    },
    presenceChanged: list => void changes.push(...list),
  }
  const node = createNode({
    id,
    store,
    ports,
    info: () => ({
      kind: options.kind ?? 'gateway',
      url: `ws://${id}`,
      region: 'here',
      connections: sockets.size,
      accepting: true,
    }),
    logger: quietLogger,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    settings: { ...quickSettings, ...options.settings },
  })
  await node.start()
  return {
    ...node,
    store,
    sockets,
    interests,
    entries,
    deliveries,
    absences,
    suspicions,
    missing,
    changes,
    async open(user) {
      sockets.set(user, [])
      await node.connect(user)
    },
    async shut(user) {
      sockets.delete(user)
      await node.disconnect(user)
    },
    async crash() {
      sockets.clear()
      store.cut()
      await store.close()
    },
  }
}

/** Nodes for the tests of one suite, all on one bed; each test finds it empty. */
export function useNodes(makeBed: () => Promise<Bed>) {
  let bed: Bed
  let nodes: TestNode[] = []
  let count = 0
  beforeAll(async () => {
    bed = await makeBed()
  })
  afterAll(() => bed.close())
  afterEach(async () => {
    for (const node of nodes) {
      await node.stop()
      await node.store.close()
    }
    nodes = []
    bed.renew()
  })

  const nextId = () => `node-${count + 1}`
  /** @param change what the node's store does otherwise */
  async function start(options: TestNodeOptions = {}, change = (store: RoutingStore) => store): Promise<TestNode> {
    const id = nextId()
    count++
    return again(id, options, change)
  }
  async function again(id: string, options: TestNodeOptions = {}, change = (store: RoutingStore) => store) {
    const node = await startNode(id, change(await bed.open()), options)
    nodes.push(node)
    return node
  }
  return {
    start,
    /** Starts one more node with this name. */
    again,
    /** The name of the node that is started next. */
    nextId,
    open: () => bed.open(),
    async startThree(options: TestNodeOptions = {}) {
      const [a, b, c] = [await start(options), await start(options), await start(options)]
      await until(() => [a, b, c].every(node => node.state() === 'up'), { what: 'all are up' })
      return [a, b, c] as const
    },
    /** A name that no other test uses. */
    fresh: (name: string) => `${name}-${++count}`,
  }
}

let clientIds = 0
export const frame = (text: string) => JSON.stringify({ event: 'message.new', text, clientId: ++clientIds })

export const entryFrame = (to: RoutedFrame['to'], text: string, seq = 1): RoutedFrame => ({
  to,
  frame: frame(text),
  class: 'entry',
  entry: { conversation: 'talk', seq },
})

export const signalFrame = (to: readonly string[], text: string): RoutedFrame => ({
  to,
  frame: JSON.stringify({ event: 'block.changed', user: text, blocked: true }),
  class: 'signal',
})

/** What the store has for a place. */
export async function entered(node: TestNode, place: string): Promise<string[]> {
  const names: string[] = []
  for await (const chunk of node.store.whereabouts.entries(place)) names.push(...chunk.map(({ name }) => name))
  return names
}
