import {
  type CommandOf,
  conversationOf,
  emptyConversation,
  type Entry,
  fold,
  lengthOf,
  limits,
  mentionsOf,
  textOf,
} from '@flotilla/protocol'
import { beforeEach, expect, test, vi } from 'vitest'
import { Client } from './client.ts'
import type { Change } from './delivery.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { Fetch } from './http.ts'
import type { ClientOptions } from './options.ts'
import type { Send } from './outbox.ts'
import { ModelServer, ModelSocket } from './simulation/model-server.testbed.ts'
import { dice, SimClock } from './simulation/sim-clock.testbed.ts'
import { createMemoryStore } from './store-memory.ts'

let clock: SimClock
let server: ModelServer
let heard: string[]
let warnings: string[]

beforeEach(() => {
  clock = new SimClock()
  server = new ModelServer(clock, dice(1))
  heard = []
  warnings = []
  server.create('c', 'bob', ['ann'])
})

function makeClient(user: string, options: Partial<ClientOptions> = {}): Client {
  const client = new Client({
    api: 'http://api',
    getToken: async () => server.token(user),
    clock,
    random: server.random,
    logger: { debug() {}, warn: message => warnings.push(message) },
    fetch: server.fetch,
    WebSocket: class extends ModelSocket {
      constructor(url: string) {
        super(server, url)
      }
    },
    ...options,
  })
  client.on('entry', entry => heard.push(`entry ${entry.event} ${entry.seq}`))
  client.on('message', message => heard.push(`message ${textOf(message.body)}`))
  client.on('resync', ({ from, head }) => heard.push(`resync ${from} ${head}`))
  client.on('left', ({ conversation }) => heard.push(`left ${conversation}`))
  client.on('receipt', ({ user, kind, seq }) => heard.push(`${user} ${kind} ${seq}`))
  client.on('typing', ({ user, typing }) => heard.push(`${user} typing ${typing}`))
  client.on('presence', ({ user, online }) => heard.push(`${user} online ${online}`))
  client.on('stopped', ({ reason, advice }) => heard.push(`stopped ${reason}: ${advice}`))
  return client
}
async function startClient(user: string, options: Partial<ClientOptions> = {}): Promise<Client> {
  const client = makeClient(user, options)
  const started = client.start()
  await clock.advance(2_000)
  await started
  return client
}
const post = (text: string) => server.append('c', { event: 'message.new', by: 'bob', clientId: text, body: { text } })
const tell = (event: Parameters<ModelSocket['event']>[0]) => {
  for (const socket of server.sockets) socket.event(event)
}

test('what was before comes first, then what happens; messages are told as entries and as messages', async () => {
  post('one')
  const client = await startClient('ann')
  expect(client.state.name).toBe('live')
  expect(client.user).toBe('ann')
  post('two')
  await clock.advance(1_000)
  expect(heard).toEqual([
    'entry conversation.created 1',
    'entry message.new 2',
    'message one',
    'entry message.new 3',
    'message two',
  ])
})

test('a device that knows nothing begins with the latest page, and what is old is marked', async () => {
  for (let nth = 2; nth <= 200; nth++) post(`${nth}`)
  for (const isOld of [false, true]) {
    server.isOld = isOld
    const client = makeClient('ann')
    const told: [seq: number, replayed: boolean][] = []
    client.on('message', ({ seq, replayed }) => void told.push([seq, replayed]))
    await client.start()
    await clock.advance(5_000)
    const head = server.head('c')
    post('new')
    await clock.advance(1_000)
    const { resumeLatestMax } = limits
    const old = Array.from({ length: resumeLatestMax }, (_, nth) => [head - resumeLatestMax + 1 + nth, true])
    expect(told).toEqual([...old, [head + 1, false]])
    await client.stop()
  }
})

test.each([
  ['unread', 36],
  ['all', 1],
] as const)('with history: %s it begins with %d', async (history, first) => {
  for (let nth = 2; nth <= 55; nth++) post(`${nth}`)
  server.read.set('c ann', 35)
  const client = makeClient('ann', { history })
  const told: number[] = []
  client.on('entry', ({ seq, replayed }) => void (replayed && told.push(seq)))
  await client.start()
  await clock.advance(5_000)
  expect(told).toEqual(Array.from({ length: 55 - first + 1 }, (_, nth) => first + nth))
})

test('a send is answered with its seq and arrives like every other message', async () => {
  const client = await startClient('ann')
  heard = []
  client.on('sendState', ({ state }) => heard.push(`${state.name}${state.name === 'sent' ? ` ${state.seq}` : ''}`))
  const send = client.send({ conversation: 'c', body: { text: 'hello' } })
  expect(client.pending()).toEqual([send])
  await clock.advance(2_000)
  expect(await send.acknowledged).toMatchObject({ seq: 2 })
  expect([...heard].sort()).toEqual(['entry message.new 2', 'message hello', 'sending', 'sent 2'])
})

test('a kind of entry that this version does not know is passed over', async () => {
  await startClient('ann')
  heard = []
  server.append('c', { event: 'message.sung', by: 'bob' } as unknown as Parameters<ModelServer['append']>[1])
  post('after')
  await clock.advance(1_000)
  expect(heard).toEqual(['entry message.new 3', 'message after'])
})

test('frames that nobody can read, and events of tomorrow, harm nothing', async () => {
  const client = await startClient('ann')
  heard = []
  tell({ event: 'weather.changed', sunny: true } as never)
  for (const frame of ['not an object', null, 7, [], {}]) tell(frame as never)
  tell({ event: 'error', op: 'typing.start', error: { code: 'rate_limited', message: 'slowly' } })
  await clock.advance(1_000)
  expect(client.state.name).toBe('live')
})

test.each(['entry', 'message'] as const)('a listener of %s is waited for, and the cursor moves then', async name => {
  const store = createMemoryStore()
  const client = makeClient('ann', { store })
  const frees: (() => void)[] = []
  client.on(name, ({ event }: Entry) => (event === 'message.new' ? new Promise<void>(free => frees.push(free)) : 0))
  post('one')
  post('two')
  const started = client.start()
  await clock.advance(2_000)
  await started
  expect(heard.filter(line => line.startsWith('entry message'))).toEqual(['entry message.new 2'])
  expect((await store.load()).cursors).toMatchObject([{ seq: 1 }])
  frees.shift()?.()
  await clock.settle()
  expect(heard.filter(line => line.startsWith('entry message'))).toHaveLength(2)
  expect((await store.load()).cursors).toMatchObject([{ seq: 2 }])
})

test('the end waits for the listener at work, writes its cursor, and hands on nothing more', async () => {
  const store = createMemoryStore()
  const client = makeClient('ann', { store })
  let free = () => {}
  client.on('message', () => new Promise<void>(resolve => (free = resolve)))
  post('one')
  post('two')
  await client.start()
  await clock.advance(2_000)
  let ended = false
  const stopped = client.stop().then(() => (ended = true))
  await clock.advance(1_000)
  expect(ended).toBe(false)
  free()
  await stopped
  expect((await store.load()).cursors).toMatchObject([{ seq: 2 }])
  expect(heard.filter(line => line.startsWith('message'))).toEqual(['message one'])
})

test('an entry that was lost without a trace is found by the next ping', async () => {
  await startClient('ann')
  heard = []
  const row = { conversation: 'c', seq: 2, at: 1, by: 'bob', clientId: 'x', body: { text: 'lost' } }
  server.logs.get('c')?.push({ event: 'message.new', ...row })
  await clock.advance(12_000)
  expect(heard).toEqual(['entry message.new 2', 'message lost'])
})

test('a node that has not heard of the epoch is asked until it has', async () => {
  const answer = server.answer.bind(server)
  let stale = 2
  server.epoch = 2
  server.answer = (socket, command) => {
    const reply = answer(socket, command)
    return command.op === 'sync.resume' && stale-- > 0 ? { epoch: 1, verdicts: [] } : reply
  }
  await startClient('ann')
  await clock.advance(5_000)
  expect(heard).toEqual(['entry conversation.created 1'])
})

test.each([false, true])(
  'more cursors than fit into a command are asked about one after the other, older nodes: %s',
  async isOld => {
    server.isOld = isOld
    post('one')
    const store = createMemoryStore()
    const place = { epoch: 1, toldDelivered: 1, read: 1, toldRead: 1 }
    const gone = Array.from({ length: 2 * limits.resumeCursorsMax }, (_, nth) => `a${1_000 + nth}`)
    const held = ['c', ...gone].map(conversation => ({ conversation, seq: 1, ...place }))
    await store.writeCursors(held, [])
    server.create('d', 'bob', ['ann'])
    const asked: CommandOf<'sync.resume'>[] = []
    const answer = server.answer.bind(server)
    server.answer = (socket, command) => {
      if (command.op === 'sync.resume') asked.push(command)
      return answer(socket, command)
    }
    await startClient('ann', { store })
    await clock.advance(10_000)
    expect(heard.filter(line => line.startsWith('left'))).toHaveLength(gone.length)
    expect(heard.filter(line => !line.startsWith('left')).sort()).toEqual([
      'entry conversation.created 1',
      'entry message.new 2',
      'message one',
    ])
    const shapes = asked.map(({ cursors, only, after, upto }) => [cursors.length, only, after, upto])
    if (isOld) expect(shapes.filter(shape => shape[2] === undefined && shape[3] === undefined)).toHaveLength(4)
    else
      expect(shapes).toEqual([
        [400, false, undefined, gone[399]],
        [400, false, gone[399], gone[799]],
        [1, false, gone[799], undefined],
      ])
  },
)

test('a conversation that was left leaves no cursor', async () => {
  const store = createMemoryStore()
  await startClient('ann', { store })
  server.append('c', { event: 'member.removed', by: 'bob', user: 'ann' })
  await clock.advance(1_000)
  expect(heard.at(-1)).toBe('left c')
  expect((await store.load()).cursors).toEqual([])
})

test('a listener that throws is reported, and stops neither the others nor the next entry', async () => {
  const client = makeClient('ann')
  const errors: string[] = []
  client.on('message', () => Promise.reject(new Error('mine')))
  client.on('message', () => {
    throw new Error('mine too')
  })
  client.on('error', ({ during, error }) => {
    errors.push(`${during}: ${error.message}`)
    throw new Error('even this')
  })
  post('one')
  post('two')
  await client.start()
  await clock.advance(2_000)
  expect(heard.filter(line => line.startsWith('message'))).toEqual(['message one', 'message two'])
  expect(errors).toHaveLength(4)
  expect(errors[0]).toContain('tell a listener of message')
})

test("the application's own store gets whole changes, again after a failure, and before anybody else", async () => {
  const changes: Change[] = []
  let failures = 2
  await startClient('ann', {
    archive: {
      cursors: async () => [],
      apply: async change => {
        if (failures-- > 0) throw new Error('locked')
        heard.push(`applied ${change.kind}`)
        changes.push(change)
      },
    },
  })
  post('one')
  await clock.advance(5_000)
  expect(heard).toEqual([
    'applied entries',
    'entry conversation.created 1',
    'applied entries',
    'entry message.new 2',
    'message one',
  ])
  expect(changes[1]).toMatchObject({ kind: 'entries', conversation: 'c', cursor: { epoch: 1, seq: 2 } })
})

test('where the archive stands counts, and not what the store says: neither behind nor ahead of it', async () => {
  const store = createMemoryStore()
  for (const text of ['one', 'two', 'three']) post(text)
  const told = { epoch: 1, toldDelivered: 2, read: 2, toldRead: 0 }
  for (const seq of [1, 4]) {
    await store.writeCursors([{ conversation: 'c', seq, ...told }], [])
    heard = []
    const place = { conversation: 'c', epoch: 1, seq: 2 }
    const client = await startClient('ann', { store, archive: { cursors: async () => [place], apply: async () => {} } })
    expect(heard.filter(line => line.startsWith('message'))).toEqual(['message two', 'message three'])
    await client.stop()
  }
  expect(server.read.get('c ann')).toBe(2)
})

test('the store of one person is never used for another', async () => {
  const store = createMemoryStore()
  const ann = await startClient('ann', { store })
  await ann.stop()
  heard = []
  await startClient('bob', { store })
  expect(heard).toEqual(['stopped other_user: reload'])
})

test('before the start and after the end nothing can be sent', async () => {
  const client = makeClient('ann')
  const send = () => client.send({ conversation: 'c', body: { text: 'x' } })
  expect(send).toThrow(FlotillaError)
  await client.start()
  await clock.advance(1_000)
  expect(send).not.toThrow()
  await client.stop()
  expect(send).toThrow(expect.objectContaining({ code: 'stopped' }))
  await expect(client.start()).rejects.toMatchObject({ code: 'stopped' })
  expect(server.sockets.size).toBe(1)
  await clock.advance(1_000)
  expect(server.sockets.size).toBe(0)
})

test('a store that cannot be read is said at the start, and the start can be repeated', async () => {
  let broken = true
  const memory = createMemoryStore()
  const load = () => (broken ? Promise.reject(new Error('blocked')) : memory.load())
  const client = makeClient('ann', { store: { ...memory, load } })
  await expect(client.start()).rejects.toMatchObject({ code: 'store_failed' })
  broken = false
  await client.start()
  await clock.advance(1_000)
  expect(client.state.name).toBe('live')
})

test('receipts: ours go up by themselves and when read; those of others come once', async () => {
  const client = await startClient('ann')
  post('one')
  await clock.advance(1_000)
  expect(server.delivered.get('c ann')).toBe(2)
  client.markRead('c', 2)
  await clock.advance(1_000)
  expect(server.read.get('c ann')).toBe(2)
  heard = []
  for (const seq of [2, 2, 1]) tell({ event: 'message.read', conversation: 'c', user: 'bob', seq })
  await clock.advance(100)
  expect(heard).toEqual(['bob read 2'])
})

test('a mark that was set before, or elsewhere, is taken away by reading what was read already, and once', async () => {
  const asked: string[] = []
  let isAway = false
  const fetch: Fetch = async (url, init) => {
    if (!url.endsWith('/connect')) asked.push(init.method)
    if (isAway && init.method === 'PATCH') throw new TypeError('away')
    return server.fetch(url, init)
  }
  post('one')
  server.change('c', 'ann', { unreadFrom: 1 })
  const client = await startClient('ann', { fetch })
  const isMarked = () => server.settings.get('c ann')?.unreadFrom !== null
  const read = async () => {
    for (let times = 0; times < 3; times++) client.markRead('c', 2)
    client.markRead('unheard of', 1)
    await clock.advance(20_000)
  }
  client.markRead('c', 2)
  expect(asked).toEqual([])
  await read()
  expect([asked, isMarked()]).toEqual([['GET', 'PATCH'], false])
  await read()
  expect(asked).toHaveLength(2)
  server.change('c', 'ann', { unreadFrom: 0 })
  await clock.advance(1_000)
  isAway = true
  await read()
  isAway = false
  expect([asked.slice(2), isMarked()]).toEqual([['PATCH'], true])
  await read()
  expect([asked.slice(3), isMarked()]).toEqual([['PATCH'], false])
  for (const socket of server.sockets) socket.end(1006)
  server.change('c', 'ann', { unreadFrom: 1 })
  await read()
  expect([asked.slice(4), isMarked()]).toEqual([[], true])
  await read()
  expect([asked.slice(4), isMarked()]).toEqual([['GET', 'PATCH'], false])
})

test('settings are told by their versions, which begin anew with a membership', async () => {
  const client = makeClient('ann')
  const told: (number | null)[] = []
  client.on('settings', ({ conversation, settings }) => void (conversation === 'c' && told.push(settings.mutedUntil)))
  server.create('d', 'bob', ['ann'])
  await client.start()
  await clock.advance(2_000)
  for (const mutedUntil of [1, 2, 3]) server.change('c', 'ann', { mutedUntil })
  const late = server.settings.get('c ann')!
  tell({ event: 'conversation.settings_changed', conversation: 'c', settings: { ...late, version: 2 } })
  await clock.advance(1_000)
  expect(told).toEqual([1, 2, 3])
  server.append('c', { event: 'member.removed', by: 'bob', user: 'ann' })
  server.settings.clear()
  await clock.advance(1_000)
  server.append('c', { event: 'member.added', by: 'bob', members: [{ user: 'ann', role: 'member' }] })
  await clock.advance(1_000)
  server.change('c', 'ann', { mutedUntil: 4 })
  await clock.advance(1_000)
  expect(told.slice(3)).toEqual([4])
})

test('a message ends the typing of its author', async () => {
  await startClient('ann')
  heard = []
  tell({ event: 'typing.start', conversation: 'c', user: 'bob' })
  await clock.advance(100)
  post('done')
  await clock.advance(1_000)
  expect(heard.slice(0, 2)).toEqual(['bob typing true', 'bob typing false'])
})

test('an edit goes up as a message does, and comes down as an entry that fold puts into its message', async () => {
  const client = await startClient('ann')
  let state = emptyConversation
  client.on('entry', entry => void (state = fold(state, entry)))
  client.on('edited', ({ target, body }) => heard.push(`edited ${target}: ${body === undefined ? '' : textOf(body)}`))
  const send = client.send({ conversation: 'c', body: { text: 'helo' } })
  await clock.advance(2_000)
  const { seq } = await send.acknowledged
  const edit = client.edit({ conversation: 'c', target: seq, body: { text: 'hello' } })
  await clock.advance(2_000)
  const edited = await edit.acknowledged
  expect(heard.slice(-2)).toEqual([`entry message.edited ${edited.seq}`, `edited ${seq}: hello`])
  expect(state.messages.get(seq)?.content).toEqual({
    seq: edited.seq,
    value: { body: { text: 'hello' }, editedAt: edited.at },
  })
  expect(server.logs.get('c')?.at(-1)).toMatchObject({ event: 'message.edited', target: seq, clientId: edit.clientId })
})

test('where the acknowledgement brings the entry, that is the copy: somebody else may have said it first', async () => {
  const client = await startClient('ann')
  const pins: string[] = []
  client.on('entry', entry => {
    if (entry.event === 'message.pinned') pins.push(`${entry.by} ${entry.clientId} at ${entry.seq}`)
  })
  const answer = server.answer.bind(server)
  server.answer = (socket, command) => {
    if (command.op !== 'message.pin') return answer(socket, command)
    const { conversation, target } = command
    const seq = server.append(conversation, { event: 'message.pinned', by: 'bob', clientId: 'first', target })
    const entry = server.entries(conversation, seq - 1, seq)[0]!
    return { seq, at: entry.at, epoch: entry.epoch, entry }
  }
  const pin = client.pin('c', 1)
  await clock.advance(2_000)
  const { seq } = await pin.acknowledged
  expect(pins).toEqual([`bob first at ${seq}`])
})

test('a deletion and a forward go up as a message does, and the acknowledgement brings what they have become', async () => {
  const client = await startClient('ann')
  let state = emptyConversation
  client.on('entry', entry => void (state = fold(state, entry)))
  client.on('deleted', ({ target, removed }) => heard.push(`deleted ${target} by ${removed}`))
  const answer = server.answer.bind(server)
  server.answer = (socket, command) => {
    const becomes = {
      'message.delete': { event: 'message.deleted', removed: 'sender', body: { text: 'Gone' } },
      'message.forward': { event: 'message.new', body: { text: 'words' }, forwarded: { by: 'bob', at: 5 } },
    }[command.op as string]
    if (becomes === undefined) return answer(socket, command)
    const { id: _, op: __, conversation, ...fields } = command as never as Record<string, string>
    const seq = server.append(conversation!, { by: 'ann', ...fields, ...becomes } as never)
    const entry = server.entries(conversation!, seq - 1, seq)[0]!
    return { seq, at: entry.at, epoch: entry.epoch, entry }
  }
  const forward = client.forward({ conversation: 'c', source: { conversation: 'd', seq: 4 } })
  const remove = client.delete('c', 1)
  expect(client.pending().map(send => send.op)).toEqual(['message.forward', 'message.delete'])
  await clock.advance(2_000)
  const [{ seq }] = await Promise.all([forward.acknowledged, remove.acknowledged])
  expect(state.messages.get(seq)).toMatchObject({
    posted: { by: 'ann', forwarded: { by: 'bob', at: 5 } },
    content: { value: { body: { text: 'words' } } },
  })
  expect(state.messages.get(1)?.content?.value).toEqual({ body: { text: 'Gone' }, removed: 'sender' })
  expect(heard.at(-1)).toBe('deleted 1 by sender')
})

test('a reaction comes back whole with its acknowledgement, or as none; what is no emoji is refused at once', async () => {
  const client = await startClient('ann')
  let state = conversationOf('ann')
  client.on('entry', entry => void (state = fold(state, entry)))
  client.on('reaction', event => heard.push(`stored ${event.version}`))
  client.on('starred', ({ target, starred }) => heard.push(`starred ${target} ${starred}`))
  const target = post('hello')
  expect(() => client.react('c', target, 'a')).toThrow(expect.objectContaining({ code: 'field_invalid' }))
  const react = client.react('c', target, '❤')
  await clock.advance(2_000)
  const { seq } = await react.acknowledged
  expect(heard.filter(line => line === `entry message.reacted ${seq}`)).toHaveLength(1)
  expect(state.messages.get(target)).toMatchObject({
    reactions: { version: 1, counts: [{ emoji: '❤️', count: 1 }] },
    own: { version: 1, emojis: ['❤️'] },
  })
  const before = heard.length
  // As where a reaction makes no entry of its own.
  const answer = server.answer.bind(server)
  server.answer = (socket, command) =>
    command.op === 'message.react' ? { seq, at: 1, epoch: server.epoch, entry: null } : answer(socket, command)
  client.react('c', target, '❤', false)
  await clock.advance(2_000)
  expect(client.pending()).toEqual([])
  expect(heard.slice(before)).toEqual([])
  tell({ event: 'reaction.stored', conversation: 'c', target, version: 2, counts: [], own: [] })
  tell({ event: 'message.starred', conversation: 'c', target, starred: true })
  await clock.advance(1_000)
  expect(heard.slice(-2)).toEqual(['stored 2', `starred ${target} true`])
})

test('a poll is a message with its options in words, in a thread or not; votes and its end go through the outbox', async () => {
  const client = await startClient('ann')
  const ask = client.ask({ conversation: 'c', thread: 1, question: 'Lunch?', options: ['yes', 'no'], final: true })
  await clock.advance(2_000)
  const { seq } = await ask.acknowledged
  expect(server.logs.get('c')?.at(-1)).toMatchObject({
    thread: 1,
    body: { type: 'poll', question: 'Lunch?', options: ['yes', 'no'], final: true, fallback: 'Lunch?\n1. yes\n2. no' },
  })
  const told: unknown[] = []
  client.on('entry', entry => void told.push([entry.event, entry.by, entry.seq]))
  const answer = server.answer.bind(server)
  server.answer = (socket, command) => {
    if (command.op !== 'poll.vote') return answer(socket, command)
    // A secret vote makes no entry: the reply has an earlier one, which is here already.
    const entry = server.entries('c', seq - 1, seq)[0]!
    return { seq, at: entry.at, epoch: entry.epoch, entry }
  }
  const vote = client.vote('c', seq, [1])
  expect(client.pending()).toMatchObject([{ op: 'poll.vote', target: seq, options: [1] }])
  await clock.advance(2_000)
  expect(await vote.acknowledged).toMatchObject({ seq })
  expect(told).toEqual([])
  expect(client.closePoll('c', seq)).toMatchObject({ op: 'poll.close', target: seq })
})

test('the words of a poll are cut between two graphemes', async () => {
  const client = await startClient('ann')
  const options = Array.from({ length: limits.pollOptionsMax }, (_, nth) => `${nth}${'👨‍👩‍👧'.repeat(19)}`)
  const { body } = client.ask({ conversation: 'c', question: 'Who?', options }) as Send & { op: 'message.send' }
  expect(lengthOf(textOf(body))).toBeLessThanOrEqual(limits.fallbackLengthMax)
  expect(textOf(body)).toMatch(/👨‍👩‍👧…$/u)
})

test('mentions go up with the message, and come down with it', async () => {
  const client = await startClient('ann')
  const mentioned: (readonly string[])[] = []
  client.on('message', ({ body }) => void mentioned.push(mentionsOf(body)))
  const send = client.send({ conversation: 'c', body: { text: 'you', mentions: ['bob'] } })
  await clock.advance(2_000)
  await send.acknowledged
  expect(server.logs.get('c')?.at(-1)).toMatchObject({ body: { text: 'you', mentions: ['bob'] } })
  expect(mentioned).toEqual([['bob']])
})

test('what happens to people is told: contacts, notifications, blocks, names, muting', async () => {
  const client = await startClient('ann')
  const bob = { id: 'bob', username: 'bob', displayName: 'Bob', avatar: null }
  const request = { id: 'r', from: bob, to: bob, note: '', at: 1 }
  const notification = { id: 'n', kind: 'mention', at: 1, read: false, detail: {} } as const
  const told: [string, unknown][] = []
  for (const name of ['contact', 'notification', 'block', 'user', 'muted'] as const)
    client.on(name, event => void told.push([name, event]))
  const contacts = [
    { event: 'contact.requested', request },
    { event: 'contact.accepted', request: 'r', user: bob },
    { event: 'contact.declined', request: 'r' },
    { event: 'contact.cancelled', request: 'r' },
    { event: 'contact.removed', user: 'bob' },
  ] as const
  const notifications = [
    { event: 'notification.new', notification, unread: 1 },
    { event: 'notification.read', unread: 0, conversation: 'c', seq: 1 },
    { event: 'notification.removed', conversation: 'c', unread: 0 },
  ] as const
  for (const event of [...contacts, ...notifications]) tell(event)
  tell({ event: 'block.changed', user: 'bob', blocked: true })
  tell({ event: 'user.changed', user: bob })
  tell({ event: 'conversation.muted', conversation: 'c', until: null })
  await clock.advance(1_000)
  expect(told).toEqual([
    ...contacts.map(event => ['contact', event]),
    ...notifications.map(event => ['notification', event]),
    ['block', { user: 'bob', blocked: true }],
    ['user', bob],
    ['muted', { conversation: 'c', until: null }],
  ])
})

test('what is no log is told by one name, that of what is listened to', async () => {
  const client = await startClient('ann')
  const told: [string, unknown][] = []
  for (const name of ['thread', 'vote', 'scheduled', 'reminder', 'cleared'] as const)
    client.on(name, event => void told.push([name, event]))
  const thread = { conversation: 'c', thread: 1, following: true }
  const vote = { conversation: 'c', target: 1, options: [0], version: 1 }
  const reminder = { conversation: 'c', seq: 1, at: null }
  const cleared = { conversation: 'c', upTo: 1 }
  tell({ event: 'thread.changed', ...thread })
  tell({ event: 'poll.own_vote', ...vote } as never)
  tell({ event: 'scheduled.changed', scheduled: 's' })
  tell({ event: 'reminder.changed', ...reminder })
  tell({ event: 'conversation.cleared', ...cleared })
  await clock.advance(1_000)
  expect(told).toEqual([
    ['thread', thread],
    ['vote', vote],
    ['scheduled', { scheduled: 's' }],
    ['reminder', reminder],
    ['cleared', cleared],
  ])
})

test.each([
  ['says so', false, { event: 'refresh' }],
  ['suspects a loss, if it is older', true, { event: 'sync.heads', epoch: 1, heads: [] }],
] as const)('lists are to be read anew with each connection, and when the node %s', async (_, isOld, event) => {
  server.isOld = isOld
  const client = makeClient('ann')
  let refreshes = 0
  client.on('refresh', () => {
    // Whoever reads now misses nothing: what happens from here on is told.
    expect(client.state.name).toBe('live')
    refreshes += 1
  })
  await client.start()
  await clock.advance(2_000)
  expect(refreshes).toBe(1)
  tell({ event: 'sync.heads', epoch: 1, heads: [] })
  tell(event as Parameters<typeof tell>[0])
  await clock.advance(10_000)
  expect(refreshes).toBe(2)
  for (const socket of server.sockets) socket.end(4000, '')
  await clock.advance(30_000)
  expect(client.state.name).toBe('live')
  expect(refreshes).toBe(3)
})

test('people watched before the connection are known after it', async () => {
  const client = makeClient('ann')
  await client.watch(['bob', 'ann'])
  await client.start()
  await clock.advance(2_000)
  expect(client.presence()).toEqual(
    new Map([
      ['bob', false],
      ['ann', true],
    ]),
  )
})

test('a session that ends stops the client with the reason; signed in again, it can be started again', async () => {
  const client = await startClient('ann')
  for (const socket of server.sockets) socket.end(4200, JSON.stringify({ code: 'session_ended' }))
  expect(heard.at(-1)).toBe('stopped session_ended: sign_in')
  post('meanwhile')
  await clock.advance(60_000)
  await client.start()
  await clock.advance(2_000)
  expect(heard.at(-1)).toBe('message meanwhile')
})

test("one's own stop is no news", async () => {
  const client = await startClient('ann')
  heard = []
  await client.stop()
  expect(client.state).toEqual({ name: 'stopped', reason: 'stopped', advice: 'nothing' })
  expect(heard).toEqual([])
  expect(warnings).toEqual([])
})

test('why it does not connect is told with each wait, and warned of once a cause', async () => {
  let failure: unknown = new Error('no such key')
  const waits: string[] = []
  const client = makeClient('ann', {
    getToken: async () => {
      if (failure !== undefined) throw failure
      return server.token('ann')
    },
  })
  client.on('state', state => void (state.name === 'waiting' && waits.push(`${state.reason}: ${state.error.message}`)))
  await client.start()
  await clock.advance(30_000)
  expect(waits.length).toBeGreaterThan(2)
  expect(new Set(waits)).toEqual(new Set(['token_failed: unable to get an access token: no such key']))
  expect(warnings).toEqual(['unable to get an access token: no such key'])
  failure = new Error('the key is gone')
  await clock.advance(60_000)
  expect(warnings).toEqual([
    'unable to get an access token: no such key',
    'unable to get an access token: the key is gone',
  ])
  failure = undefined
  await clock.advance(60_000)
  expect(client.state.name).toBe('live')
})

test('a getToken that brings nothing is told apart from a token that is refused', async () => {
  const client = makeClient('ann', { getToken: async () => undefined as unknown as string })
  await client.start()
  await clock.advance(1_000)
  expect(client.state).toMatchObject({ name: 'waiting', reason: 'token_failed' })
})

test('without a logger, warnings go to the console', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { fetch } = server
  const getToken = () => Promise.reject(new Error('no key'))
  const client = new Client({ api: 'http://api', clock, fetch, getToken })
  await client.start()
  await clock.advance(1_000)
  expect(warn.mock.calls).toEqual([['flotilla: unable to get an access token: no key']])
  warn.mockRestore()
})

test('where there is no WebSocket, it is said which one to pass', () => {
  vi.stubGlobal('WebSocket', undefined)
  expect(() => new Client({ api: 'http://api', getToken: async () => 'token' })).toThrow(/Node has one from 22 on.*ws/)
  vi.unstubAllGlobals()
})

test('a wake source wakes, and is let go of at the end', async () => {
  let wake = () => {}
  let ended = false
  const client = await startClient('ann', {
    wakes: given => {
      wake = given
      return () => (ended = true)
    },
  })
  const frames = server.frames
  wake()
  await clock.advance(200)
  expect(server.frames).toBe(frames + 1)
  await client.stop()
  expect(ended).toBe(true)
})
