/** Three nodes: what reaches whom. */
import { until } from '@flotilla/testing'
import { describe, expect, test } from 'vitest'
import { createNode } from './node.ts'
import { beds, entryFrame, frame, holdTimers, quietLogger, signalFrame, useNodes } from './routing.testbed.ts'

describe.each([
  ['memory', beds.memory],
  ['redis', beds.redis],
])('on %s', (_name, makeBed) => {
  const { start, startThree, nextId, open, fresh } = useNodes(makeBed)

  test('a frame reaches every socket of its people, on every node, once and unchanged', async () => {
    const [a, b, c] = await startThree()
    const [ann, bob, eve] = [fresh('ann'), fresh('bob'), fresh('eve')]
    await Promise.all([a.open(ann), b.open(bob), c.open(bob), c.open(ann), b.open(eve)])
    const sent = entryFrame([ann, bob], 'hello ñ€🚢 "quoted"')
    await a.route([sent])
    await until(() => [b, c].every(node => node.sockets.get(bob)?.length === 1), { what: 'the frame is there' })
    expect(a.sockets.get(ann)).toEqual([sent.frame])
    expect(b.sockets.get(bob)).toEqual([sent.frame])
    expect(c.sockets.get(ann)).toEqual([sent.frame])
    expect(c.sockets.get(bob)).toEqual([sent.frame])
    expect(b.sockets.get(eve)).toEqual([])
    expect(b.entries).toEqual([{ conversation: 'talk', seq: 1 }])
    expect(c.stats.envelopeFrames).toBe(1)
    expect([a, b, c].flatMap(node => node.absences)).toEqual([])
  })

  test('a loop turn makes one look-up and one publish per node, and keeps the order', async () => {
    const [a, b, c] = await startThree()
    const people = Array.from({ length: 20 }, (_, i) => ({ user: fresh('p'), node: i % 2 === 0 ? b : c }))
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
    const bob = fresh('bob')
    await b.open(bob)
    const sent = Array.from({ length: 30 }, (_, i) => entryFrame([bob], `${i}`.padEnd(80, '.'), i + 1))
    await a.route(sent)
    await until(() => b.sockets.get(bob)?.length === sent.length, { what: 'all have come' })
    expect(b.sockets.get(bob)).toEqual(sent.map(one => one.frame))
    expect(a.stats.publishes).toBeGreaterThan(4)
  })

  test('whoever is nowhere is reported once for an entry, and not at all for what is ephemeral', async () => {
    const [a, b] = await startThree()
    const [ann, bob, eve] = [fresh('ann'), fresh('bob'), fresh('eve')]
    await a.open(ann)
    await b.open(bob)
    await a.route([entryFrame([ann, bob, eve], 'hello', 7), { to: [eve], frame: frame('typing'), class: 'ephemeral' }])
    expect(a.absences).toEqual([{ user: eve, conversation: 'talk', seq: 7 }])
    expect(b.absences).toEqual([])
  })

  test('whoever has just gone from the node that was found is reported by it', async () => {
    const [a, b] = await startThree()
    const bob = fresh('bob')
    await b.open(bob)
    b.sockets.delete(bob)
    await a.route([entryFrame([bob], 'hello', 3), { to: [bob], frame: frame('typing'), class: 'ephemeral' }])
    // The entry still says b: the socket closed and the node has not written that yet.
    const gone = b.disconnect(bob)
    await until(() => b.absences.length > 0, { what: 'the absence is reported' })
    await gone
    expect(b.absences).toEqual([{ user: bob, conversation: 'talk', seq: 3 }])
  })

  test('what is no entry says its class and by which membership it was decided, here and on other nodes', async () => {
    const [a, b] = await startThree()
    const [ann, bob] = [fresh('ann'), fresh('bob')]
    await Promise.all([a.open(ann), b.open(bob)])
    const asOf = { conversation: 'c', version: 7 }
    const typing = { class: 'ephemeral', asOf } as const
    await a.route([{ to: [ann, bob], frame: '"typing"', ...typing }, signalFrame([ann, bob], 'eve')])
    await until(() => b.deliveries.length === 2, { what: 'the frames are there' })
    expect(a.deliveries).toMatchObject([typing, { class: 'signal' }])
    expect(b.deliveries).toEqual([typing, { class: 'signal' }])
  })

  test('a frame that its maker marks with a connection reaches deliver with it, here only', async () => {
    const store = await open()
    const origins: unknown[] = []
    const node = createNode({
      id: fresh('node'),
      store,
      info: () => ({ kind: 'api', url: '', region: '', connections: 0, accepting: true }),
      logger: quietLogger,
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
    await node.route([{ ...entryFrame([fresh('bob')], 'hello'), origin }])
    expect(origins).toEqual([origin])
    await node.stop()
    await store.close()
  })

  test('a conversation that goes by interest costs one publish per node that is concerned', async () => {
    const [a, b, c] = await startThree()
    const [group, other] = [fresh('conversation'), fresh('conversation')]
    for (const [node, conversation] of [
      [a, group],
      [b, group],
      [c, other],
    ] as const) {
      node.interests.set(conversation, [])
      await node.join(conversation)
    }
    const before = a.stats.publishes
    const sent = {
      to: { conversation: group, version: 9 },
      frame: frame('to all'),
      class: 'entry' as const,
      entry: { conversation: group, seq: 4 },
    }
    await a.route([sent])
    await until(() => b.interests.get(group)?.length === 1, { what: 'the frame is there' })
    expect(a.stats.publishes - before).toBe(1)
    expect(a.interests.get(group)).toEqual([`9 ${sent.frame}`])
    expect(b.interests.get(group)).toEqual([`9 ${sent.frame}`])
    expect(c.stats.envelopeFrames).toBe(0)
    await b.leave(group)
    await a.route([sent])
    expect(a.stats.publishes - before).toBe(1)
  })

  test('of what goes by interest, whoever of its people is nowhere is reported a little later', async () => {
    const [a, b] = await startThree()
    const [ann, bob, eve, owed] = [fresh('ann'), fresh('bob'), fresh('eve'), fresh('owed')]
    await a.open(ann)
    await b.open(bob)
    const conversation = fresh('conversation')
    for (const node of [a, b]) {
      node.interests.set(conversation, [])
      await node.join(conversation)
    }
    const to = { conversation, version: 1 }
    const people = [ann, bob, eve, owed]
    const entryOf = (seq: number) => ({
      to,
      frame: frame('to all'),
      class: 'entry' as const,
      entry: { conversation, seq },
    })
    const lookups = a.stats.lookups
    await a.route([{ ...entryOf(1), people, owed: [owed] }, { ...entryOf(2), people }, entryOf(3)])
    await until(() => a.absences.length === 3, { what: 'they are reported' })
    expect(a.absences).toEqual([
      { user: eve, conversation, seq: 1 },
      { user: eve, conversation, seq: 2 },
      { user: owed, conversation, seq: 2 },
    ])
    expect(a.stats.lookups - lookups).toBe(2)
    expect(a.presumedAbsent(people)).toEqual([eve, owed])
    expect(b.absences).toEqual([])
  })

  test('of what goes by interest to a place where nobody hears it, its people are reported', async () => {
    const [a, b] = await startThree()
    const bob = fresh('bob')
    const conversation = fresh('conversation')
    await b.open(bob)
    await b.join(conversation)
    await b.crash()
    const to = { conversation, version: 1 }
    const sent = { to, frame: frame('to all'), class: 'entry', entry: { conversation, seq: 1 }, people: [bob] } as const
    await a.route([sent])
    await until(() => a.absences.length > 0, { what: 'the absence is reported' })
    expect(a.absences).toEqual([{ user: bob, conversation, seq: 1 }])
  })

  test('tells who is online, and who probably is not', async () => {
    const [a, b] = await startThree()
    const [ann, bob, eve] = [fresh('ann'), fresh('bob'), fresh('eve')]
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
    hidden = nextId()
    const b = await start()
    const bob = fresh('bob')
    await b.open(bob)
    await a.route([entryFrame([bob], 'hello')])
    await until(() => b.sockets.get(bob)?.length === 1, { what: 'the frame is there' })
    expect(a.nodes().map(view => view.node)).toEqual([a.id])
    hidden = undefined
    await until(async () => (await a.online([bob])).has(bob), { what: 'its lease is seen' })
  })

  test('an entry of a place that is long over is nobody', async () => {
    const a = await start()
    const bob = fresh('bob')
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
    await b.open(fresh('bob'))
    await until(() => a.nodes().find(view => view.node === b.id)?.info.connections === 1, { what: 'the count arrives' })
    await until(() => a.nodes().find(view => view.node === api.id)?.info.kind === 'api', { what: 'the api arrives' })
    expect(a.nodes().find(view => view.node === b.id)).toMatchObject({ state: 'live', info: { accepting: true } })
    expect(a.place()).toMatch(/^node-\d+:\d{13}$/)
  })

  test('counts hits across the fleet', async () => {
    const [a, b] = await startThree()
    const key = fresh('ticket')
    expect((await a.hit(key, 60_000))?.count).toBe(1)
    expect((await b.hit(key, 60_000))?.count).toBe(2)
  })

  describe('presence', () => {
    test('watchers hear of the first socket and the last, from wherever, and of nothing between', async () => {
      const [a, b, c] = await startThree()
      const [bob, eve] = [fresh('bob'), fresh('eve')]
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
      const presenceGatherMs = 200
      const gathering = holdTimers(presenceGatherMs)
      const [a, b, c] = await startThree({ clock: gathering.clock, settings: { presenceGatherMs } })
      const [bob, eve] = [fresh('bob'), fresh('eve')]
      await b.open(bob)
      await until(async () => (await a.watch([bob, eve])).includes(bob), { what: 'bob is online' })
      await b.shut(bob)
      await b.open(bob)
      await b.shut(bob)
      await c.open(bob)
      await c.open(eve)
      gathering.release()
      await until(() => a.changes.some(change => change.user === eve), { what: 'what came after the flap' })
      expect(a.changes.filter(change => change.user === bob)).toEqual([])
    })

    test('a change that could not be looked up at once is told later', async () => {
      let failures = 0
      const a = await start()
      const b = await start({}, store => ({
        ...store,
        whereabouts: {
          ...store.whereabouts,
          find: (kind, names) =>
            kind === 'watch' && failures-- > 0
              ? Promise.reject(new Error('unable to look up: away'))
              : store.whereabouts.find(kind, names),
        },
      }))
      const bob = fresh('bob')
      await a.watch([bob])
      failures = 2
      await b.open(bob)
      await until(() => a.changes.length === 1, { what: 'bob came' })
    })

    test('a change that nobody was told of is found by the audit', async () => {
      const [a, b] = await startThree({ settings: { auditNamesMax: 100, presenceGatherMs: 60_000 } })
      const bob = fresh('bob')
      expect(await a.watch([bob])).toEqual([])
      await b.open(bob)
      await until(() => a.changes.length === 1, { what: 'bob came' })
      await b.shut(bob)
      await until(() => a.changes.length === 2, { what: 'bob went' })
      expect(a.changes.map(change => change.online)).toEqual([true, false])
    })

    test('a change that may have been lost is looked up when a loss is suspected', async () => {
      const [a, b] = await startThree({ settings: { presenceRecheckMs: 50, presenceGatherMs: 60_000 } })
      const bob = fresh('bob')
      await a.watch([bob])
      await b.open(bob)
      const header = { v: 1, from: b.place(), to: a.place(), n: 1, suspect: Date.now() }
      await b.store.broker.publish(a.id, JSON.stringify(header))
      await until(() => a.changes.length === 1, { what: 'bob came' })
      expect(a.stats.suspects.told).toBe(1)
    })

    test('local watchers hear of local people', async () => {
      const a = await start()
      const bob = fresh('bob')
      expect(await a.watch([bob])).toEqual([])
      await a.open(bob)
      await until(() => a.changes.length === 1, { what: 'bob came' })
      await a.shut(bob)
      await until(() => a.changes.length === 2, { what: 'bob went' })
      expect(a.changes.map(change => change.online)).toEqual([true, false])
    })
  })

  test('an envelope for an earlier generation is delivered, but not counted', async () => {
    const [a, b] = await startThree()
    const [bob, eve] = [fresh('bob'), fresh('eve')]
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
    const unreadablePauseMs = 200
    const pause = holdTimers(unreadablePauseMs)
    const [a, b] = await startThree({ clock: pause.clock, settings: { unreadablePauseMs } })
    const bob = fresh('bob')
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
    // The first at once, the others together, once the pause is over.
    expect(b.stats.suspects.unreadable).toBe(1)
    pause.release()
    expect(b.stats.suspects.unreadable).toBe(2)
  })

  test('an envelope of a newer version is taken as far as its shape is known', async () => {
    const [a, b] = await startThree()
    const bob = fresh('bob')
    await b.open(bob)
    const entry = { conversation: 'c0ffee00-0000-4000-8000-000000000001', seq: 1 }
    const header = { v: 2, from: 'later:1', to: b.place(), n: 1, items: [{ to: [bob], entry, more: 1 }], also: {} }
    await a.store.broker.publish(b.id, `${JSON.stringify(header)}\nhello`)
    await until(() => b.sockets.get(bob)?.includes('hello') === true, { what: 'it is delivered' })
    expect(b.stats.malformed).toBe(0)
  })

  test('an entry that vanished by itself is found and entered again', async () => {
    const [a, b] = await startThree({ settings: { auditNamesMax: 100 } })
    const bob = fresh('bob')
    await b.open(bob)
    await a.store.whereabouts.leave('presence', [bob], b.place())
    await until(async () => (await a.store.whereabouts.find('presence', [bob]))[0]?.[0] === b.place(), {
      what: 'the entry is back',
    })
    await until(() => b.suspicions.length > 0, { what: 'a loss is suspected' })
    expect(b.stats.suspects.entries_lost).toBe(1)
  })
})
