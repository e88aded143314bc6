/** Three nodes: what reaches whom, and how everything that gets lost is found. */
import { until } from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { RoutedFrame } from './router.ts'
import type { RoutingStore } from './store.ts'
import { type Bed, beds, startNode, type TestNode, type TestNodeOptions } from './testbed.ts'

let clientIds = 0
const frame = (text: string) => JSON.stringify({ event: 'message.new', text, clientId: ++clientIds })
const entryFrame = (to: RoutedFrame['to'], text: string, seq = 1): RoutedFrame => ({
  to,
  frame: frame(text),
  entry: { conversation: 'talk', seq },
})

/** What the store has for a place. */
async function entered(node: TestNode, place: string): Promise<string[]> {
  const names: string[] = []
  for await (const chunk of node.store.whereabouts.entries(place)) names.push(...chunk.map(({ name }) => name))
  return names
}

describe.each([
  ['memory', beds.memory],
  ['redis', beds.redis],
])('on %s', (_name, makeBed) => {
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

  async function start(options: TestNodeOptions = {}, change = (store: RoutingStore) => store): Promise<TestNode> {
    const node = await startNode(`node-${++count}`, change(await bed.open()), options)
    nodes.push(node)
    return node
  }
  async function startThree(options: TestNodeOptions = {}) {
    const [a, b, c] = [await start(options), await start(options), await start(options)]
    await until(() => [a, b, c].every(node => node.state() === 'up'), { what: 'all are up' })
    return [a, b, c] as const
  }
  const person = (name: string) => `${name}-${++count}`

  test('a frame reaches every socket of its people, on every node, once and unchanged', async () => {
    const [a, b, c] = await startThree()
    const [ann, bob, eve] = [person('ann'), person('bob'), person('eve')]
    await Promise.all([a.open(ann), b.open(bob), c.open(bob), c.open(ann), b.open(eve)])
    const sent = entryFrame([ann, bob], 'hello ñ€🚢 "quoted"')
    await a.route([sent])
    await until(() => [b, c].every(node => node.sockets.get(bob)?.length === 1), { what: 'the frame is there' })
    expect(a.sockets.get(ann)).toEqual([sent.frame])
    expect(b.sockets.get(bob)).toEqual([sent.frame])
    expect(c.sockets.get(ann)).toEqual([sent.frame])
    expect(c.sockets.get(bob)).toEqual([sent.frame])
    expect(b.sockets.get(eve)).toEqual([])
    expect(b.entries).toEqual([sent.entry])
    expect(c.stats.envelopeFrames).toBe(1)
    expect([a, b, c].flatMap(node => node.absences)).toEqual([])
  })

  test('a loop turn makes one look-up and one publish per node, and keeps the order', async () => {
    const [a, b, c] = await startThree()
    const people = Array.from({ length: 20 }, (_, i) => ({ user: person('p'), node: i % 2 === 0 ? b : c }))
    await Promise.all(people.map(({ user, node }) => node.open(user)))
    const users = people.map(({ user }) => user)
    const before = { ...a.stats }
    const sent = Array.from({ length: 50 }, (_, i) => entryFrame(users, `${i}`, i + 1))
    await Promise.all(sent.map(one => a.route([one])))
    expect(a.stats.lookups - before.lookups).toBe(1)
    expect(a.stats.publishes - before.publishes).toBe(2)
    for (const { user, node } of people) {
      await until(() => node.sockets.get(user)?.length === sent.length, { what: 'all have come' })
      expect(node.sockets.get(user)).toEqual(sent.map(one => one.frame))
    }
  })

  test('a batch above the size of an envelope is cut, and still comes whole and in order', async () => {
    const [a, b] = await startThree({ settings: { envelopeCharsMax: 500 } })
    const bob = person('bob')
    await b.open(bob)
    const sent = Array.from({ length: 30 }, (_, i) => entryFrame([bob], `${i}`.padEnd(80, '.'), i + 1))
    await a.route(sent)
    await until(() => b.sockets.get(bob)?.length === sent.length, { what: 'all have come' })
    expect(b.sockets.get(bob)).toEqual(sent.map(one => one.frame))
    expect(a.stats.publishes).toBeGreaterThan(4)
  })

  test('whoever is nowhere is reported once for an entry, and not at all for what is ephemeral', async () => {
    const [a, b] = await startThree()
    const [ann, bob, eve] = [person('ann'), person('bob'), person('eve')]
    await a.open(ann)
    await b.open(bob)
    await a.route([entryFrame([ann, bob, eve], 'hello', 7), { to: [eve], frame: frame('typing') }])
    expect(a.absences).toEqual([{ user: eve, conversation: 'talk', seq: 7 }])
    expect(b.absences).toEqual([])
  })

  test('whoever has just gone from the node that was found is reported by it', async () => {
    const [a, b] = await startThree()
    const bob = person('bob')
    await b.open(bob)
    b.sockets.delete(bob)
    await a.route([entryFrame([bob], 'hello', 3), { to: [bob], frame: frame('typing') }])
    // The entry still says b: the socket closed and the node has not written that yet.
    const gone = b.disconnect(bob)
    await until(() => b.absences.length > 0, { what: 'the absence is reported' })
    await gone
    expect(b.absences).toEqual([{ user: bob, conversation: 'talk', seq: 3 }])
  })

  test('a frame that its maker marks with a connection reaches deliver with it, here only', async () => {
    const store = await bed.open()
    const origins: unknown[] = []
    const { createNode } = await import('./node.ts')
    const node = createNode({
      id: `node-${++count}`,
      store,
      info: () => ({ kind: 'api', url: '', region: '', connections: 0, accepting: true }),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      ports: {
        deliver(users, _frame, _entry, origin) {
          origins.push(origin)
          return users
        },
        deliverByInterest() {},
        absent() {},
        suspect() {},
        presenceChanged() {},
      },
    })
    await node.start()
    const origin = {}
    await node.route([{ ...entryFrame([person('bob')], 'hello'), origin }])
    expect(origins).toEqual([origin])
    await node.stop()
    await store.close()
  })

  test('a large conversation costs one publish per node that is concerned', async () => {
    const [a, b, c] = await startThree()
    const [large, other] = [person('conversation'), person('conversation')]
    for (const [node, conversation] of [
      [a, large],
      [b, large],
      [c, other],
    ] as const) {
      node.interests.set(conversation, [])
      await node.join(conversation)
    }
    const before = a.stats.publishes
    const sent = {
      to: { conversation: large, version: 9 },
      frame: frame('to all'),
      entry: { conversation: large, seq: 4 },
    }
    await a.route([sent])
    await until(() => b.interests.get(large)?.length === 1, { what: 'the frame is there' })
    expect(a.stats.publishes - before).toBe(1)
    expect(a.interests.get(large)).toEqual([`9 ${sent.frame}`])
    expect(b.interests.get(large)).toEqual([`9 ${sent.frame}`])
    expect(c.stats.envelopeFrames).toBe(0)
    await b.leave(large)
    await a.route([sent])
    expect(a.stats.publishes - before).toBe(1)
  })

  test('tells who is online, and who probably is not', async () => {
    const [a, b] = await startThree()
    const [ann, bob, eve] = [person('ann'), person('bob'), person('eve')]
    await a.open(ann)
    await b.open(bob)
    expect(a.presumedAbsent([ann, bob, eve])).toEqual([bob, eve])
    await a.route([entryFrame([ann, bob, eve], 'hello')])
    expect(a.presumedAbsent([ann, bob, eve])).toEqual([eve])
    expect(await a.online([ann, bob, eve])).toEqual(new Set([ann, bob]))
    await b.shut(bob)
    expect(await a.online([ann, bob, eve])).toEqual(new Set([ann]))
  })

  test('a node that has just started is reached before anybody has seen its lease', async () => {
    let hidden: string | undefined
    const a = await start({}, store => ({
      ...store,
      leases: {
        ...store.leases,
        async beat(...args) {
          const answer = await store.leases.beat(...args)
          return { ...answer, nodes: answer.nodes.filter(view => view.node !== hidden) }
        },
      },
    }))
    hidden = `node-${count + 1}`
    const b = await start()
    const bob = person('bob')
    await b.open(bob)
    await a.route([entryFrame([bob], 'hello')])
    await until(() => b.sockets.get(bob)?.length === 1, { what: 'the frame is there' })
    expect(a.nodes().map(view => view.node)).toEqual([a.id])
    hidden = undefined
    await until(async () => (await a.online([bob])).has(bob), { what: 'its lease is seen' })
  })

  test('an entry of a place that is long over is nobody', async () => {
    const a = await start()
    const bob = person('bob')
    await a.store.whereabouts.enter('presence', [bob], 'ghost:1')
    expect(await a.online([bob])).toEqual(new Set())
    expect(await a.watch([bob])).toEqual([])
    await a.route([entryFrame([bob], 'hello')])
    expect(a.absences).toHaveLength(1)
    expect(a.stats.publishes).toBe(0)
  })

  test('shows the fleet with what each node says of itself', async () => {
    const [a, b] = await startThree()
    const api = await start({ kind: 'api' })
    await b.open(person('bob'))
    await until(() => a.nodes().find(view => view.node === b.id)?.info.connections === 1, { what: 'the count arrives' })
    await until(() => a.nodes().find(view => view.node === api.id)?.info.kind === 'api', { what: 'the api arrives' })
    expect(a.nodes().find(view => view.node === b.id)).toMatchObject({ state: 'live', info: { accepting: true } })
    expect(a.place()).toMatch(/^node-\d+:\d{13}$/)
  })

  test('counts hits across the fleet', async () => {
    const [a, b] = await startThree()
    const key = person('ticket')
    expect((await a.hit(key, 1_000))?.count).toBe(1)
    expect((await b.hit(key, 1_000))?.count).toBe(2)
  })

  describe('presence', () => {
    test('watchers hear of the first socket and the last, from wherever, and of nothing between', async () => {
      const [a, b, c] = await startThree()
      const [bob, eve] = [person('bob'), person('eve')]
      await b.open(bob)
      expect(await a.watch([bob, eve])).toEqual([bob])
      await c.open(bob)
      await b.shut(bob)
      await c.open(eve)
      await until(() => a.changes.length === 1, { what: 'eve came' })
      expect(a.changes).toMatchObject([{ user: eve, online: true }])
      await c.shut(bob)
      await until(() => a.changes.length === 2, { what: 'bob went' })
      expect(a.changes[1]).toMatchObject({ user: bob, online: false })
      await a.unwatch([bob])
      const before = a.changes.length
      await b.open(bob)
      await c.shut(eve)
      await until(() => a.changes.length > before, { what: 'eve went' })
      expect(a.changes.slice(before)).toMatchObject([{ user: eve, online: false }])
    })

    test('a flap cancels out', async () => {
      const [a, b, c] = await startThree({ settings: { presenceGatherMs: 200 } })
      const [bob, eve] = [person('bob'), person('eve')]
      await b.open(bob)
      await until(async () => (await a.watch([bob, eve])).includes(bob), { what: 'bob is online' })
      await b.shut(bob)
      await b.open(bob)
      await b.shut(bob)
      await c.open(bob)
      await c.open(eve)
      await until(() => a.changes.some(change => change.user === eve), { what: 'what came after the flap' })
      expect(a.changes.filter(change => change.user === bob)).toEqual([])
    })

    test('a change that nobody was told of is found by the audit', async () => {
      const [a, b] = await startThree({ settings: { auditNamesMax: 100, presenceGatherMs: 60_000 } })
      const bob = person('bob')
      expect(await a.watch([bob])).toEqual([])
      await b.open(bob)
      await until(() => a.changes.length === 1, { what: 'bob came' })
      await b.shut(bob)
      await until(() => a.changes.length === 2, { what: 'bob went' })
      expect(a.changes.map(change => change.online)).toEqual([true, false])
    })

    test('a change that may have been lost is looked up when a loss is suspected', async () => {
      const [a, b] = await startThree({ settings: { presenceRecheckMs: 50, presenceGatherMs: 60_000 } })
      const bob = person('bob')
      await a.watch([bob])
      await b.open(bob)
      const header = { v: 1, from: b.place(), to: a.place(), n: 1, suspect: Date.now() }
      await b.store.broker.publish(a.id, JSON.stringify(header))
      await until(() => a.changes.length === 1, { what: 'bob came' })
      expect(a.stats.suspects.told).toBe(1)
    })

    test('local watchers hear of local people', async () => {
      const a = await start()
      const bob = person('bob')
      expect(await a.watch([bob])).toEqual([])
      await a.open(bob)
      await until(() => a.changes.length === 1, { what: 'bob came' })
      await a.shut(bob)
      await until(() => a.changes.length === 2, { what: 'bob went' })
      expect(a.changes.map(change => change.online)).toEqual([true, false])
    })
  })

  describe('when a node goes', () => {
    test('with a goodbye, its people are away at once and nothing is suspected', async () => {
      const [a, b, c] = await startThree()
      const [bob, eve] = [person('bob'), person('eve')]
      await b.open(bob)
      await b.open(eve)
      await c.open(eve)
      await a.watch([bob, eve])
      await b.stop()
      await until(() => a.changes.length > 0, { what: 'bob went' })
      expect(a.changes).toMatchObject([{ user: bob, online: false }])
      expect(await a.online([bob, eve])).toEqual(new Set([eve]))
      await until(() => a.nodes().find(view => view.node === b.id)?.state === 'released', { what: 'it is released' })
      await a.route([entryFrame([bob], 'hello')])
      expect(a.absences).toMatchObject([{ user: bob }])
      expect(a.suspicions).toEqual([])
      expect(a.stats.sweeps + c.stats.sweeps).toBe(0)
    })

    test('without one, it is swept once, its people go, and everybody suspects a loss', async () => {
      const [a, b, c] = await startThree()
      const [bob, eve] = [person('bob'), person('eve')]
      const large = person('conversation')
      await b.open(bob)
      await b.open(eve)
      await c.open(eve)
      await b.join(large)
      await b.watch([eve])
      await a.watch([bob, eve])
      const place = b.place()
      const diedAt = Date.now()
      await b.crash()
      await until(() => a.changes.length > 0, { what: 'bob went', withinMs: 5_000 })
      expect(a.changes).toMatchObject([{ user: bob, online: false }])
      await until(() => a.suspicions.length > 0 && c.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(a.stats.suspects.node_died).toBe(1)
      expect(a.suspicions[0]).toBeLessThanOrEqual(diedAt)
      await until(() => a.stats.sweeps + c.stats.sweeps > 0, { what: 'it is swept' })
      const left = await Promise.all([
        a.store.whereabouts.find('presence', [bob, eve]),
        a.store.whereabouts.find('interest', [large]),
        a.store.whereabouts.find('watch', [eve]),
      ])
      expect(left.flat(2)).not.toContain(place)
      expect(await entered(a, place)).toEqual([])
      await until(() => a.nodes().find(view => view.node === b.id)?.swept === true, { what: 'all know' })
      expect(a.stats.sweeps + c.stats.sweeps).toBe(1)
    })

    test('what is sent to it before anybody noticed is reported as missed', async () => {
      const [a, b, c] = await startThree({ settings: { leaseMs: 60_000 } })
      const [bob, eve] = [person('bob'), person('eve')]
      await b.open(bob)
      await b.open(eve)
      await c.open(eve)
      await b.crash()
      await until(async () => (await c.store.broker.publish(b.id, '')) === 0, { what: 'the inbox is closed' })
      await a.route([entryFrame([bob, eve], 'hello', 5)])
      await until(() => a.absences.length > 0, { what: 'the absence is reported' })
      expect(a.absences).toEqual([{ user: bob, conversation: 'talk', seq: 5 }])
      await until(() => c.sockets.get(eve)?.length === 1, { what: 'the other place got it' })
      expect(a.presumedAbsent([bob, eve])).toEqual([bob])
      await a.route([entryFrame([bob], 'again', 6)])
      await until(() => a.absences.length === 2, { what: 'the second absence is reported' })
      expect(c.sockets.get(eve)).toHaveLength(1)
    })

    test('deaf for a moment only, it is reached again by the very next frame', async () => {
      const [a, b] = await startThree({ settings: { beatMs: 60_000, leaseMs: 180_000 } })
      const bob = person('bob')
      await b.open(bob)
      await b.store.broker.close()
      await until(async () => (await a.store.broker.publish(b.id, '')) === 0, { what: 'the inbox is closed' })
      await a.route([entryFrame([bob], 'unheard', 1)])
      await until(() => a.absences.length === 1, { what: 'the absence is reported' })
      const ears = await bed.open()
      const heard: string[] = []
      ears.broker.subscribe(b.id, text => heard.push(text))
      await until(() => ears.broker.state() === 'up', { what: 'the inbox is open' })
      await a.route([entryFrame([bob], 'heard', 2)])
      await until(() => heard.some(text => text.includes('"seq":2')), { what: 'the frame is there' })
      expect(a.absences).toHaveLength(1)
      await ears.close()
    })

    test('and returns under its name within the lease, its past is swept and suspected all the same', async () => {
      const a = await start()
      const b = await start()
      const bob = person('bob')
      await b.open(bob)
      const place = b.place()
      await b.crash()
      const again = await startNode(b.id, await bed.open())
      nodes.push(again)
      await until(() => a.stats.suspects.node_died === 1, { what: 'its past is suspected' })
      await until(() => a.stats.sweeps + again.stats.sweeps === 1, { what: 'its past is swept' })
      expect(again.place()).not.toBe(place)
      expect(await a.online([bob])).toEqual(new Set())
    })
  })

  describe('when a lease was lost', () => {
    test('by one that stood still, it begins anew: entered again first, then a loss is suspected', async () => {
      let thaw = () => {}
      let frozen: Promise<void> | undefined
      const a = await start()
      const b = await start({}, store => ({
        ...store,
        leases: {
          ...store.leases,
          async beat(...args) {
            await frozen
            return store.leases.beat(...args)
          },
        },
      }))
      const bob = person('bob')
      await b.open(bob)
      await a.watch([bob])
      const before = b.place()
      const frozenAt = Date.now()
      frozen = new Promise(resolve => {
        thaw = resolve
      })
      await until(() => a.changes.length > 0, { what: 'bob is thought to be gone' })
      expect(await a.online([bob])).toEqual(new Set())
      await until(() => a.nodes().some(view => view.node === b.id && view.swept), { what: 'it is swept' })
      // It does not know yet, and enters somebody for the place that is over.
      await b.open(person('late'))
      expect(await entered(a, before)).toHaveLength(1)
      thaw()
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(b.suspicions[0]).toBeLessThanOrEqual(frozenAt + 200)
      expect(b.place()).not.toBe(before)
      expect(b.stats.fences).toBe(1)
      expect(await a.store.whereabouts.find('presence', [bob])).toEqual([[b.place()]])
      await until(() => a.changes.length > 1, { what: 'bob is back' })
      expect(a.changes.map(change => change.online)).toEqual([false, true])
      await until(async () => (await entered(a, before)).length === 0, { what: 'its past is swept' })
    })

    test('to another with its name, it takes a new one and everything is entered under it', async () => {
      const [a, b] = await startThree()
      const [bob, large] = [person('bob'), person('conversation')]
      await b.open(bob)
      await b.join(large)
      b.interests.set(large, [])
      const before = b.place()
      const stolen = await a.store.leases.acquire(b.id, b.nodes().find(view => view.node === b.id)!.info, 0)
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(b.stats.suspects.fenced).toBe(1)
      expect(b.place()).not.toBe(before)
      expect(Number(b.place().split(':')[1])).toBeGreaterThan(stolen)
      expect(await a.store.whereabouts.find('presence', [bob])).toEqual([[b.place()]])
      expect(await a.store.whereabouts.find('interest', [large])).toEqual([[b.place()]])
      expect(b.state()).toBe('up')
      await a.route([
        entryFrame([bob], 'hello'),
        { to: { conversation: large, version: 1 }, frame: frame('to all'), entry: { conversation: large, seq: 1 } },
      ])
      await until(() => b.sockets.get(bob)?.length === 1 && b.interests.get(large)?.length === 1, { what: 'both come' })
    })
  })

  describe('when an envelope is lost', () => {
    /** A node whose publishes vanish without a sign, as many as are asked for. */
    async function startLossy() {
      let losses = 0
      let failures = 0
      const node = await start({}, store => ({
        ...store,
        broker: {
          ...store.broker,
          async publish(inbox, text) {
            if (text.includes('\n') && losses-- > 0) return 1
            if (text.includes('\n') && failures-- > 0) throw new Error('unable to publish: away')
            return store.broker.publish(inbox, text)
          },
        },
      }))
      return { node, lose: (count: number) => (losses = count), fail: (count: number) => (failures = count) }
    }

    test('the next one shows the gap', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = person('bob')
      await b.open(bob)
      await a.route([entryFrame([bob], '1', 1)])
      await until(() => b.sockets.get(bob)?.length === 1, { what: 'the first comes' })
      const before = Date.now()
      lose(1)
      await a.route([entryFrame([bob], '2', 2)])
      await a.route([entryFrame([bob], '3', 3)])
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      // A tally may have come just then: the margin is there for that.
      expect(b.suspicions[0]).toBeLessThanOrEqual(before + 1_000)
      expect(b.stats.suspects.gap).toBe(1)
    })

    test('a tally shows it when nothing follows, also when it was the first', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = person('bob')
      await b.open(bob)
      lose(1)
      await a.route([entryFrame([bob], 'lost', 1)])
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(b.sockets.get(bob)).toEqual([])
      expect(b.stats.suspects.gap).toBe(1)
    })

    test('because it could not be sent, everybody is told', async () => {
      const { node: a, fail } = await startLossy()
      const [b, c] = [await start(), await start()]
      const bob = person('bob')
      await b.open(bob)
      fail(1)
      await a.route([{ to: [bob], frame: frame('typing') }])
      fail(1)
      await until(() => a.nodes().length === 3, { what: 'the fleet is known' })
      await a.route([entryFrame([bob], 'hello')])
      expect(a.stats.unsent).toBe(2)
      await until(() => b.suspicions.length > 0 && c.suspicions.length > 0, { what: 'a loss is suspected' })
      expect([b.stats.suspects.told, c.stats.suspects.told]).toEqual([1, 1])
      expect(b.sockets.get(bob)).toEqual([])
    })

    test('and the receiver has begun anew since, it is noticed all the same', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = person('bob')
      await b.open(bob)
      for (const seq of [1, 2, 3]) await a.route([entryFrame([bob], `${seq}`, seq)])
      await until(() => b.sockets.get(bob)?.length === 3, { what: 'three come' })
      const { info } = b.nodes()[0] ?? {}
      if (info !== undefined) await a.store.leases.acquire(b.id, info, 0)
      await until(() => b.stats.fences === 1 && b.state() === 'up', { what: 'b begins anew' })
      lose(1)
      await a.route([entryFrame([bob], '4', 4)])
      await until(() => b.stats.suspects.gap === 1, { what: 'a loss is suspected' })
    })

    test('and none is, nothing is suspected', async () => {
      const [a, b] = await startThree()
      const bob = person('bob')
      await b.open(bob)
      for (let seq = 1; seq <= 20; seq++) await a.route([entryFrame([bob], `${seq}`, seq)])
      const beats = a.stats.beats
      await until(() => a.stats.beats > beats + 4, { what: 'all tallies were sent' })
      expect(b.sockets.get(bob)).toHaveLength(20)
      expect(b.suspicions).toEqual([])
    })
  })

  test('an envelope for an earlier generation is delivered, but not counted', async () => {
    const [a, b] = await startThree()
    const [bob, eve] = [person('bob'), person('eve')]
    await b.open(bob)
    const header = {
      v: 1,
      from: a.place(),
      to: `${b.id}:1`,
      n: 99,
      items: [{ to: [bob, eve], entry: { conversation: 'talk', seq: 8 } }],
    }
    await a.store.broker.publish(b.id, `${JSON.stringify(header)}\n{"late":true}`)
    await until(() => b.absences.length > 0, { what: 'it is taken' })
    expect(b.sockets.get(bob)).toEqual(['{"late":true}'])
    expect(b.absences).toEqual([{ user: eve, conversation: 'talk', seq: 8 }])
    expect(b.stats.belated).toBe(1)
    expect(b.stats.suspects.gap).toBe(0)
  })

  test('what cannot be read does no harm, and what was in it is looked for', async () => {
    const [a, b] = await startThree()
    const bob = person('bob')
    await b.open(bob)
    const header = { v: 1, from: a.place(), to: b.place(), n: 1 }
    const bad = [
      '',
      'x',
      'null',
      '[]',
      '{"v":2}',
      '{"v":1}',
      JSON.stringify({ ...header, items: [{ to: [bob] }] }),
      JSON.stringify({ ...header, items: [{ to: 7 }] }) + '\nframe',
      JSON.stringify({ ...header, items: 7 }) + '\nframe',
    ]
    for (const text of bad) await a.store.broker.publish(b.id, text)
    await a.route([entryFrame([bob], 'hello')])
    await until(() => b.sockets.get(bob)?.length === 1, { what: 'the good one comes' })
    expect(b.stats.malformed).toBe(bad.length)
    await until(() => b.suspicions.length > 0, { what: 'what was in them is looked for' })
    expect(b.stats.suspects.unreadable).toBe(bad.length)
  })

  test('an entry that vanished by itself is found and entered again', async () => {
    const [a, b] = await startThree({ settings: { auditNamesMax: 100 } })
    const bob = person('bob')
    await b.open(bob)
    await a.store.whereabouts.leave('presence', [bob], b.place())
    await until(async () => (await a.store.whereabouts.find('presence', [bob]))[0]?.[0] === b.place(), {
      what: 'the entry is back',
    })
    await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
    expect(b.stats.suspects.entries_lost).toBe(1)
  })
})
