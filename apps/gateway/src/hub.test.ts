import { limits } from '@flotilla/protocol'
import { until } from '@flotilla/testing'
import { expect, test } from 'vitest'
import type { Connection } from './connection.ts'
import { Hub, type HubPorts } from './hub.ts'

interface Fake {
  user: string
  frames: string[]
  /** As what they were put there. */
  classes: string[]
  connection: Connection
}

function person(user: string): Fake {
  const frames: string[] = []
  const classes: string[] = []
  const connection = {
    user,
    watching: undefined,
    interests: undefined,
    push(frame: string, as: string) {
      frames.push(frame)
      classes.push(as)
    },
  } as unknown as Connection
  return { user, frames, classes, connection }
}

function open(ports: Partial<HubPorts> = {}) {
  const calls: string[] = []
  const hub = new Hub({
    readMembers: async () => undefined,
    onJoin: conversation => calls.push(`join ${conversation}`),
    onLeave: conversation => calls.push(`leave ${conversation}`),
    onMembership: (conversation, version) => calls.push(`membership ${conversation} ${version}`),
    onGone: users => calls.push(`gone ${users.join(' ')}`),
    onEntry: at => calls.push(`entry ${at}`),
    onLost: () => calls.push('lost'),
    onLate: () => calls.push('late'),
    ...ports,
  })
  return { hub, calls }
}

const turn = () => new Promise(setImmediate)

test('a frame reaches every connection of a person but its origin, and the absent are named', () => {
  const { hub } = open()
  const [phone, laptop, bob] = [person('alice'), person('alice'), person('bob')]
  expect([phone, laptop, bob].map(one => hub.add(one.connection))).toEqual([true, false, true])
  expect(
    hub.deliver(
      ['alice', 'bob', 'carol'],
      'f',
      { class: 'entry', entry: { conversation: 'c', seq: 1 } },
      phone.connection,
    ),
  ).toEqual(['carol'])
  expect([phone.frames, laptop.frames, bob.frames]).toEqual([[], ['f'], ['f']])
  expect(hub.remove(phone.connection)).toBe(false)
  expect(hub.remove(phone.connection)).toBe(false)
  expect(hub.remove(laptop.connection)).toBe(true)
  expect(hub.deliver(['alice'], 'g', { class: 'signal' })).toEqual(['alice'])
  expect(hub.connections).toBe(1)
})

test('a long frame for many is encoded once', () => {
  const { hub } = open()
  const here = [person('alice'), person('bob')]
  for (const one of here) hub.add(one.connection)
  const frame = '漢'.repeat(2_000)
  hub.deliver(['alice', 'bob'], frame, { class: 'signal' })
  hub.noteMember('large', 1, 'alice', 0)
  hub.noteMember('large', 1, 'bob', 0)
  hub.deliverByInterest({ conversation: 'large', version: 1 }, frame, { conversation: 'large', seq: 1 })
  const [ofAlice, ofBob] = here.map(one => one.frames as unknown[])
  expect(ofAlice).toHaveLength(2)
  ofAlice!.forEach((one, nth) => {
    expect(one).toBe(ofBob![nth])
    expect(one).toEqual(Buffer.from(frame))
  })
})

test("an entry is told once with its time, when a socket here got it; what is told again or was nobody's is not", () => {
  const { hub, calls } = open()
  const [phone, laptop, bob] = [person('alice'), person('alice'), person('bob')]
  hub.add(phone.connection)
  // Only its own sender is here.
  hub.deliver(
    ['alice', 'carol'],
    'f',
    { class: 'entry', entry: { conversation: 'c', seq: 1, at: 1 } },
    phone.connection,
  )
  hub.add(laptop.connection)
  hub.add(bob.connection)
  hub.deliver(['alice', 'bob'], 'f', { class: 'entry', entry: { conversation: 'c', seq: 2, at: 2 } }, phone.connection)
  hub.deliver(['alice', 'bob'], 'f', { class: 'entry', entry: { conversation: 'c', seq: 2 } })
  hub.deliver(['carol'], 'f', { class: 'entry', entry: { conversation: 'c', seq: 3, at: 3 } })
  hub.noteMember('large', 1, 'bob', 5)
  hub.deliverByInterest({ conversation: 'large', version: 1 }, 'f', { conversation: 'large', seq: 4, at: 4 })
  hub.deliverByInterest({ conversation: 'large', version: 1 }, 'f', { conversation: 'large', seq: 5, at: 5 })
  expect(calls).toEqual(['entry 2', 'join large', 'entry 5'])
})

test('of a change of membership, those who are here and no members any longer are named', async () => {
  const joined = new Map([['alice', 1]])
  const { hub, calls } = open({ readMembers: async () => ({ version: 2, byInterest: false, joined }) })
  for (const user of ['alice', 'bob']) hub.add(person(user).connection)
  hub.deliver(['alice', 'bob', 'carol'], 'f', { class: 'entry', entry: { conversation: 'c', seq: 2, membership: 2 } })
  await turn()
  expect(calls).toEqual(['membership c 2', 'gone bob'])
})

test('what was decided by a membership before the one that is known here is dropped, however late it comes (P8)', () => {
  const { hub } = open()
  const alice = person('alice')
  hub.add(alice.connection)
  const typing = (frame: string, version: number, conversation = 'c') =>
    hub.deliver(['alice'], frame, { class: 'ephemeral', asOf: { conversation, version } })
  typing('nobody knows better', 1)
  hub.learnMembership('c', 3)
  typing('from before', 2)
  typing('of now', 3)
  typing('the news is on its way', 4)
  typing('elsewhere', 1, 'd')
  hub.learnMembership('c', 2)
  typing('from before, still', 2)
  expect(alice.frames).toEqual(['nobody knows better', 'of now', 'the news is on its way', 'elsewhere'])
})

test('every frame goes to a socket as what it is', () => {
  const { hub } = open()
  const alice = person('alice')
  hub.add(alice.connection)
  hub.deliver(['alice'], 'message', { class: 'entry', entry: { conversation: 'c', seq: 1 } })
  hub.deliver(['alice'], 'block', { class: 'signal' })
  hub.deliver(['alice'], 'typing', { class: 'ephemeral' })
  hub.tell('alice', 'heads')
  hub.watch(alice.connection, ['bob'])
  hub.tellWatchers('bob', 'presence')
  hub.noteMember('c', 1, 'alice', 1)
  hub.deliverByInterest({ conversation: 'c', version: 1 }, 'message', { conversation: 'c', seq: 2 })
  expect(alice.classes).toEqual(['entry', 'signal', 'ephemeral', 'control', 'ephemeral', 'entry'])
})

test('watches are told once to the node, and only watchers are told', () => {
  const { hub } = open()
  const [alice, bob] = [person('alice'), person('bob')]
  hub.add(alice.connection)
  hub.add(bob.connection)
  expect(hub.watch(alice.connection, ['x', 'y'])).toEqual(['x', 'y'])
  expect(hub.watch(bob.connection, ['y'])).toEqual([])
  hub.tellWatchers('x', 'x is here')
  hub.tellWatchers('y', 'y is here')
  expect([alice.frames, bob.frames]).toEqual([['x is here', 'y is here'], ['y is here']])
  expect(hub.unwatch(alice.connection, ['x', 'y', 'z'])).toEqual(['x'])
  hub.tellWatchers('y', 'y is here still')
  expect([alice.frames.length, bob.frames.at(-1)]).toEqual([2, 'y is here still'])
  expect(hub.unwatch(bob.connection, ['y'])).toEqual(['y'])
  const many = Array.from({ length: limits.presenceWatchMax + 1 }, (_, nth) => `p${nth}`)
  expect(() => hub.watch(bob.connection, many)).toThrow(expect.objectContaining({ code: 'watch_limit_reached' }))
})

test('a conversation that goes by interest reaches its members who are here, from the seq on that they joined at', () => {
  const { hub, calls } = open()
  const [alice, bob, carol] = [person('alice'), person('bob'), person('carol')]
  for (const one of [alice, bob, carol]) hub.add(one.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.noteMember('c', 5, 'bob', 10)
  hub.deliverByInterest({ conversation: 'c', version: 5 }, 'nine', { conversation: 'c', seq: 9 })
  hub.deliverByInterest({ conversation: 'c', version: 5 }, 'ten', { conversation: 'c', seq: 10 })
  expect([alice.frames, bob.frames, carol.frames]).toEqual([['nine', 'ten'], ['ten'], []])
  expect(calls).toEqual(['join c'])
})

test('a frame of a later membership waits until the members were read, and misses who was removed (P8)', async () => {
  const read = Promise.withResolvers<{ version: number; byInterest: boolean; joined: Map<string, number> }>()
  const { hub } = open({ readMembers: () => read.promise })
  const [alice, bob] = [person('alice'), person('bob')]
  for (const one of [alice, bob]) hub.add(one.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.noteMember('c', 5, 'bob', 1)
  hub.deliverByInterest({ conversation: 'c', version: 7 }, 'after the removal', { conversation: 'c', seq: 20 })
  hub.deliverByInterest({ conversation: 'c', version: 5 }, 'behind it', { conversation: 'c', seq: 19 })
  expect(alice.frames).toEqual([])
  read.resolve({ version: 7, byInterest: true, joined: new Map([['alice', 1]]) })
  await turn()
  expect(alice.frames).toEqual(['after the removal', 'behind it'])
  expect(bob.frames).toEqual([])
})

test('changes of membership are followed one by one without reading', () => {
  const { hub } = open({ readMembers: () => Promise.reject(new Error('must not be asked')) })
  const [alice, bob, carol] = [person('alice'), person('bob'), person('carol')]
  for (const one of [alice, bob, carol]) hub.add(one.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.noteMember('c', 5, 'bob', 1)
  const change = (event: object, seq: number, version: number) =>
    hub.deliverByInterest({ conversation: 'c', version }, JSON.stringify(event), {
      conversation: 'c',
      seq,
      membership: version,
    })
  change({ event: 'member.removed', user: 'bob', seq: 6 }, 6, 6)
  change({ event: 'member.added', members: [{ user: 'carol', role: 'member' }], seq: 7 }, 7, 7)
  hub.deliverByInterest({ conversation: 'c', version: 7 }, 'm', { conversation: 'c', seq: 8 })
  expect(alice.frames.at(-1)).toBe('m')
  expect(carol.frames.at(-1)).toBe('m')
  expect(bob.frames).toEqual([])
})

test('the last member of a conversation who leaves the node ends its interest', () => {
  const { hub, calls } = open()
  const alice = person('alice')
  hub.add(alice.connection)
  alice.connection.interests = ['c']
  hub.noteMember('c', 1, 'alice', 1)
  hub.remove(alice.connection)
  expect(calls).toEqual(['join c', 'leave c'])
})

test('the last member who is removed ends the interest too', () => {
  const { hub, calls } = open()
  const alice = person('alice')
  hub.add(alice.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.deliverByInterest(
    { conversation: 'c', version: 6 },
    JSON.stringify({ event: 'member.removed', user: 'alice', seq: 6 }),
    {
      conversation: 'c',
      seq: 6,
      membership: 6,
    },
  )
  expect(calls).toEqual(['join c', 'membership c 6', 'leave c'])
})

test('when the members cannot be read, the node heals', async () => {
  const { hub, calls } = open({ readMembers: () => Promise.reject(new Error('away')) })
  const alice = person('alice')
  hub.add(alice.connection)
  hub.noteMember('c', 1, 'alice', 1)
  hub.deliverByInterest({ conversation: 'c', version: 2 }, 'm', { conversation: 'c', seq: 8 })
  await turn()
  expect(calls).toContain('lost')
})

test('who connects while the members are being read anew hears what comes after', async () => {
  const read = Promise.withResolvers<{ version: number; byInterest: boolean; joined: Map<string, number> }>()
  const { hub } = open({ readMembers: () => read.promise })
  const [alice, bob] = [person('alice'), person('bob')]
  hub.add(alice.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.deliverByInterest({ conversation: 'c', version: 6 }, 'm6', { conversation: 'c', seq: 20 })
  hub.add(bob.connection)
  hub.noteMember('c', 6, 'bob', 1)
  read.resolve({ version: 6, byInterest: true, joined: new Map([['alice', 1]]) })
  await turn()
  hub.deliverByInterest({ conversation: 'c', version: 6 }, 'm7', { conversation: 'c', seq: 21 })
  expect(alice.frames).toEqual(['m6', 'm7'])
  expect(bob.frames).toEqual(['m6', 'm7'])
})

test('a frame that is ahead of the members that are being read waits for the next reading, and is not lost', async () => {
  let version = 6
  const { hub } = open({
    readMembers: () => Promise.resolve({ version: version++, byInterest: true, joined: new Map([['alice', 1]]) }),
  })
  const alice = person('alice')
  hub.add(alice.connection)
  hub.noteMember('c', 5, 'alice', 1)
  hub.deliverByInterest({ conversation: 'c', version: 6 }, 'm6', { conversation: 'c', seq: 20 })
  hub.deliverByInterest({ conversation: 'c', version: 7 }, 'm7', { conversation: 'c', seq: 21 })
  for (let nth = 0; nth < 3; nth++) await turn()
  expect(alice.frames).toEqual(['m6', 'm7'])
})

/** Answers that come in any order, each as the store stood when it was asked. */
function heldReads() {
  const held: ((joined: readonly string[], version: number) => void)[] = []
  const readMembers = () =>
    new Promise<{ version: number; byInterest: boolean; joined: Map<string, number> }>(resolve =>
      held.push((joined, version) =>
        resolve({ version, byInterest: true, joined: new Map(joined.map(user => [user, version])) }),
      ),
    )
  return { held, readMembers }
}

test('removed from a conversation and added again: an answer from between the two does not take them out', async () => {
  const { held, readMembers } = heldReads()
  const { hub } = open({ readMembers })
  const alice = person('alice')
  hub.add(alice.connection)
  void hub.followMembership('c', ['alice'], 6)
  void hub.followMembership('c', ['alice'], 7)
  held[1]!(['alice'], 7)
  await turn()
  held[0]!([], 6)
  await turn()
  hub.deliverByInterest({ conversation: 'c', version: 7 }, 'm', { conversation: 'c', seq: 8 })
  // By the versions alone nobody can tell: it is read once more.
  held[2]!(['alice'], 7)
  await turn()
  expect(alice.frames).toEqual(['m'])
  void hub.followMembership('c', ['alice'], 8)
  held[3]!([], 8)
  await turn()
  expect(hub.localMembers('c')).toBeUndefined()
})

test('removed and added again while the members are read anew: an answer from between the two does not take them out', async () => {
  const { held, readMembers } = heldReads()
  const { hub } = open({ readMembers })
  const [alice, bob] = [person('alice'), person('bob')]
  for (const { user, connection } of [alice, bob]) {
    hub.add(connection)
    hub.noteMember('c', 5, user, 1)
  }
  hub.deliverByInterest({ conversation: 'c', version: 7 }, 'm', { conversation: 'c', seq: 8 })
  hub.noteMember('c', 8, 'alice', 8)
  held[0]!(['bob'], 7)
  await turn()
  expect(bob.frames).toEqual(['m'])
  hub.deliverByInterest({ conversation: 'c', version: 8 }, 'n', { conversation: 'c', seq: 9 })
  held[1]!(['alice', 'bob'], 8)
  await turn()
  expect(alice.frames.at(-1)).toBe('n')
  expect(bob.frames).toEqual(['m', 'n'])
})

test('whose place could not be read is asked about until it is known, and what they may have missed is told', async () => {
  let failing = true
  const { hub, calls } = open({
    async readMembers() {
      if (failing) throw new Error('the store is away')
      return { version: 2, byInterest: true, joined: new Map([['alice', 1]]) }
    },
  })
  hub.add(person('alice').connection)
  hub.deliver(['alice'], 'f', { class: 'entry', entry: { conversation: 'large', seq: 2, membership: 2 } })
  await until(() => calls.includes('lost'), { what: 'it is noticed' })
  expect(hub.localMembers('large')).toBeUndefined()
  failing = false
  await until(() => calls.includes('late'), { what: 'it is made good' })
  expect(hub.localMembers('large')).toEqual(['alice'])
  expect(calls).toEqual(['membership large 2', 'lost', 'join large', 'late'])
})
