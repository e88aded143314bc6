import type { ChatContext } from '@flotilla/chat'
import { silentLogger } from '@flotilla/service'
import { until } from '@flotilla/testing'
import { expect, test } from 'vitest'
import type { Connection } from './connection.ts'
import { createHider, stillWatched } from './hide.ts'
import { Hub } from './hub.ts'

/** A store in which everybody shows themselves to everyone but who is in `hidden`. */
function open() {
  const hidden = new Set<string>()
  const strangers = new Set<string>()
  const asked: (() => void)[] = []
  const told: { listener: (users: readonly string[]) => void } = { listener: () => {} }
  const faults = { left: 0, hold: undefined as Promise<void> | undefined }
  const pool = {
    async query({ name, values: [, users] }: { name: string; values: [string, readonly string[]] }) {
      if (name === 'acquainted') return { rows: users.filter(id => !strangers.has(id)).map(id => ({ user_id: id })) }
      // The store answers by what holds when it is asked, however long the answer takes.
      const rows = users.map(id => ({
        id,
        last_seen_to: hidden.has(id) ? 3 : 1,
        read_receipts_to: 1,
        found_by_email_to: 1,
        direct_from: null,
        contact: false,
        blocked: false,
      }))
      asked.shift()?.()
      if (faults.left-- > 0) throw new Error('away')
      await faults.hold
      return { rows }
    },
  }
  const chat = {
    pool,
    clock: () => 7,
    pulse: {
      onHidden(listener: (users: readonly string[]) => void) {
        told.listener = listener
      },
    },
  } as unknown as ChatContext
  const hub = new Hub({
    readMembers: async () => undefined,
    onJoin() {},
    onLeave() {},
    onMembership() {},
    onGone() {},
    onEntry() {},
    onLost() {},
    onLate() {},
  })
  const unwatched: string[] = []
  const hider = createHider({
    chat,
    hub,
    logger: silentLogger,
    onUnwatched: users => void unwatched.push(...users),
  })
  const hide = (user: string) => {
    hidden.add(user)
    told.listener([user])
  }
  /** The end of a contact: the pulse tells of the two as if they had hidden. */
  const end = (user: string) => told.listener([user])
  return { hub, hider, hide, end, hidden, strangers, asked, faults, unwatched }
}

function person(user: string) {
  const frames: unknown[] = []
  const connection = {
    user,
    watching: undefined,
    push: (frame: string) => frames.push(JSON.parse(frame)),
  } as unknown as Connection
  return { connection, frames }
}

const gone = (user: string) => ({ event: 'presence.changed', user, online: false, at: 7 })

test('who hides is offline for those who watched, and is watched no more', async () => {
  const { hub, hider, hide, unwatched } = open()
  const [bob, carol] = [person('bob'), person('carol')]
  for (const { connection } of [bob, carol])
    await hider.watch(connection.user, ['alice', 'dave'], seen => hub.watch(connection, seen))
  hide('alice')
  await until(() => unwatched.length > 0, { what: 'it is known' })
  expect([bob.frames, carol.frames]).toEqual([[gone('alice')], [gone('alice')]])
  expect(unwatched).toEqual(['alice'])
  hub.tellWatchers('alice', '"alice is here"')
  hub.tellWatchers('dave', '"dave is here"')
  expect(bob.frames.at(-1)).toBe('dave is here')
  expect(bob.frames).toHaveLength(2)
})

test('who is hidden is not watched', async () => {
  const { hub, hider, hidden } = open()
  hidden.add('alice')
  const bob = person('bob')
  expect(await hider.watch('bob', ['alice', 'dave'], seen => hub.watch(bob.connection, seen))).toEqual(['dave'])
  expect(stillWatched(bob.connection, ['alice', 'dave'])).toEqual(['dave'])
})

test('who hides while a watch is being asked for is not watched, though the answer was from before', async () => {
  const { hub, hider, hide, asked, faults } = open()
  const bob = person('bob')
  const [underWay, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  asked.push(underWay.resolve)
  faults.hold = answered.promise
  const watching = hider.watch('bob', ['alice'], seen => hub.watch(bob.connection, seen))
  await underWay.promise
  // Nobody watches yet, so that the pulse has nobody to tell.
  hide('alice')
  answered.resolve()
  expect(await watching).toEqual([])
  expect(hub.watchersOf('alice')).toEqual([])
})

test('who leaves a conversation goes on watching only those with whom they share another', async () => {
  const { hub, hider, strangers, unwatched } = open()
  const [bob, carol] = [person('bob'), person('carol')]
  for (const { connection } of [bob, carol]) {
    hub.add(connection)
    await hider.watch(connection.user, ['alice', 'bob', 'dave'], seen => hub.watch(connection, seen))
  }
  strangers.add('alice')
  hider.left(['bob', 'eve'])
  await until(() => bob.frames.length > 0, { what: 'it is known' })
  expect([bob.frames, carol.frames]).toEqual([[gone('alice')], []])
  expect(stillWatched(bob.connection, ['alice', 'bob', 'dave'])).toEqual(['bob', 'dave'])
  expect(unwatched, 'Carol still watches her').toEqual([])
})

test('who is a contact no more, and shares nothing else, is offline, whomever they show themselves to', async () => {
  const { hub, hider, strangers, end, unwatched } = open()
  const [bob, carol] = [person('bob'), person('carol')]
  for (const { connection } of [bob, carol])
    await hider.watch(connection.user, ['alice'], seen => hub.watch(connection, seen))
  strangers.add('bob')
  end('alice')
  await until(() => bob.frames.length > 0, { what: 'it is known' })
  expect([bob.frames, carol.frames]).toEqual([[gone('alice')], []])
  expect(unwatched, 'Carol still watches her').toEqual([])
})

test('who ends to be a contact while a watch is being asked for is not watched', async () => {
  const { hub, hider, strangers } = open()
  const bob = person('bob')
  strangers.add('alice')
  expect(await hider.watch('bob', ['alice'], seen => hub.watch(bob.connection, seen))).toEqual([])
})

test('a store that does not answer is asked again', async () => {
  const { hub, hider, hide, faults, unwatched } = open()
  const bob = person('bob')
  await hider.watch('bob', ['alice'], seen => hub.watch(bob.connection, seen))
  faults.left = 1
  hide('alice')
  await until(() => unwatched.length > 0, { what: 'it is known in the end' })
  expect(bob.frames).toEqual([gone('alice')])
})
