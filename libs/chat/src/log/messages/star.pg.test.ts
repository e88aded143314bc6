import { randomUUID } from 'node:crypto'
import { limits } from '@flotilla/protocol'
import {
  makeConversation,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestDatabase,
  testDatabase,
} from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { removeMessage } from '../../operators/remove-message.ts'
import { addMembers } from '../conversations/add-members.ts'
import { removeMember } from '../conversations/remove-member.ts'
import { edit } from './edit.ts'
import { post } from './post.ts'
import { listStars, star, unstar } from './star.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let [alice, bob] = ['', '']
let [one, other] = ['', '']

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  ;[alice, bob] = (await makeUsers(ctx.pool, 2)) as [string, string]
  one = await makeConversation(ctx.pool, [alice, bob])
  other = await makeConversation(ctx.pool, [alice, bob])
  chat.emitted.length = 0
})

const say = async (conversation: string, text = 'hello') => ({
  conversation,
  seq: (await post(ctx, alice, { conversation, clientId: randomUUID(), body: { text } })).seq,
})
const starred = async (by = bob) =>
  (await listStars(ctx, by, { limit: 100 })).stars.map(({ message }) => [message.conversation, message.seq])
const signals = () => chat.emitted.filter(({ event }) => event.event === 'message.starred')
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })

test('stars are the person’s own, told to their devices, listed over all conversations, the last first', async () => {
  const [first, second, third] = [await say(one), await say(other), await say(one)]
  for (const message of [first, second, third]) await star(ctx, bob, message)
  await star(ctx, bob, second)
  expect(signals()).toMatchObject(
    [first, second, third].map(({ conversation, seq: target }) => ({
      class: 'signal',
      to: [bob],
      event: { conversation, target, starred: true },
    })),
  )
  const body = { text: 'edited' }
  await edit(ctx, alice, { conversation: one, target: third.seq, clientId: randomUUID(), body })
  const page = await listStars(ctx, bob, { limit: 2 })
  expect(page.stars[0]).toMatchObject({ at: expect.any(Number), message: { ...third, body } })
  const rest = await listStars(ctx, bob, { limit: 2, after: page.next })
  expect([...page.stars, ...rest.stars].map(({ message }) => message.seq)).toEqual([third.seq, second.seq, first.seq])
  expect(rest.next).toBeUndefined()
  expect(await starred(alice)).toEqual([])
  await unstar(ctx, bob, second)
  await unstar(ctx, bob, second)
  expect(signals().slice(3)).toMatchObject([{ to: [bob], event: { target: second.seq, starred: false } }])
  expect(await starred()).toEqual([
    [one, third.seq],
    [one, first.seq],
  ])
})

test('a star goes with the membership, and with what the message said', async () => {
  const [kept, gone] = [await say(other), await say(one)]
  for (const message of [kept, gone]) await star(ctx, bob, message)
  await removeMember(ctx, alice, { conversation: one, user: bob })
  expect(await starred()).toEqual([[other, kept.seq]])
  await addMembers(ctx, alice, { conversation: one, users: [bob] })
  expect(await starred()).toEqual([[other, kept.seq]])
  await refused(star(ctx, bob, gone), 'message_unknown')
  await removeMessage(ctx, { program: 'test' }, { ...kept, reason: 'Threats' })
  expect(await starred()).toEqual([])
  await refused(star(ctx, bob, kept), 'message_unknown')
  await refused(star(ctx, bob, { conversation: randomUUID(), seq: 1 }), 'conversation_unknown')
  expect((await ctx.pool.query('SELECT FROM stars WHERE user_id = $1', [bob])).rowCount).toBe(0)
})

test('there is an end to stars', async () => {
  const { conversation, seq } = await say(one)
  await ctx.pool.query(
    'INSERT INTO stars (conversation_id, seq, user_id) SELECT $1, $2 + n, $3 FROM generate_series(1, $4) n',
    [conversation, seq, bob, limits.starsMax],
  )
  await refused(star(ctx, bob, { conversation, seq }), 'limit_reached')
  await unstar(ctx, bob, { conversation, seq: seq + 1 })
  await star(ctx, bob, { conversation, seq })
  await star(ctx, bob, { conversation, seq })
})
