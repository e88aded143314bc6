import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { add, claim, type ClaimedJob, done, fail, figures, type Job, listDead, retry } from './index.ts'

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
beforeEach(() => ctx.pool.query('TRUNCATE jobs'))

const job = (n = 0): Job => ({ kind: 'delete-files', keys: [`avatars/${n}`] })
const claimAll = () => claim(ctx, { max: 100, leaseMs: 60_000 })
const pass = (ms: number) =>
  ctx.pool.query(
    `UPDATE jobs SET due_at = due_at - ${ms} * interval '1 millisecond', created_at = created_at - ${ms} * interval '1 millisecond'`,
  )

test('a job comes back as it was added, and lies sealed in between', async () => {
  await add(ctx, job(7))
  const stored = await ctx.pool.query<{ body: Buffer }>('SELECT body FROM jobs')
  expect(stored.rows[0]!.body.toString('latin1')).not.toContain('avatars')
  await pass(5_000)
  const [claimed] = await claimAll()
  expect(claimed).toMatchObject({ job: job(7), attempt: 1 })
  expect(claimed!.ageMs).toBeGreaterThanOrEqual(5_000)
})

test('workers side by side claim each job once', async () => {
  for (let n = 0; n < 60; n++) await add(ctx, job(n))
  const claims = await Promise.all(Array.from({ length: 6 }, () => claim(ctx, { max: 10, leaseMs: 60_000 })))
  const ids = [...claims.flat(), ...(await claimAll())].map(one => one.id)
  expect(ids).toHaveLength(60)
  expect(new Set(ids).size).toBe(60)
  expect(claims.every(one => one.length <= 10)).toBe(true)
})

test('what one has in hand, the others pass over without waiting', async () => {
  await add(ctx, job(1))
  await add(ctx, job(2))
  const client = await ctx.pool.connect()
  try {
    await client.query('BEGIN')
    await client.query('SELECT FROM jobs LIMIT 1 FOR UPDATE')
    expect(await claimAll()).toHaveLength(1)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
  expect(await claimAll()).toHaveLength(1)
})

test('the job of a worker that died comes again, and the dead one has no say any more', async () => {
  await add(ctx, job())
  const [first] = (await claimAll()) as [ClaimedJob]
  expect(await claimAll()).toEqual([])
  await pass(60_000)
  const [second] = (await claimAll()) as [ClaimedJob]
  expect(second).toMatchObject({ id: first.id, attempt: 2 })
  await done(ctx, first)
  await fail(ctx, first, 'too late')
  await pass(60_000)
  const [third] = (await claimAll()) as [ClaimedJob]
  expect(third.attempt).toBe(3)
  await done(ctx, third)
  await pass(60_000)
  expect(await claimAll()).toEqual([])
  expect((await ctx.pool.query('SELECT FROM jobs')).rowCount).toBe(0)
})

test('a failed job waits for its time; one that failed for good lies dead until it is tried again', async () => {
  await add(ctx, job())
  const [first] = (await claimAll()) as [ClaimedJob]
  await fail(ctx, first, 'unable to do it', 60_000)
  expect(await claimAll()).toEqual([])
  await pass(60_000)
  const [second] = (await claimAll()) as [ClaimedJob]
  await fail(ctx, second, 'unable to do it: never')
  await pass(60_000)
  expect(await claimAll()).toEqual([])
  const { jobs } = await listDead(ctx, { limit: 10 })
  expect(jobs).toMatchObject([{ id: first.id, kind: 'delete-files', attempts: 2, error: 'unable to do it: never' }])
  expect(JSON.stringify(jobs)).not.toContain('avatars')
  await retry(ctx, first.id)
  expect(await claimAll()).toMatchObject([{ id: first.id, attempt: 1 }])
  await expect(retry(ctx, first.id)).rejects.toMatchObject({ code: 'job_unknown' })
})

test('a job that cannot be opened is dead at once and keeps nobody from the others', async () => {
  await add(ctx, job(1))
  await add(ctx, job(2))
  await ctx.pool.query(
    `UPDATE jobs SET body = '\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff' WHERE id = (SELECT id FROM jobs LIMIT 1)`,
  )
  expect(await claimAll()).toHaveLength(1)
  const { jobs } = await listDead(ctx, { limit: 10 })
  expect(jobs).toMatchObject([{ error: expect.stringContaining('unable to open a job') }])
})

test('the dead are listed page by page, and counted', async () => {
  for (let n = 0; n < 5; n++) await add(ctx, job(n))
  for (const one of await claimAll()) await fail(ctx, one, 'unable to do it')
  await add(ctx, job(9))
  const seen: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await listDead(ctx, { limit: 2, after })
    seen.push(...page.jobs.map(one => one.id))
    if (page.next === undefined) break
    after = page.next
  }
  expect(new Set(seen).size).toBe(5)
  expect(await figures(ctx)).toMatchObject({ waiting: { 'delete-files': 1 }, dead: 5 })
})
