import { randomUUID } from 'node:crypto'
import type { Refusal } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import pg, { type QueryConfig } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ChatContext } from '../context.ts'
import { transaction } from '../store/transaction.ts'
import { searchText } from '../text/fold.ts'
import { beginSearch, search, slipsStatement, usernamesStatement, wordsOf, wordsStatement } from './search.ts'
import { changeSettings } from '../users/settings.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let me: string

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
  me = await person('me.myself', 'José Me')
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

async function person(username: string, displayName: string, email?: string): Promise<string> {
  const id = randomUUID()
  await ctx.pool.query(
    'INSERT INTO users (id, username, display_name, search_text, email) VALUES ($1, $2, $3, $4, $5)',
    [id, username, displayName, searchText(username, displayName), email ?? null],
  )
  return id
}

let isCrowded = false
/** One in ten is an Anna. */
async function crowd(): Promise<void> {
  if (isCrowded) return
  isCrowded = true
  await ctx.pool.query(
    `INSERT INTO users (id, username, display_name, search_text)
     SELECT gen_random_uuid(), 'p' || n, name, '~p' || n || ' ' || name
       FROM (SELECT n, CASE WHEN n % 10 = 0 THEN 'anna ' ELSE '' END || substr(md5(n::text), 1, 6) || ' ' || substr(md5(n::text), 9, 7) AS name
               FROM generate_series(1, 50000) n) made`,
  )
  await ctx.pool.query('VACUUM ANALYZE users')
}

const names = async (text: string, by = me) => (await search(ctx, by, text)).map(user => user.username)

test('people are found whatever the case, the accents and the script, and with a slip of the keyboard', async () => {
  await person('jgarcia', 'José García')
  await person('lukasz.w', 'Łukasz Wiśniewski')
  await person('ivan', 'Иван Петров')
  await person('tanaka', '田中太郎')
  for (const text of ['JOSE garcia', 'garcía', 'jgar', 'Garzia', 'josé gracia'])
    expect(await names(text)).toEqual(['jgarcia'])
  for (const text of ['lukasz', 'WISNIEWSKI', 'wiśnieski']) expect(await names(text)).toEqual(['lukasz.w'])
  for (const text of ['иван', 'ПЕТРОВ', 'Питров']) expect(await names(text)).toEqual(['ivan'])
  for (const text of ['田中', '太郎']) expect(await names(text)).toEqual(['tanaka'])
  for (const text of ['zzzz', '??', 'a\u0000b', '木口', '%%', '__']) expect(await names(text)).toEqual([])
})

test('one letter of a script in which it can be a name is enough, and finds no other', async () => {
  await person('mori', '森')
  await person('hayashi', '小林 森夫')
  await person('kim', '김민수')
  await person('sakura', 'サクラ')
  await person('wide', 'ﾊﾙﾋ')
  for (const text of ['森', ' 森 ']) expect(await names(text)).toEqual(['mori', 'hayashi'])
  expect(await names('林')).toEqual(['hayashi'])
  for (const text of ['김', '민수', '김민수']) expect(await names(text)).toEqual(['kim'])
  for (const text of ['さくら', 'サクラ', 'ｻｸﾗ', 'く', 'ラ']) expect(await names(text)).toEqual(['sakura'])
  for (const text of ['はるひ', 'ハルヒ']) expect(await names(text)).toEqual(['wide'])
  // Two letters of which one is another are another name.
  for (const text of ['森下', '木', '믹', 'さひ']) expect(await names(text)).toEqual([])
  // No letter is written like a word of another script.
  const all = (await search(ctx, me, 'sakura')).map(user => user.username)
  expect(all).toEqual(['sakura'])
})

test('the username that begins like it comes first, then what fits best', async () => {
  await person('robertson', 'R. Son')
  await person('bobby', 'Robert Tables')
  await person('rob', 'Somebody Else')
  await person('zed', 'Roberta Zed')
  expect((await names('rob')).slice(0, 2)).toEqual(['rob', 'robertson'])
  expect(await names('robert')).toEqual(['robertson', 'bobby', 'zed', 'rob'])
  expect(await names('Robert Tables')).toEqual(expect.arrayContaining(['bobby']))
  expect((await names('Robert Tables'))[0]).toBe('bobby')
})

test('one letter finds usernames that begin so, and nothing finds nobody', async () => {
  await person('xenia', 'Someone')
  await person('someone', 'Xaver')
  expect(await names(' X ')).toEqual(['xenia'])
  for (const text of ['', '   ', 'и', '\u200f', '_']) expect(await names(text)).toEqual([])
})

test('ten are enough', async () => {
  for (let n = 0; n < 12; n++) await person(`quentin${n}`, 'Quentin')
  expect(await names('quentin')).toHaveLength(10)
})

test('never oneself, never the erased, never somebody who has blocked one; whom one has blocked oneself, yes', async () => {
  const [blocker, erased, blocked] = [
    await person('vera1', 'Vera'),
    await person('vera2', 'Vera', 'vera2@example.com'),
    await person('vera3', 'Vera'),
  ]
  await ctx.pool.query('UPDATE users SET erased_at = now() WHERE id = $1', [erased])
  await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2), ($2, $3)', [blocker, me, blocked])
  expect(await names('vera')).toEqual(['vera3'])
  expect(await names('myself')).toEqual([])
  expect(await names('vera2@example.com')).toEqual([])
})

test('an address costs the store the same whether it is hidden or nobody’s', async () => {
  await changeSettings(ctx, await person('shy', 'Shy', 'shy@example.com'), { emailDiscoverability: 'nobody' })
  const asked: unknown[] = []
  const pool = Object.create(ctx.pool) as ChatContext['pool']
  pool.query = ((config: QueryConfig) => {
    asked.push(config.name)
    return ctx.pool.query(config)
  }) as unknown as typeof pool.query
  const costOf = async (address: string) => {
    expect(await search({ ...ctx, pool }, me, address)).toEqual([])
    return asked.splice(0)
  }
  const nobody = await costOf('nobody@example.com')
  expect(nobody).toHaveLength(2)
  expect(await costOf('shy@example.com')).toEqual(nobody)
})

test('an exact address finds who lets themselves be found by it', async () => {
  const owner = await person('hidden.name', 'Somebody Else', 'Olga@Example.com')
  const friend = await person('friend', 'Friend')
  await ctx.pool.query('INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)', [owner, friend])
  // Contacts only, unless its owner says something else.
  expect(await names('olga@example.com')).toEqual([])
  expect(await names('olga@example.com', friend)).toEqual(['hidden.name'])
  await changeSettings(ctx, owner, { emailDiscoverability: 'everyone' })
  expect(await names(' olga@example.COM ')).toEqual(['hidden.name'])
  expect(await names('olga@example.co')).toEqual([])
  expect(await names('olga')).toEqual([])
  await changeSettings(ctx, owner, { emailDiscoverability: 'contacts' })
  expect(await names('olga@example.com')).toEqual([])
  expect(await names('olga@example.com', friend)).toEqual(['hidden.name'])
  await changeSettings(ctx, owner, { emailDiscoverability: 'nobody' })
  expect(await names('olga@example.com', friend)).toEqual([])
  await changeSettings(ctx, owner, { emailDiscoverability: 'everyone' })
  await ctx.pool.query('INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)', [owner, me])
  expect(await names('olga@example.com')).toEqual([])
  expect(await names('olga@example.com', owner)).toEqual([])
})

test.each([['😀'.repeat(101), 'maxLength 100']])('a search for %j is refused', async (text, rule) => {
  await expect(search(ctx, me, text)).rejects.toMatchObject({ code: 'field_invalid', detail: { field: 'q', rule } })
})

/** How a statement is run among 50,000 people. */
async function planOf(text: string, types: string, values: string): Promise<string> {
  await crowd()
  return transaction(ctx, async client => {
    await beginSearch(client)
    await client.query(`PREPARE searching (${types}) AS ${text}`)
    const found = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE) EXECUTE searching ('${me}', ${values})`,
    )
    await client.query('DEALLOCATE searching')
    return found.rows.map(row => row['QUERY PLAN']).join('\n')
  })
}

test.each([
  ['usernames', usernamesStatement, 'uuid, text, text, int', "'an', 'ao', 10", 'users_username_folded_key'],
  ['words', wordsStatement, 'uuid, text, int, text', `'an', 10, '${wordsOf('an')}'`, 'users_search_idx'],
  ['slips', slipsStatement, 'uuid, text, int', "'garcia', 10", 'users_search_idx'],
])('among 50,000 people %s are searched by an index', async (_name, text, types, values, index) => {
  const plan = await planOf(text, types, values)
  expect(plan).toMatch(new RegExp(`Index Scan (on|using) ${index}`))
  expect(plan).not.toContain('Seq Scan on users')
})

test('a beginning that a tenth of the people have reads so many rows and no more', async () => {
  const plan = await planOf(wordsStatement, 'uuid, text, int, text', `'an', 10, '${wordsOf('an')}'`)
  const [, read] = /Bitmap Heap Scan on users u\S* .*\(actual .*rows=([\d.]+) /.exec(plan) ?? []
  const [, dropped = '0'] = /Rows Removed by Index Recheck: (\d+)/.exec(plan) ?? []
  expect(Number(read)).toBe(500)
  expect(Number(dropped)).toBeLessThan(500)
  const [, listed] = /Bitmap Index Scan on users_search_idx .*\(actual .*rows=([\d.]+) /.exec(plan) ?? []
  expect(Number(listed), 'not the whole index').toBeLessThan(10_000)
  expect(await names('an')).toHaveLength(10)
})

test('searches that get stuck hold the connections of their seats, and leave the rest of the pool to the others', async () => {
  const { searchesAtOnceMax, searchQueueMax } = ctx.settings
  const blocker = new pg.Client({ connectionString: database.url })
  await blocker.connect()
  await blocker.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
  const people = Array.from({ length: searchesAtOnceMax + searchQueueMax + 3 }, () => randomUUID())
  const searches = people.map(by => search(ctx, by, 'anna').catch((error: Refusal) => error.code))
  const taken = () => ctx.pool.totalCount - ctx.pool.idleCount
  await expect.poll(taken).toBe(searchesAtOnceMax)
  expect(ctx.pool.waitingCount).toBe(0)
  await expect(search(ctx, people[0]!, 'anna')).rejects.toMatchObject({ code: 'rate_limited' })
  expect((await ctx.pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await blocker.query('ROLLBACK')
  await blocker.end()
  const answers = await Promise.all(searches)
  expect(answers.filter(answer => answer === 'overloaded')).toHaveLength(3)
  expect(answers.filter(answer => Array.isArray(answer)).length).toBeGreaterThanOrEqual(searchQueueMax)
})
