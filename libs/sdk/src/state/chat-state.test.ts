import type { Entry, EntryOf } from '@flotilla/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Client } from '../client.ts'
import { ModelServer, ModelSocket } from '../simulation/model-server.testbed.ts'
import { dice, SimClock } from '../simulation/sim-clock.testbed.ts'
import { createMemoryArchive } from './archive.testbed.ts'
import { createChatState } from './chat-state.ts'
import type { ChatState, MessageRow, Timeline } from './views.ts'

let clock: SimClock
let server: ModelServer
let client: Client
let state: ChatState
let timeline: Timeline
let sends = 0

function open(user = 'ann', archive = createMemoryArchive()): void {
  client = new Client({
    api: 'http://api',
    getToken: async () => server.token(user),
    logger: { debug() {}, warn() {} },
    clock,
    random: server.random,
    uuid: () => `${user}-${++sends}`,
    fetch: server.fetch,
    WebSocket: class extends ModelSocket {
      constructor(url: string) {
        super(server, url)
      }
    },
  })
  state = createChatState(client, { archive, clock })
  timeline = state.timeline('c1')
}

async function finish(work: Promise<unknown>): Promise<void> {
  const progress = { isDone: false }
  const settled = work.finally(() => (progress.isDone = true))
  for (let tries = 0; !progress.isDone && tries < 2_000; tries++) await clock.advance(20)
  await settled
}

const post = (text: string, more: Partial<EntryOf<'message.new'>> = {}) =>
  server.append('c1', { event: 'message.new', by: 'zoe', clientId: `z${server.head('c1')}`, body: { text }, ...more })
const messages = () => timeline.get().rows.filter((row): row is MessageRow => row.kind === 'message')
const texts = () => messages().map(({ body }) => ('text' in body ? body.text : ''))
const last = () => messages().at(-1)!

beforeEach(async () => {
  clock = new SimClock()
  server = new ModelServer(clock, dice(1))
  server.create('c1', 'zoe', ['ann'])
  for (let nth = 1; nth <= 5; nth++) post(`${nth}`)
  open()
  timeline.subscribe(() => {})
  await finish(client.start())
  await clock.advance(5_000)
})
afterEach(() => state.stop())

test('one’s own row is there in the same turn, and its key stays when it is acknowledged', async () => {
  const keys: string[][] = []
  timeline.subscribe(() => keys.push(timeline.get().rows.map(({ key }) => key)))
  const { clientId } = timeline.send({ body: { text: 'hello' } })
  expect(keys).toHaveLength(1)
  expect(last()).toMatchObject({ key: clientId, own: true, state: 'sending' })
  await clock.advance(2_000)
  expect(last()).toMatchObject({ key: clientId, own: true, state: 'sent', seq: 7 })
  // Whatever was told in between: it never went, and came once.
  for (const shown of keys) expect(shown.filter(key => key === clientId)).toHaveLength(1)
})

test('two hundred sends while others post: each is the last row in the turn in which it was sent', async () => {
  for (let nth = 0; nth < 200; nth++) {
    post(`other ${nth}`)
    const { clientId } = timeline.send({ body: { text: `own ${nth}` } })
    expect(timeline.get().rows.at(-1)?.key).toBe(clientId)
    await clock.advance(15)
  }
  await clock.advance(60_000)
  expect(messages().filter(row => row.own)).toHaveLength(200)
  expect(messages().filter(row => row.state !== 'sent')).toEqual([])
})

// Of 450 entries the window around the first one reaches that at the end, and lets go of it; of 900 it does not.
test.each([450, 900])('from an old window a send shows the end at once, of %i entries', async count => {
  for (let nth = 0; nth < count; nth++) post(`other ${nth}`)
  await clock.advance(5_000)
  await finish(timeline.jump(1))
  expect(timeline.get()).toMatchObject({ hasNewer: true })
  const { clientId } = timeline.send({ body: { text: 'own' } })
  expect(timeline.get()).toMatchObject({ hasNewer: false })
  expect(timeline.get().rows.at(-1)?.key).toBe(clientId)
  await clock.advance(10_000)
  expect(last()).toMatchObject({ key: clientId, state: 'sent' })
  expect(texts().slice(-3)).toEqual([`other ${count - 2}`, `other ${count - 1}`, 'own'])
  expect(messages().length).toBeGreaterThanOrEqual(20)
  const seqs = messages().map(({ seq }) => seq!)
  expect(seqs.every((seq, at) => at === 0 || seq === seqs[at - 1]! + 1)).toBe(true)
})

test('rows that say the same are the same objects', async () => {
  const before = timeline.get().rows
  post('6')
  await clock.advance(1_000)
  const after = timeline.get().rows
  expect(after.slice(0, before.length).every((row, at) => row === before[at])).toBe(true)
  client.edit({ conversation: 'c1', target: 2, body: { text: 'refused: not ours' } })
  await clock.advance(2_000)
  expect(timeline.get().rows.every((row, at) => row === after[at])).toBe(true)
})

test('a message that is refused stays at the end until it is tried again or dropped', async () => {
  server.append('c1', { event: 'member.removed', by: 'zoe', user: 'ann' })
  const refused = timeline.send({ body: { text: 'too late' } })
  await expect(Promise.all([refused.acknowledged, clock.advance(200)])).rejects.toMatchObject({ code: 'not_a_member' })
  expect(last()).toMatchObject({ key: refused.clientId, state: 'failed', error: { code: 'not_a_member' } })
  server.append('c1', { event: 'member.added', by: 'zoe', members: [{ user: 'ann', role: 'member' }] })
  timeline.retry(refused.clientId)
  expect(messages().filter(row => row.own)).toHaveLength(1)
  expect(last()).toMatchObject({ state: 'sending', body: { text: 'too late' } })
  expect(last().key).not.toBe(refused.clientId)
  timeline.discard(refused.clientId)
  expect(messages().filter(row => row.own)).toHaveLength(1)
})

test('changes of one’s own are shown at once, and taken back when they are refused', async () => {
  timeline.send({ body: { text: 'mine' } })
  await clock.advance(2_000)
  const { seq } = last()
  client.edit({ conversation: 'c1', target: seq!, body: { text: 'better' } })
  expect(last()).toMatchObject({ changing: true, body: { text: 'better' } })
  await clock.advance(5_000)
  expect(last()).toMatchObject({ changing: false, body: { text: 'better' }, state: 'sent' })
  client.react('c1', seq!, '👍')
  expect(last()).toMatchObject({ changing: true, reactions: [{ emoji: '👍', count: 1, own: true }] })
  await clock.advance(5_000)
  expect(last()).toMatchObject({ changing: false, reactions: [{ emoji: '👍', count: 1, own: true }] })
  // Another's message: the server refuses.
  client.edit({ conversation: 'c1', target: 2, body: { text: 'not mine' } })
  expect(texts()[0]).toBe('not mine')
  await clock.advance(5_000)
  expect(texts()[0]).toBe('1')
  expect(messages()[0]).toMatchObject({ changing: false })
})

test('a message that expires goes by itself, and what is hidden and cleared at once', async () => {
  post('short-lived', { expiresAt: clock.now() + 10_000 })
  await clock.advance(1_000)
  expect(texts()).toEqual(['1', '2', '3', '4', '5', 'short-lived'])
  await clock.advance(10_000)
  expect(texts()).toEqual(['1', '2', '3', '4', '5'])
  for (const socket of server.sockets)
    socket.event({ event: 'conversation.cleared', conversation: 'c1', seqs: [4], upTo: 2 })
  await clock.advance(1_000)
  expect(texts()).toEqual(['2', '4', '5'])
})

test('unread is counted as the server does', async () => {
  const unread = () => state.conversations.get().items[0]?.unread
  expect(unread()).toBe(5)
  const sixth = post('6')
  post('aside', { thread: 2 })
  timeline.send({ body: { text: 'own' } })
  await clock.advance(2_000)
  expect(unread()).toBe(6)
  expect(state.unread.get()).toEqual({ unread: 6, mentions: 0, loud: 6 })
  server.remove('c1', sixth)
  await clock.advance(2_000)
  expect(unread()).toBe(5)
  // Of those that were counted before this client was there, the server knows.
  server.remove('c1', 3)
  await clock.advance(2_000)
  expect(unread()).toBe(4)
  state.markRead('c1', server.head('c1'))
  expect(unread()).toBe(0)
  post('one more')
  await clock.advance(2_000)
  expect(unread()).toBe(1)
})

test('the list shows the last message in plain text, what is being sent, and drafts', async () => {
  const item = () => state.conversations.get().items[0]
  post('**bold** and `code`')
  await clock.advance(1_000)
  expect(item()?.last).toMatchObject({ by: 'zoe', own: false, text: 'bold and code', state: 'sent' })
  state.draft('c1').set({ text: 'begun' })
  expect(item()?.draft).toBe('begun')
  timeline.send({ body: { text: 'begun' } })
  expect(item()?.draft).toBeUndefined()
  expect(state.draft('c1').get()).toBeUndefined()
  expect(item()?.last).toMatchObject({ own: true, text: 'begun', state: 'sending' })
  await clock.advance(2_000)
  expect(item()?.last).toMatchObject({ own: true, text: 'begun', state: 'sent' })
})

test('a cold start shows what the archive has before the network answers, and nothing after a wipe', async () => {
  const archive = createMemoryArchive()
  await state.stop()
  await finish(client.stop())
  open('ann', archive)
  timeline.subscribe(() => {})
  await finish(client.start())
  await clock.advance(10_000)
  const [shown, list] = [timeline.get().rows, state.conversations.get()]
  expect(texts()).toEqual(['1', '2', '3', '4', '5'])
  await state.stop()
  await finish(client.stop())
  // Not started: no network.
  open('ann', archive)
  timeline.subscribe(() => {})
  await clock.settle()
  expect(state.conversations.get()).toEqual(list)
  expect(timeline.get()).toMatchObject({ rows: shown, loading: 'first' })
  expect(state.me.get()).toMatchObject({ id: 'ann' })
  const rows = timeline.get().rows
  await finish(client.start())
  await clock.advance(5_000)
  expect(timeline.get().loading).toBe('none')
  expect(timeline.get().rows.every((row, at) => row === rows[at])).toBe(true)
  await finish(state.wipe())
  expect(await archive.load()).toBeUndefined()
  expect(archive.logs.size).toBe(0)
})

test('a restored store begins the conversation anew, and says so once', async () => {
  server.restore(3)
  post('after')
  for (const socket of server.sockets) server.tellHeads(socket)
  await clock.advance(10_000)
  expect(timeline.get()).toMatchObject({ discontinuity: 1, loading: 'none', hasNewer: false })
  const stored = server.entries('c1', 1).map(entry => ('text' in bodyOf(entry) ? bodyOf(entry).text : ''))
  expect(texts()).toEqual(stored)
})
const bodyOf = (entry: Entry) => (entry as EntryOf<'message.new'>).body as { text: string }

test('people are watched while somebody looks, and a little longer', async () => {
  const asked: string[] = []
  const watch = client.watch.bind(client)
  client.watch = users => {
    asked.push(...users)
    return watch(users)
  }
  const end = state.presence('zoe').subscribe(() => {})
  state.presence('bob').subscribe(() => {})()
  await clock.advance(1_000)
  expect(asked).toEqual(['zoe', 'bob'])
  expect(state.presence('zoe').get()).toBe(false)
  end()
  await clock.advance(10_000)
  expect(state.presence('zoe').get()).toBeUndefined()
  expect(client.presence().size).toBe(0)
})

test('people who are asked for together are read once each', async () => {
  const read: string[] = []
  const { user } = client.rest
  Object.assign(client.rest, { user: (id: string) => read.push(id) && user(id) })
  for (const id of ['p1', 'p2', 'p1']) state.user(id).subscribe(() => {})
  await clock.advance(1_000)
  expect(state.user('p1').get()).toMatchObject({ id: 'p1', displayName: 'p1' })
  expect(read).toEqual(['p1', 'p2'])
})
