import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { find } from './find.ts'
import { get } from './get.ts'
import { registerUser as register } from '../accounts/registration/register.testbed.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const password = 'correct horse'

test('a person is registered, and found by name and by id', async () => {
  const alice = await register(ctx, { username: 'Alice.B', password, displayName: ' Alice Ännchen ' })
  expect(alice).toMatchObject({ username: 'Alice.B', displayName: 'Alice Ännchen' })
  expect(await find(ctx, 'aLICE.b')).toEqual(alice)
  expect((await register(ctx, { displayName: '👍🏽'.repeat(60) })).displayName).toBe('👍🏽'.repeat(60))
  const zoe = await register(ctx, { username: 'zoe', password })
  expect(zoe.displayName).toBe('zoe')
  const nobody = '00000000-0000-4000-8000-000000000000'
  expect(await get(ctx, [zoe.id, nobody, alice.id])).toEqual([zoe, alice])
  expect(await get(ctx, [])).toEqual([])
})

test.each([' Alice.B\n', 'ａｌｉｃｅ．ｂ', 'ALICE.B', '\u200falice.b'])('she is also found as %j', async typed => {
  expect((await find(ctx, typed)).username).toBe('Alice.B')
})

test('a name that was typed in wide letters and digits of another script is the plain one', async () => {
  expect((await register(ctx, { username: 'Ｗｉｄｅ–٣', password })).username).toBe('Wide-3')
  await expect(register(ctx, { username: 'wide-3', password })).rejects.toMatchObject({ code: 'username_taken' })
})

test('the password is kept only as a hash', async () => {
  const { id } = await register(ctx, { username: 'hashed', password })
  const rows = await ctx.pool.query<{ row: string }>('SELECT u::text AS row FROM users u WHERE id = $1', [id])
  expect(rows.rows[0]!.row).toContain('$argon2id$')
  expect(rows.rows[0]!.row).not.toContain(password)
})

test('a name is taken in whatever case, also when two ask at once', async () => {
  await register(ctx, { username: 'taken', password })
  await expect(register(ctx, { username: 'TAKEN', password })).rejects.toMatchObject({
    code: 'username_taken',
    detail: { field: 'username' },
  })
  const both = await Promise.allSettled(['racer', 'Racer'].map(username => register(ctx, { username, password })))
  expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(both.find(one => one.status === 'rejected')?.reason).toMatchObject({ code: 'username_taken' })
})

test.each([
  [{ username: 'ab' }, 'field_invalid', 'username'],
  [{ username: 'a'.repeat(33) }, 'field_invalid', 'username'],
  [{ username: 'al ice' }, 'field_invalid', 'username'],
  [{ username: 'älice' }, 'field_invalid', 'username'],
  [{ username: 'al\nice' }, 'field_invalid', 'username'],
  [{ username: 'ali\u0000ce' }, 'field_invalid', 'username'],
  [{ displayName: '  ' }, 'field_invalid', 'displayName'],
  [{ displayName: '\u200f\u3164 \u2800' }, 'field_invalid', 'displayName'],
  [{ displayName: 'a\ud83d' }, 'field_invalid', 'displayName'],
  [{ displayName: '😀'.repeat(121) }, 'field_invalid', 'displayName'],
  [{ displayName: 'a\u0000b' }, 'field_invalid', 'displayName'],
  [{ password: 'short' }, 'password_weak', 'password'],
])('a registration with %j is refused', async (wrong, code, field) => {
  const refused = register(ctx, { username: 'fine', password, ...wrong })
  await expect(refused).rejects.toMatchObject({ code, detail: { field, rule: expect.any(String) } })
  await expect(find(ctx, 'fine')).rejects.toMatchObject({ code: 'user_unknown' })
})

test.each(['nobody-here', 'not a name', 'a\u0000b'])('there is nobody named %j', async username => {
  await expect(find(ctx, username)).rejects.toMatchObject({ code: 'user_unknown' })
})
