/** What every store keeps, whatever it is made of. */
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeInfo, placeOf } from './leases.ts'
import type { RoutingStore } from './store.ts'
import { type Bed, beds } from './routing.testbed.ts'

const info: NodeInfo = { kind: 'gateway', url: 'ws://a', region: 'here', connections: 0, accepting: true }

describe.each(Object.entries(beds))('on %s', (_name, makeBed) => {
  let bed: Bed
  let store: RoutingStore
  let other: RoutingStore
  let count = 0
  /** A name that no other test uses. */
  const fresh = (kind: string) => `${kind}-${++count}`

  beforeAll(async () => {
    bed = await makeBed()
    store = await bed.open()
    other = await bed.open()
  })
  afterAll(async () => {
    await store?.close()
    await other?.close()
    await bed?.close()
  })

  async function openInbox(inbox: string) {
    const mine = await bed.open()
    const heard: string[] = []
    const states: string[] = []
    mine.broker.onState(state => states.push(state))
    mine.broker.subscribe(inbox, text => heard.push(text!))
    await until(() => mine.broker.state() === 'up', { what: 'the inbox is open' })
    return { broker: mine.broker, close: () => mine.close(), heard, states }
  }

  describe('the broker', () => {
    test('brings envelopes to their inbox and to no other, whole and in order', async () => {
      const [a, b] = [fresh('inbox'), fresh('inbox')]
      const inboxA = await openInbox(a)
      const inboxB = await openInbox(b)
      const sent = Array.from({ length: 200 }, (_, i) => `{"n":${i}}\n"öñ€🚢"`)
      sent.push('x'.repeat(1_000_000))
      const receivers = await Promise.all(sent.map(text => store.broker.publish(a, text)))
      expect(new Set(receivers)).toEqual(new Set([1]))
      await until(() => inboxA.heard.length === sent.length, { what: 'all have come' })
      expect(inboxA.heard).toEqual(sent)
      expect(inboxB.heard).toEqual([])
      await Promise.all([inboxA.close(), inboxB.close()])
    })

    test('tells when nobody has the inbox, before it opened and after it closed', async () => {
      const inbox = fresh('inbox')
      expect(await store.broker.publish(inbox, 'early')).toBe(0)
      const opened = await openInbox(inbox)
      expect(await store.broker.publish(inbox, 'now')).toBe(1)
      await opened.close()
      await until(async () => (await store.broker.publish(inbox, 'late')) === 0, { what: 'nobody listens' })
      expect(opened.heard).not.toContain('late')
    })

    test('opens an inbox anew and says so', async () => {
      const inbox = fresh('inbox')
      const opened = await openInbox(inbox)
      opened.broker.renew()
      expect(opened.broker.state()).toBe('down')
      await until(() => opened.states.length >= 3, { what: 'it went down and came up again' })
      expect(opened.states).toEqual(['up', 'down', 'up'])
      expect(await store.broker.publish(inbox, 'again')).toBe(1)
      await until(() => opened.heard.includes('again'), { what: 'it hears again' })
      await opened.close()
    })
  })

  describe('the whereabouts', () => {
    test('know the places of a name, each with what was there before it', async () => {
      const { whereabouts } = store
      const [ann, bob] = [fresh('ann'), fresh('bob')]
      expect(await whereabouts.find('presence', [ann])).toEqual([[]])
      expect(await whereabouts.enter('presence', [ann, bob], 'a:1')).toEqual([
        { already: false, others: [] },
        { already: false, others: [] },
      ])
      expect(await other.whereabouts.enter('presence', [ann], 'b:1')).toEqual([{ already: false, others: ['a:1'] }])
      expect(await whereabouts.enter('presence', [ann], 'a:1')).toEqual([{ already: true, others: ['b:1'] }])
      const [annIsAt, bobIsAt, nobody] = await whereabouts.find('presence', [ann, bob, fresh('nobody')])
      expect(annIsAt?.toSorted()).toEqual(['a:1', 'b:1'])
      expect(bobIsAt).toEqual(['a:1'])
      expect(nobody).toEqual([])
      expect(await whereabouts.leave('presence', [ann], 'a:1')).toEqual([['b:1']])
      expect(await whereabouts.leave('presence', [ann], 'a:1')).toEqual([undefined])
      expect(await whereabouts.leave('presence', [ann], 'b:1')).toEqual([[]])
      expect(await whereabouts.find('presence', [ann])).toEqual([[]])
    })

    test('keep the kinds apart', async () => {
      const name = fresh('name')
      await store.whereabouts.enter('watch', [name], 'a:1')
      await store.whereabouts.enter('interest', [name], 'b:1')
      expect(await store.whereabouts.find('presence', [name])).toEqual([[]])
      expect(await store.whereabouts.find('watch', [name])).toEqual([['a:1']])
      expect(await store.whereabouts.find('interest', [name])).toEqual([['b:1']])
    })

    test('drop an older generation of the same node, and no node whose name only begins alike', async () => {
      const ann = fresh('ann')
      await store.whereabouts.enter('presence', [ann], 'gw:1')
      await store.whereabouts.enter('presence', [ann], 'gw-2:1')
      expect(await store.whereabouts.enter('presence', [ann], 'gw:2')).toEqual([{ already: false, others: ['gw-2:1'] }])
      expect((await store.whereabouts.find('presence', [ann]))[0]?.toSorted()).toEqual(['gw-2:1', 'gw:2'])
    })

    test('give what is taken away by several at once to exactly one', async () => {
      const names = Array.from({ length: 50 }, () => fresh('person'))
      await store.whereabouts.enter('presence', names, 'dead:1')
      const answers = await Promise.all([
        store.whereabouts.leave('presence', names, 'dead:1'),
        other.whereabouts.leave('presence', names, 'dead:1'),
        store.whereabouts.leave('presence', names, 'dead:1'),
      ])
      const taken = names.map((_, i) => answers.filter(answer => answer[i] !== undefined).length)
      expect(new Set(taken)).toEqual(new Set([1]))
    })

    test('list all that is entered for a place, many names too, until it is forgotten', async () => {
      const place = `${fresh('node')}:1`
      const people = Array.from({ length: 1_500 }, () => fresh('person'))
      const watched = [fresh('person'), people[0] ?? '']
      await store.whereabouts.enter('presence', people, place)
      await store.whereabouts.enter('watch', watched, place)
      expect(await other.whereabouts.find('presence', people)).toEqual(people.map(() => [place]))
      await store.whereabouts.leave('presence', people.slice(7, 8), place)
      const listed: string[] = []
      for await (const chunk of other.whereabouts.entries(place))
        for (const { kind, name } of chunk) listed.push(`${kind} ${name}`)
      const expected = [
        ...people.filter((_, i) => i !== 7).map(name => `presence ${name}`),
        ...watched.map(name => `watch ${name}`),
      ]
      expect([...new Set(listed)].sort()).toEqual(expected.sort())
      await store.whereabouts.forget(place)
      for await (const chunk of store.whereabouts.entries(place)) expect(chunk).toEqual([])
    })

    test('are intact while only this process writes for the place', async () => {
      const place = `${fresh('node')}:1`
      await store.whereabouts.mend(place)
      expect(await store.whereabouts.intact(place)).toBe(true)
      const people = Array.from({ length: 100 }, () => fresh('person'))
      await Promise.all([
        store.whereabouts.enter('presence', people, place),
        store.whereabouts.enter('watch', people, place),
      ])
      await store.whereabouts.leave('presence', people.slice(0, 40), place)
      expect(await store.whereabouts.intact(place)).toBe(true)
    })

    test('are intact while writes are under way', async () => {
      const place = `${fresh('node')}:1`
      await store.whereabouts.mend(place)
      const asked: Promise<boolean>[] = []
      const written: Promise<unknown>[] = []
      for (let turn = 0; turn < 20; turn++) {
        written.push(store.whereabouts.enter('presence', [fresh('person')], place))
        asked.push(store.whereabouts.intact(place))
        if (turn % 5 === 0) await written.at(-1)
      }
      await Promise.all(written)
      expect(new Set(await Promise.all(asked))).toEqual(new Set([true]))
    })
  })

  describe('the leases', () => {
    const leaseMs = 300
    /** For what must not run out. */
    const longMs = 60_000

    test('rise with every acquisition and fence the older generation', async () => {
      const node = fresh('node')
      const first = await store.leases.acquire(node, info, 0)
      expect((await store.leases.beat(placeOf(node, first), info, longMs)).held).toBe(true)
      const second = await other.leases.acquire(node, info, 0)
      expect(second).toBeGreaterThan(first)
      expect((await store.leases.beat(placeOf(node, first), info, longMs)).held).toBe(false)
      const { held, nodes } = await other.leases.beat(placeOf(node, second), info, longMs)
      expect(held).toBe(true)
      const states = new Map(nodes.filter(view => view.node === node).map(view => [view.generation, view.state]))
      expect(states.get(first)).toBe('expired')
      expect(states.get(second)).toBe('live')
      expect(await store.leases.acquire(node, info, second + 1_000_000)).toBe(second + 1_000_001)
    })

    test('show what a node last said of itself', async () => {
      const node = fresh('node')
      const place = placeOf(node, await store.leases.acquire(node, info, 0))
      const said = { ...info, connections: 17, accepting: false, url: 'ws://a b|c' }
      await store.leases.beat(place, said, leaseMs)
      const { nodes } = await other.leases.beat('nobody:1', info, leaseMs)
      expect(nodes.find(view => view.node === node)).toMatchObject({ state: 'live', swept: false, info: said })
    })

    test('expire without a beat, are told from released ones, and stay in view for a while after the sweep', async () => {
      const [a, b, c] = [fresh('node'), fresh('node'), fresh('node')]
      const placeA = placeOf(a, await store.leases.acquire(a, info, 0))
      const placeB = placeOf(b, await store.leases.acquire(b, info, 0))
      const placeC = placeOf(c, await store.leases.acquire(c, info, 0))
      await store.leases.release(placeC)
      const view = async () => (await store.leases.beat(placeA, info, leaseMs)).nodes
      const stateOf = async (node: string) => (await view()).find(view => view.node === node)?.state
      expect(await stateOf(b)).toBe('live')
      expect(await stateOf(c)).toBe('released')
      await until(async () => (await stateOf(b)) === 'expired', { what: 'b expires' })
      expect(await stateOf(a)).toBe('live')
      expect((await store.leases.beat(placeB, info, leaseMs)).held).toBe(false)
      await store.leases.release(placeB)
      expect(await stateOf(b)).toBe('expired')
      await store.leases.swept(placeB)
      expect((await view()).find(view => view.node === b)).toMatchObject({ swept: true })
      await until(async () => (await stateOf(b)) === undefined, { what: 'b is out of view' })
      expect(await stateOf(c)).toBe('released')
    })

    test('are not lost while nobody at all could beat', async () => {
      const [a, b] = [fresh('node'), fresh('node')]
      const placeA = placeOf(a, await store.leases.acquire(a, info, 0))
      const placeB = placeOf(b, await store.leases.acquire(b, info, 0))
      await store.leases.beat(placeA, info, leaseMs)
      await new Promise(resolve => setTimeout(resolve, leaseMs * 1.5))
      expect((await store.leases.beat(placeB, info, leaseMs)).held).toBe(true)
      expect((await store.leases.beat(placeA, info, leaseMs)).held).toBe(true)
    })
  })

  describe('the counters', () => {
    test('give every hit of a window its own number, then begin anew', async () => {
      const [key, short] = [fresh('key'), fresh('key')]
      const windowMs = 60_000
      const hits = await Promise.all(
        Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? store : other).counters.hit(key, windowMs)),
      )
      expect(hits.map(hit => hit.count).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
      for (const { resetMs } of hits) expect(resetMs).toBeGreaterThan(0)
      for (const { resetMs } of hits) expect(resetMs).toBeLessThanOrEqual(windowMs)
      expect((await store.counters.hit(fresh('key'), windowMs)).count).toBe(1)
      const hit = () => store.counters.hit(short, 50)
      await until(async () => (await hit()).count > 1, { what: 'a window with two hits', everyMs: 0 })
      await until(async () => (await hit()).count === 1, { what: 'a new window' })
    })

    test('take from one bucket, whoever spends, and fill it again at the rate', async () => {
      const [key, full] = [fresh('bucket'), fresh('bucket')]
      const spend = (on: RoutingStore, spent: number) =>
        on.counters.spend([
          { key, perSecond: 10, burst: 1_000, spent },
          { key: full, perSecond: 10, burst: 50, spent: 0 },
        ])
      const first = await spend(store, 600)
      expect(first[0]).toBeCloseTo(400, 0)
      expect(first[1]).toBe(50)
      const second = await spend(other, 900)
      expect(second[0]).toBeGreaterThanOrEqual(-500)
      expect(second[0]).toBeLessThan(0)
      await until(async () => (await spend(store, 0))[0]! > second[0]! + 2, { what: 'some comes in' })
    })

    test('answer for many keys at once, each its own', async () => {
      const keys = Array.from({ length: 600 }, () => fresh('bucket'))
      const left = await store.counters.spend(
        keys.map((key, at) => ({ key, perSecond: 1e-9, burst: 1_000, spent: at })),
      )
      expect(left.map(Math.round)).toEqual(keys.map((_, at) => 1_000 - at))
    })

    test('tell each node how many the others hold, until a note is over', async () => {
      const [a, b, c] = [fresh('key'), fresh('key'), fresh('node')]
      const [d, e] = [fresh('node'), fresh('node')]
      const hold = (node: string, counts: number[], lifeMs = 60_000) =>
        store.counters.hold(node, new Map([a, b].map((key, at) => [key, counts[at]!])), lifeMs)
      expect(await hold(c, [3, 4])).toEqual([0, 0])
      expect(await hold(d, [5, 0])).toEqual([3, 4])
      expect(await hold(c, [2, 4])).toEqual([5, 0])
      expect(await hold(d, [0, 0])).toEqual([2, 4])
      await until(async () => (await hold(e, [0, 7], 50))[1] === 0, { what: 'the notes of c are over' })
      expect(await hold(d, [0, 0])).toEqual([0, 7])
    })
  })
})
