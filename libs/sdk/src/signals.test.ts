import type {
  ContactRequest,
  ConversationRequest,
  ConversationSettings,
  Event,
  Notification,
  Reminder,
  ScheduledMessage,
  User,
} from '@flotilla/protocol'
import { rest as declared, type Route } from '@flotilla/protocol/schemas'
import { beforeEach, expect, test } from 'vitest'
import { Emitter } from './emitter.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { Call } from './http.ts'
import type { ClientEvents } from './options.ts'
import { createRest, type Rest } from './rest.ts'
import { topics } from './signal-topics.ts'
import { Signals } from './signals.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'

const person = (id: string, displayName = id): User => ({ id, username: id, displayName, avatar: null })
const asked = (id: string, from: string, to: string): ContactRequest => ({
  id,
  from: person(from),
  to: person(to),
  note: '',
  at: 1,
})
const invited = (id: string, kind: 'direct' | 'group', to = 'me', messages = 0): ConversationRequest => ({
  id,
  kind,
  conversation: `c-${id}`,
  from: person(to === 'me' ? 'ann' : 'me'),
  to: person(to),
  at: 1,
  messages,
})
const noted = (id: string): Notification => ({ id, kind: 'mention', at: 1, read: false, detail: {} })

/** What the API has. */
let store: {
  contacts: User[]
  requests: ContactRequest[]
  blocked: string[]
  unread: Notification[]
  invitations: ConversationRequest[]
  muted: Record<string, number>
  hidden: { conversation: string; seq: number; at: number }[]
  cleared: Record<string, number>
  settings: Record<string, ConversationSettings>
  scheduled: ScheduledMessage[]
  reminders: Reminder[]
  me: User
}
let reads: number
let failing: FlotillaError | undefined
/** Runs while a list is on its way back. */
let meanwhile: (() => void) | undefined
const pageMax = 2

/** A page of two, as of the moment of the question. */
async function page<T>(items: readonly T[], { after = '0' }: { readonly after?: string } = {}) {
  if (failing !== undefined) throw failing
  reads++
  const [from, end] = [Number(after), Number(after) + pageMax]
  const found = items.slice(from, end)
  const next = end < items.length ? { next: String(end) } : {}
  await Promise.resolve()
  meanwhile?.()
  return { found, next }
}

type Query = { readonly after?: string; readonly direction?: string }
const ofDirection = <T extends { from: User }>(items: readonly T[], direction?: string) =>
  items.filter(one => (one.from.id === 'me') === (direction === 'sent'))
const rest = {
  contacts: {
    list: (query: Query) =>
      page(
        store.contacts.map(user => ({ user, at: 1 })),
        query,
      ).then(({ found, next }) => ({ contacts: found, ...next })),
    requests: (query: Query) =>
      page(ofDirection(store.requests, query.direction), query).then(({ found, next }) => ({
        requests: found,
        ...next,
      })),
  },
  blocks: {
    list: (query: Query) =>
      page(
        store.blocked.map(id => ({ user: person(id), at: 1 })),
        query,
      ).then(({ found, next }) => ({ blocks: found, ...next })),
  },
  notifications: {
    list: (query: Query) => page(store.unread, query).then(({ found, next }) => ({ notifications: found, ...next })),
  },
  conversationRequests: {
    list: (query: Query) =>
      page(ofDirection(store.invitations, query.direction), query).then(({ found, next }) => ({
        requests: found,
        ...next,
      })),
  },
  messages: { hidden: async () => ({ messages: store.hidden }) },
  scheduled: {
    list: (query: Query) => page(store.scheduled, query).then(({ found, next }) => ({ scheduled: found, ...next })),
  },
  reminders: { list: async () => ({ reminders: store.reminders }) },
  me: async () => ({ ...store.me, about: '', email: null, hasPassword: true, createdAt: 1 }),
  conversations: (query: Query) =>
    page(
      ['talk', 'crew'].map(id => ({
        id,
        kind: id === 'talk' ? 'direct' : 'group',
        members: [{ user: person('dan', id === 'talk' ? danName : 'not told of groups'), role: 'member' }],
        ...(store.muted[id] === undefined ? {} : { mutedUntil: store.muted[id] }),
        ...(store.cleared[id] === undefined ? {} : { clearedSeq: store.cleared[id] }),
        ...(store.settings[id] === undefined ? {} : { settings: store.settings[id] }),
      })),
      query,
    ).then(({ found, next }) => ({ conversations: found, ...next })),
} as unknown as Rest
let danName: string
let readDrafts: () => Promise<void>

const listened = [
  'contact',
  'block',
  'notification',
  'conversationRequest',
  'muted',
  'user',
  'scheduled',
  'reminder',
  'refresh',
] as const
let clock: SimClock
let told: [name: string, event: unknown][]
let reported: unknown[]
let members: string[]

beforeEach(() => {
  store = {
    contacts: [],
    requests: [],
    blocked: [],
    unread: [],
    invitations: [],
    muted: {},
    hidden: [],
    cleared: {},
    settings: {},
    scheduled: [],
    reminders: [],
    me: person('me'),
  }
  danName = 'dan'
  readDrafts = async () => {}
  reads = 0
  failing = undefined
  meanwhile = undefined
  clock = new SimClock()
  told = []
  reported = []
  members = []
})

function open(names: readonly (keyof ClientEvents)[] = listened, api: Rest = rest) {
  const events = new Emitter<ClientEvents>(thrown => reported.push(thrown))
  for (const name of names) events.on(name, event => void told.push([name, event]))
  const signals = new Signals({
    rest: api,
    clock,
    random: () => 0.5,
    events,
    self: { user: () => 'me', isMember: conversation => members.includes(conversation) },
    refreshPauseMs: 5_000,
    drafts: { read: () => readDrafts() },
    report: thrown => reported.push(thrown),
  })
  return signals
}

/** Live, read for the first time, and with nothing told so far. */
async function settled(names?: readonly (keyof ClientEvents)[]) {
  const signals = open(names)
  signals.live(5_000)
  await clock.advance(10_000)
  told = []
  return signals
}
const events = () => told.filter(([name]) => name !== 'refresh')

test('what was there before is not told, and whoever listens to nothing has nothing read', async () => {
  store.contacts = ['ann', 'bob', 'cat'].map(id => person(id))
  const idle = open(['refresh'])
  idle.live(5_000)
  await clock.advance(1_000)
  expect(reads).toBe(0)
  expect(told).toEqual([['refresh', {}]])
  await settled(['block'])
  expect(reads).toBe(1)
  await settled()
  expect(told).toEqual([])
  expect(reported).toEqual([])
})

test('a notification that gathers more or less than before is told once more, and one that is the same is not', async () => {
  const reacted = (people: string, at = 1): Notification => ({ ...noted('r'), kind: 'reacted', at, detail: { people } })
  store.unread = [noted('n1'), reacted('1')]
  const signals = await settled()
  const lost = async (now: Notification) => {
    told.length = 0
    store.unread = [noted('n1'), now]
    signals.missed()
    await clock.advance(10_000)
    return events().filter(([name]) => name === 'notification')
  }
  const more = reacted('2', 5)
  expect(await lost(more)).toEqual([['notification', { event: 'notification.new', notification: more, unread: 2 }]])
  expect(await lost(reacted('2', 5))).toEqual([])
  const less = reacted('1', 5)
  expect(await lost(less)).toEqual([['notification', { event: 'notification.new', notification: less, unread: 2 }]])
})

test('what differs after a loss is told by the events that were lost', async () => {
  store.contacts = ['ann', 'bob', 'cat'].map(id => person(id))
  store.requests = [
    asked('r1', 'me', 'eve'),
    asked('r2', 'me', 'fay'),
    asked('r3', 'gus', 'me'),
    asked('r4', 'hal', 'me'),
  ]
  store.blocked = ['ida']
  store.unread = [noted('n1'), noted('n2')]
  store.muted = { talk: 7 }
  const signals = await settled()
  store.contacts = [person('ann'), person('cat'), person('eve'), person('jim')]
  store.requests = [asked('r4', 'hal', 'me'), asked('r5', 'kim', 'me')]
  store.blocked = ['leo']
  store.unread = [noted('n3'), noted('n2')]
  store.muted = { crew: 9 }
  store.me = person('me', 'Myself')
  danName = 'Dan'
  signals.missed()
  await clock.advance(1_000)
  expect(told[0]).toEqual(['refresh', {}])
  expect(events()).toEqual(
    expect.arrayContaining([
      ['contact', { event: 'contact.accepted', user: person('eve'), request: 'r1' }],
      ['contact', { event: 'contact.accepted', user: person('jim') }],
      ['contact', { event: 'contact.removed', user: 'bob' }],
      ['contact', { event: 'contact.declined', request: 'r2' }],
      ['contact', { event: 'contact.cancelled', request: 'r3' }],
      ['contact', { event: 'contact.requested', request: asked('r5', 'kim', 'me') }],
      ['block', { user: 'leo', blocked: true }],
      ['block', { user: 'ida', blocked: false }],
      ['notification', { event: 'notification.new', notification: noted('n3'), unread: 2 }],
      ['notification', { event: 'notification.read', notification: 'n1', unread: 2 }],
      ['muted', { conversation: 'talk', until: null }],
      ['muted', { conversation: 'crew', until: 9 }],
      ['user', person('me', 'Myself')],
      ['user', person('dan', 'Dan')],
    ]),
  )
  expect(events()).toHaveLength(14)
})

test('requests into conversations that ended are told as far as it can be known', async () => {
  store.invitations = [
    invited('1', 'direct'),
    invited('2', 'group'),
    invited('3', 'group'),
    invited('4', 'direct', 'eve'),
    invited('5', 'group', 'eve'),
  ]
  const signals = await settled()
  members = ['c-2', 'c-4', 'c-5']
  store.invitations = [invited('1', 'direct', 'me', 2)]
  signals.missed()
  await clock.advance(1_000)
  const answered = (id: string, answer: string) => [
    'conversationRequest',
    { event: 'conversation.answered', request: id, conversation: `c-${id}`, answer },
  ]
  expect(events()).toEqual([
    ['conversationRequest', { event: 'conversation.requested', request: invited('1', 'direct', 'me', 2) }],
    answered('4', 'accepted'),
    answered('5', 'cancelled'),
    answered('2', 'accepted'),
    answered('3', 'cancelled'),
  ])
})

const planned = (id: string, text: string): ScheduledMessage => ({
  id,
  conversation: 'crew',
  body: { text },
  at: 9,
  state: 'waiting',
})

test('scheduled messages and reminders that another device has changed are told after a loss', async () => {
  store.scheduled = [planned('s1', 'one'), planned('s2', 'two')]
  store.reminders = [{ conversation: 'crew', seq: 1, at: 5 }]
  const signals = await settled()
  store.scheduled = [planned('s2', 'two, edited'), planned('s3', 'three')]
  store.reminders = [{ conversation: 'crew', seq: 2, at: 6 }]
  signals.missed()
  await clock.advance(1_000)
  expect(events()).toEqual([
    ['scheduled', { scheduled: 's2', message: planned('s2', 'two, edited') }],
    ['scheduled', { scheduled: 's3', message: planned('s3', 'three') }],
    ['scheduled', { scheduled: 's1' }],
    ['reminder', { conversation: 'crew', seq: 2, at: 6 }],
    ['reminder', { conversation: 'crew', seq: 1, at: null }],
  ])
})

test('what came by a signal is known, and not told once more', async () => {
  store.contacts = [person('ann')]
  store.requests = [asked('r1', 'bob', 'me')]
  store.unread = [{ ...noted('n1'), conversation: 'crew', seq: 3 }, noted('n2')]
  const signals = await settled()
  const signalled: Event[] = [
    { event: 'contact.accepted', request: 'r1', user: person('bob') },
    { event: 'contact.removed', user: 'ann' },
    { event: 'contact.requested', request: asked('r2', 'me', 'cat') },
    { event: 'block.changed', user: 'ann', blocked: true },
    { event: 'notification.new', notification: noted('n3'), unread: 3 },
    { event: 'notification.read', conversation: 'crew', seq: 3, unread: 2 },
    { event: 'conversation.requested', request: invited('1', 'group') },
    { event: 'conversation.muted', conversation: 'crew', until: 9 },
    { event: 'user.changed', user: person('dan', 'Dan') },
    { event: 'scheduled.changed', scheduled: 's1', message: planned('s1', 'one') },
    { event: 'reminder.changed', conversation: 'crew', seq: 1, at: 5 },
  ]
  for (const event of signalled) signals.heard(event)
  store.contacts = [person('bob')]
  store.requests = [asked('r2', 'me', 'cat')]
  store.blocked = ['ann']
  store.unread = [noted('n3'), noted('n2')]
  store.invitations = [invited('1', 'group')]
  store.muted = { crew: 9 }
  danName = 'Dan'
  store.scheduled = [planned('s1', 'one')]
  store.reminders = [{ conversation: 'crew', seq: 1, at: 5 }]
  signals.missed()
  await clock.advance(1_000)
  expect(told).toEqual([['refresh', {}]])
})

test('what a signal says while it is read holds, and is read once more', async () => {
  store.blocked = ['ann']
  const signals = await settled(['block'])
  // It was read before the block, and answered after it was told.
  meanwhile = () => {
    meanwhile = undefined
    signals.heard({ event: 'block.changed', user: 'bob', blocked: true })
    store.blocked = ['ann', 'bob']
  }
  signals.missed()
  await clock.advance(1_000)
  expect(told).toEqual([])
  // The end of that block is lost, and was lost before the node said so.
  store.blocked = ['ann']
  await clock.advance(5_000)
  expect(told).toEqual([['block', { user: 'bob', blocked: false }]])
})

test('however often it is asked for, it is read once in a pause, and after the last', async () => {
  const signals = await settled(['block', 'refresh'])
  const before = reads
  for (let ms = 0; ms < 9_000; ms += 100) {
    signals.missed()
    await clock.advance(100)
  }
  expect(reads - before).toBe(2)
  store.blocked = ['ann']
  signals.missed()
  await clock.advance(10_000)
  expect(reads - before).toBe(3)
  expect(told.map(([name]) => name)).toEqual(['refresh', 'refresh', 'refresh', 'block'])
})

test('an API that is away is asked again, later and later, and no more than it allows', async () => {
  const signals = await settled(['block'])
  failing = new FlotillaError('unavailable', 'away', { retryMs: 3_000 })
  store.blocked = ['ann']
  signals.missed()
  await clock.advance(60_000)
  expect(reported.length).toBeGreaterThan(2)
  expect(reported.length).toBeLessThan(10)
  expect(told).toEqual([])
  failing = undefined
  await clock.advance(60_000)
  expect(told).toEqual([['block', { user: 'ann', blocked: true }]])
})

test('each connection reads anew what was missed while there was none', async () => {
  const signals = await settled(['block'])
  signals.down()
  store.blocked = ['ann']
  await clock.advance(60_000)
  expect(told).toEqual([])
  signals.live(5_000)
  await clock.advance(1_000)
  expect(told).toEqual([['block', { user: 'ann', blocked: true }]])
})

test('heads are a reason to read only where the node says nothing else', async () => {
  const signals = await settled(['block', 'refresh'])
  signals.healed()
  await clock.advance(10_000)
  expect(told).toEqual([])
  signals.down()
  signals.live(undefined)
  await clock.advance(10_000)
  told = []
  signals.healed()
  await clock.advance(10_000)
  expect(told).toEqual([['refresh', {}]])
})

test('what was hidden or cleared on another device is told, once, and what was known is not', async () => {
  const hide = (seq: number) => void store.hidden.unshift({ conversation: 'talk', seq, at: seq })
  hide(1)
  store.cleared = { crew: 4 }
  const signals = await settled(['cleared'])
  hide(2)
  signals.heard({ event: 'conversation.cleared', conversation: 'talk', seqs: [2] })
  hide(3)
  store.cleared = { crew: 4, talk: 9 }
  signals.missed()
  await clock.advance(1_000)
  expect(events()).toEqual([
    ['cleared', { conversation: 'talk', seqs: [3] }],
    ['cleared', { conversation: 'talk', upTo: 9 }],
  ])
  // What was cleared is listed no longer: that is no news.
  store.hidden = []
  store.cleared = { crew: 5, talk: 9 }
  signals.missed()
  await clock.advance(10_000)
  expect(events().slice(2)).toEqual([['cleared', { conversation: 'crew', upTo: 5 }]])
})

const ofVersion = (version: number): ConversationSettings => ({
  version,
  notify: null,
  mutedUntil: null,
  archived: false,
  pinned: null,
  unreadFrom: null,
})

test('conversations are read once for all that is told of them, and what is told before a topic has them holds', async () => {
  store.settings = { talk: ofVersion(1), crew: ofVersion(1) }
  const signals = await settled(['user', 'cleared', 'settings'])
  expect(reads).toBe(1)
  meanwhile = () => {
    meanwhile = undefined
    signals.heard({ event: 'conversation.settings_changed', conversation: 'talk', settings: ofVersion(3) })
    store.settings = { talk: ofVersion(3), crew: ofVersion(2) }
  }
  signals.missed()
  await clock.advance(1_000)
  expect([reads, events(), signals.settingsOf('talk')]).toEqual([2, [], ofVersion(3)])
  await clock.advance(10_000)
  expect([reads, events()]).toEqual([3, [['settings', { conversation: 'crew', settings: ofVersion(2) }]]])
  // A membership that begins anew while they are read.
  meanwhile = () => {
    meanwhile = undefined
    signals.forget('talk')
  }
  signals.missed()
  await clock.advance(1_000)
  expect(signals.settingsOf('talk')).toBeUndefined()
})

test('drafts are read with the rest, where somebody listens, until that succeeds', async () => {
  let drafts = 0
  readDrafts = async () => {
    drafts++
    if (drafts < 3) throw new FlotillaError('unavailable', 'away')
  }
  await settled(['block'])
  expect(drafts).toBe(0)
  const signals = open(['draft'])
  signals.live(5_000)
  await clock.advance(60_000)
  expect([drafts, reported.length]).toEqual([3, 2])
})

test('a list is read in pages that are as large as its route allows', async () => {
  const lists = [
    'contacts',
    'requests',
    'blocks',
    'notifications',
    'conversations',
    'messages',
    'scheduled',
    'reminders',
    'threads',
  ]
  const asked = new Map<string, unknown>()
  const call: Call = async (at, request) => {
    asked.set(at, request?.query?.['limit'])
    return { ...store.me, ...Object.fromEntries(lists.map(name => [name, []])) } as never
  }
  const names = Object.values(topics).flatMap(topic => topic.events)
  const signals = open(
    names,
    createRest(call, async () => 'token'),
  )
  signals.live(5_000)
  await clock.advance(1_000)
  expect(reported).toEqual([])
  const routes = Object.values<Readonly<Record<string, Route>>>(declared).flatMap(feature => Object.values(feature))
  const limitAt = (at: string) => routes.find(route => route.at === at)?.query?.properties['limit']
  expect(asked.size).toBeGreaterThan(9)
  for (const [at, limit] of asked) expect([at, limit]).toEqual([at, (limitAt(at) as { maximum?: number })?.maximum])
})
