/** Three nodes, and what gets lost: a node, a lease, an envelope. Everything is found. */
import { until } from '@flotilla/testing'
import { describe, expect, test } from 'vitest'
import { beds, entered, entryFrame, frame, shortLeaseMs, signalFrame, useNodes } from './routing.testbed.ts'

describe.each([
  ['memory', beds.memory],
  ['redis', beds.redis],
])('on %s', (_name, makeBed) => {
  const { start, again, startThree, open, fresh } = useNodes(makeBed)

  describe('when a node goes', () => {
    test('with a goodbye, its people are away at once and nothing is suspected', async () => {
      const [a, b, c] = await startThree()
      const [bob, eve] = [fresh('bob'), fresh('eve')]
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
      const [a, b, c] = await startThree({ settings: { leaseMs: shortLeaseMs } })
      const [bob, eve] = [fresh('bob'), fresh('eve')]
      const large = fresh('conversation')
      await b.open(bob)
      await b.open(eve)
      await c.open(eve)
      await b.join(large)
      await b.watch([eve])
      await a.watch([bob, eve])
      const place = b.place()
      await b.crash()
      await until(() => a.changes.length > 0, { what: 'bob went' })
      expect(a.changes).toMatchObject([{ user: bob, online: false }])
      // One that stood still itself suspects that besides.
      await until(() => [a, c].every(node => node.stats.suspects.node_died > 0 && node.suspicions.length > 0), {
        what: 'a loss is suspected',
      })
      expect(a.stats.suspects.node_died).toBe(1)
      expect(new Set(a.missing)).toEqual(new Set(['anybody']))
      // Since its last beat, after which it had a lease.
      expect(Math.max(...a.suspicions)).toBeGreaterThanOrEqual(shortLeaseMs)
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
      const [a, b, c] = await startThree()
      const [bob, eve] = [fresh('bob'), fresh('eve')]
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
      const bob = fresh('bob')
      await b.open(bob)
      await b.store.broker.close()
      await until(async () => (await a.store.broker.publish(b.id, '')) === 0, { what: 'the inbox is closed' })
      await a.route([entryFrame([bob], 'unheard', 1)])
      await until(() => a.absences.length === 1, { what: 'the absence is reported' })
      const ears = await open()
      const heard: string[] = []
      ears.broker.subscribe(b.id, text => heard.push(text!))
      await until(() => ears.broker.state() === 'up', { what: 'the inbox is open' })
      await a.route([entryFrame([bob], 'heard', 2)])
      await until(() => heard.some(text => text.includes('"seq":2')), { what: 'the frame is there' })
      expect(a.absences).toHaveLength(1)
      await ears.close()
    })

    test('and returns under its name within the lease, its past is swept and suspected all the same', async () => {
      const a = await start()
      const b = await start()
      const bob = fresh('bob')
      await b.open(bob)
      const place = b.place()
      await b.crash()
      const next = await again(b.id)
      await until(() => a.stats.suspects.node_died === 1, { what: 'its past is suspected' })
      await until(() => a.stats.sweeps + next.stats.sweeps === 1, { what: 'its past is swept' })
      expect(next.place()).not.toBe(place)
      expect(await a.online([bob])).toEqual(new Set())
    })
  })

  describe('when a lease was lost', () => {
    test('by one that stood still, it begins anew: entered again first, then a loss is suspected', async () => {
      let thaw = () => {}
      let frozen: Promise<void> | undefined
      const options = { settings: { leaseMs: shortLeaseMs } }
      const a = await start(options)
      const b = await start(options, store => ({
        ...store,
        leases: {
          ...store.leases,
          async beat(...args) {
            await frozen
            return store.leases.beat(...args)
          },
        },
      }))
      const bob = fresh('bob')
      await b.open(bob)
      await a.watch([bob])
      const before = b.place()
      frozen = new Promise(resolve => {
        thaw = resolve
      })
      await until(() => a.changes.length > 0, { what: 'bob is thought to be gone' })
      const goneAt = performance.now()
      expect(await a.online([bob])).toEqual(new Set())
      await until(() => a.nodes().some(view => view.node === b.id && view.swept), { what: 'it is swept' })
      // It does not know yet, and enters somebody for the place that is over.
      await b.open(fresh('late'))
      expect(await entered(a, before)).toHaveLength(1)
      const goneMs = performance.now() - goneAt
      thaw()
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(Math.max(...b.suspicions)).toBeGreaterThanOrEqual(Math.floor(goneMs))
      expect(b.place()).not.toBe(before)
      expect(b.stats.fences).toBe(1)
      expect(await a.store.whereabouts.find('presence', [bob])).toEqual([[b.place()]])
      await until(() => a.changes.length > 1, { what: 'bob is back' })
      expect(a.changes.map(change => change.online)).toEqual([false, true])
      await until(async () => (await entered(a, before)).length === 0, { what: 'its past is swept' })
    })

    test('to another with its name, it takes a new one and everything is entered under it', async () => {
      const [a, b] = await startThree()
      const [bob, large] = [fresh('bob'), fresh('conversation')]
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
        {
          to: { conversation: large, version: 1 },
          frame: frame('to all'),
          class: 'entry',
          entry: { conversation: large, seq: 1 },
        },
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
      const bob = fresh('bob')
      await b.open(bob)
      await a.route([entryFrame([bob], '1', 1)])
      await until(() => b.sockets.get(bob)?.length === 1, { what: 'the first comes' })
      lose(1)
      await a.route([entryFrame([bob], '2', 2)])
      await a.route([entryFrame([bob], '3', 3)])
      // Since when is for numbers.test.ts: a tally may have come just before the loss.
      await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
      expect(b.stats.suspects.gap).toBe(1)
      expect(b.missing).toEqual([new Set()])
    })

    test('that held a signal, anybody may lack one; with the tally too', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = fresh('bob')
      await b.open(bob)
      await a.route([signalFrame([bob], '1')])
      lose(1)
      await a.route([signalFrame([bob], '2')])
      await a.route([entryFrame([bob], '3', 3)])
      await until(() => b.missing.length === 1, { what: 'a loss is suspected' })
      lose(1)
      await a.route([signalFrame([bob], '4')])
      await until(() => b.missing.length === 2, { what: 'a second one is suspected' })
      lose(1)
      await a.route([entryFrame([bob], '5', 5)])
      await until(() => b.missing.length === 3, { what: 'a third one is suspected' })
      expect(b.missing).toEqual(['anybody', 'anybody', new Set()])
      expect(b.stats.suspects.gap).toBe(3)
    })

    test('a tally shows it when nothing follows, also when it was the first', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = fresh('bob')
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
      const bob = fresh('bob')
      await b.open(bob)
      fail(1)
      await a.route([{ to: [bob], frame: frame('typing'), class: 'ephemeral' }])
      fail(1)
      await until(() => a.nodes().length === 3, { what: 'the fleet is known' })
      await a.route([entryFrame([bob], 'hello')])
      expect(a.stats.unsent).toBe(2)
      // B may see the gap first.
      await until(() => [b, c].every(node => node.stats.suspects.told > 0 && node.suspicions.length > 0), {
        what: 'both are told and suspect a loss',
      })
      expect([b.stats.suspects.told, c.stats.suspects.told]).toEqual([1, 1])
      expect(b.sockets.get(bob)).toEqual([])
      fail(1)
      await a.route([signalFrame([bob], 'eve')])
      await until(() => c.missing.length === 2, { what: 'a loss is suspected again' })
      expect(c.missing).toEqual([new Set(), new Set([bob])])
      // The one for which it was sees a gap besides.
      await until(() => b.missing.includes('anybody'), { what: 'b suspects the signals of everybody' })
    })

    test('and the receiver has begun anew since, it is noticed all the same', async () => {
      const { node: a, lose } = await startLossy()
      const b = await start()
      const bob = fresh('bob')
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
      const bob = fresh('bob')
      await b.open(bob)
      for (let seq = 1; seq <= 20; seq++) await a.route([entryFrame([bob], `${seq}`, seq)])
      const beats = a.stats.beats
      await until(() => a.stats.beats > beats + 4, { what: 'all tallies were sent' })
      await until(() => b.sockets.get(bob)?.length === 20, { what: 'all have come' })
      expect(b.suspicions).toEqual([])
    })
  })
})
