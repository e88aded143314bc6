import { accounts, conversations, messages } from '@flotilla/chat'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fillDemo } from './fill.ts'

let database: TestDatabase
let chat: TestChat
beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const password = 'a phrase of the demo'
const client = { deviceName: 'test', address: '127.0.0.1', country: '', agent: '' }

test('a demo workspace has people, groups and messages of every kind over two weeks, and is filled once', {
  timeout: 120_000,
}, async () => {
  const { ctx } = chat
  const names = await fillDemo(ctx, password)
  expect(names).toEqual(['maya', 'theo', 'linh', 'dalia'])
  const signedIn = await accountOf('maya')
  const { conversations: list } = await conversations.list(ctx, signedIn, { limit: 50 })
  expect(list.map(({ kind }) => kind).toSorted()).toEqual(['direct', 'direct', 'group', 'group', 'group'])
  const sum = await ctx.pool.query<{ messages: number; days: number; kinds: number }>(
    `SELECT count(*) FILTER (WHERE kind = 1)::int AS messages, count(DISTINCT created_at::date)::int AS days,
            count(DISTINCT kind)::int AS kinds FROM messages`,
  )
  expect(sum.rows[0]!.messages).toBeGreaterThanOrEqual(2_000)
  expect(sum.rows[0]!.days).toBeGreaterThanOrEqual(14)
  const launch = list.find(({ name }) => name === 'Launch week')!
  expect(launch.mentions).toBe(1)
  const { entries } = await messages.history(ctx, signedIn, { conversation: launch.id, limit: 200 })
  const times = entries.map(({ at }) => at)
  expect(times).toEqual(times.toSorted((one, other) => one - other))
  expect(times.at(-1)).toBeLessThan(Date.now())
  expect(launch.headAt).toBe(times.at(-1))

  expect(await fillDemo(ctx, password)).toEqual(names)
  expect((await conversations.list(ctx, signedIn, { limit: 50 })).conversations).toHaveLength(5)
})

test('names that are taken are left to whoever has them', async () => {
  const other = await testDatabase()
  const { ctx, close } = await openTestChat(other.url)
  await accounts.register(ctx, { username: 'theo', displayName: 'Theo', password, client })
  await expect(fillDemo(ctx, password)).rejects.toThrow(/unable to fill the demo workspace: the name theo is taken/)
  await close()
  await other.drop()
})

async function accountOf(username: string): Promise<string> {
  const { rows } = await chat.ctx.pool.query<{ id: string }>('SELECT id FROM users WHERE username = $1', [username])
  return rows[0]!.id
}
