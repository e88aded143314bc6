/** The migrations as the process that a roll-out runs once. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freePort, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const main = fileURLToPath(new URL('migrate.ts', import.meta.url))
let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase({ key: 'empty', fill: () => Promise.resolve() })
})
afterAll(() => database.drop())

/** @returns its code, its log, and how to signal it while it runs */
function run(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=source', main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const ended = new Promise<{ code: number | null; log: string }>(resolve =>
    child.on('close', code => {
      clearTimeout(late)
      resolve({ code, log })
    }),
  )
  return { ended, log: () => log, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}

test('the first run applies everything and says so, the next finds nothing to do; both end with 0', {
  timeout: 60_000,
}, async () => {
  const first = await run({ DATABASE_URL: database.url }).ended
  expect(first).toMatchObject({ code: 0, log: expect.stringContaining('"applied":["0001-core.sql"') })
  const second = await run({ DATABASE_URL: database.url }).ended
  expect(second).toMatchObject({ code: 0, log: expect.stringContaining('schema already up to date') })
})

test('without a database it waits as long as it may and ends with 1, and so when it is told to end', {
  timeout: 60_000,
}, async () => {
  const away = { DATABASE_URL: `postgres://nobody:hunter2@127.0.0.1:${await freePort()}/none` }
  const given = await run({ ...away, MIGRATE_WAIT_MS: '600' }).ended
  expect(given.code).toBe(1)
  expect(given.log).toContain('PostgreSQL does not answer (waited 600 ms)')
  expect(given.log).not.toContain('hunter2')
  const told = run(away)
  const watch = setInterval(() => {
    if (!told.log().includes('waiting to start')) return
    clearInterval(watch)
    told.kill('SIGTERM')
  }, 50)
  const { code, log } = await told.ended
  clearInterval(watch)
  expect(code).toBe(1)
  expect(log).toContain('migration interrupted')
})
