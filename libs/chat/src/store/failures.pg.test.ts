/**
 * Every row of the table, on errors that a real server made: provoked where that can be done here, raised by name (RAISE …
 * USING ERRCODE) where it takes a full disk or a crash.
 */
import { type PostgresServer, startPostgres } from '@flotilla/testing'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asRefusal, keepsConnection, type Remedy, remedies, remedyOf } from './failures.ts'

let server: PostgresServer
const opened: pg.Client[] = []

beforeAll(async () => {
  server = await startPostgres({
    settings: { max_connections: '12', superuser_reserved_connections: '0', deadlock_timeout: '20ms' },
  })
  const client = await connect()
  await client.query('CREATE TABLE kept (id int PRIMARY KEY, n int); INSERT INTO kept VALUES (1, 0), (2, 0)')
  await client.query('CREATE ROLE plain LOGIN; CREATE ROLE out NOLOGIN')
})
afterAll(async () => {
  await Promise.all(opened.map(client => client.end().catch(() => {})))
  await server.drop()
})

async function connect(user = 'postgres', database = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: server.port, user, database })
  opened.push(client)
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Runs these on one connection. @returns the error of the first that fails, or that ends the connection after them */
async function run(statements: readonly string[], user?: string): Promise<Error> {
  const client = await connect(user)
  let end: Error | undefined
  const ended = new Promise<Error>(resolve => client.once('error', error => resolve((end = error))))
  try {
    for (const statement of statements) if (statement !== wait) await client.query(statement)
  } catch (error) {
    // The server may have ended it before the statement was sent.
    return end ?? (error as Error)
  } finally {
    if (statements.at(-1) !== wait) void client.end()
  }
  return ended
}

/** Two transactions; the second statement of each meets the other's first. @returns the error that one of them gets */
async function collide(level: string, first: readonly [string, string], second: readonly [string, string]) {
  const [a, b] = [await connect(), await connect()]
  await a.query(`BEGIN ISOLATION LEVEL ${level}`)
  await b.query(`BEGIN ISOLATION LEVEL ${level}`)
  await a.query(first[0])
  await b.query(second[0])
  const results = await Promise.allSettled([
    a.query(first[1]).then(() => a.query('COMMIT')),
    b.query(second[1]).then(() => b.query('COMMIT')),
  ])
  await Promise.all([a.end(), b.end()])
  return results.find(result => result.status === 'rejected')?.reason as Error
}

const raised = (code: string) => () => run([`DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '${code}'; END $$`])
const set = (name: string, value: string) => `SET ${name} = '${value}'`
const update = (id: number) => `UPDATE kept SET n = n + 1 WHERE id = ${id}`
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined as never,
    (error: Error) => error,
  )
/** The server ends the connection by itself. */
const wait = ''

const cases: readonly (readonly [string, Remedy, () => Promise<Error>])[] = [
  ['08006', 'renew', raised('08006')],
  ['08P01', 'renew', raised('08P01')],
  ['25006', 'renew', () => run([set('default_transaction_read_only', 'on'), update(1)])],
  ['25P02', 'renew', raised('25P02')],
  ['25P03', 'renew', () => run([set('idle_in_transaction_session_timeout', '20ms'), 'BEGIN', wait])],
  ['25P04', 'renew', () => run([set('transaction_timeout', '20ms'), 'BEGIN', wait])],
  ['26000', 'renew', () => run(['EXECUTE unknown'])],
  ['42P05', 'renew', () => run(['PREPARE one AS SELECT 1', 'PREPARE one AS SELECT 1'])],
  [
    '0A000',
    'renew',
    () => run(['CREATE TEMP TABLE t (a int)', 'PREPARE p AS SELECT * FROM t', 'ALTER TABLE t ADD b int', 'EXECUTE p']),
  ],
  ['40001', 'again', () => collide('REPEATABLE READ', [update(1), 'SELECT 1'], ['SELECT * FROM kept', update(1)])],
  ['40P01', 'again', () => collide('READ COMMITTED', [update(1), update(2)], [update(2), update(1)])],
  ['40003', 'renew', raised('40003')],
  [
    '55P03',
    'again',
    async () => {
      const other = await connect()
      await other.query(`BEGIN; ${update(1)}`)
      const error = await run([set('lock_timeout', '20ms'), update(1)])
      await other.end()
      return error
    },
  ],
  ['57014', 'again', () => run([set('statement_timeout', '20ms'), 'SELECT pg_sleep(5)'])],
  ['57P01', 'renew', () => run(['SELECT pg_terminate_backend(pg_backend_pid())'])],
  ['57P02', 'renew', raised('57P02')],
  ['57P04', 'mend', raised('57P04')],
  ['57P05', 'renew', () => run([set('idle_session_timeout', '20ms'), 'SELECT 1', wait])],
  ['53100', 'full', raised('53100')],
  ['53200', 'wait', raised('53200')],
  [
    '53300',
    'wait',
    async () => {
      for (;;) {
        const error = await connect().then(
          () => undefined,
          (failed: Error) => failed,
        )
        if (error === undefined) continue
        await Promise.all(opened.splice(0).map(client => client.end().catch(() => {})))
        return error
      }
    },
  ],
  [
    '53400',
    'wait',
    () =>
      run([
        set('temp_file_limit', '64kB'),
        set('work_mem', '64kB'),
        'SELECT count(*) FROM (SELECT * FROM generate_series(1, 200000) i ORDER BY i DESC) x',
      ]),
  ],
  ['58030', 'full', raised('58030')],
  ['28000', 'mend', () => failure(connect('out'))],
  ['28P01', 'mend', raised('28P01')],
  ['3D000', 'mend', () => failure(connect('postgres', 'elsewhere'))],
  ['3F000', 'mend', () => run(['CREATE TABLE elsewhere.t (a int)'])],
  ['42501', 'mend', () => run([update(1)], 'plain')],
  ['42P01', 'mend', () => run(['SELECT * FROM unknown'])],
  ['42703', 'mend', () => run(['SELECT unknown FROM kept'])],
  ['42883', 'mend', () => run(['SELECT unknown()'])],
  // Last: it stops the server.
  [
    '57P03',
    'wait',
    async () => {
      const held = await connect()
      const stopped = server.stop('smart')
      let error: Error | undefined
      while (error === undefined || !('code' in error)) error = await failure(connect())
      await held.end()
      await stopped
      return error
    },
  ],
]

test('every row of the table has a case here, and every class of it', () => {
  const tried = cases.map(([code]) => code)
  for (const row of Object.keys(remedies))
    expect(tried.some(code => code === row || (row.length === 2 && code.startsWith(row) && !(code in remedies)))).toBe(
      true,
    )
})

test('what the driver says without a code, and the network, is told apart as well', async () => {
  const { port } = server
  const closed = await connect()
  await closed.end()
  // What would never be answered: somebody else holds it.
  const endless = 'SELECT pg_advisory_lock(1)'
  const holder = await connect()
  await holder.query(endless)
  const cut = await connect()
  const broken = failure(cut.query(endless))
  const { stream } = (cut as unknown as { connection: { stream: { destroy(): void } } }).connection
  setTimeout(() => stream.destroy(), 20)
  const slow = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', query_timeout: 20 })
  opened.push(slow)
  await slow.connect()
  const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', max: 1 })
  const held = await pool.connect()
  pool.options.connectionTimeoutMillis = 20
  const errors: [Remedy, Error][] = [
    ['renew', await failure(closed.query('SELECT 1'))],
    ['renew', await broken],
    ['renew', await failure(slow.query(endless))],
    ['renew', await failure(pool.connect())],
    ['renew', await failure(new pg.Client({ host: '127.0.0.1', port: 1 }).connect())],
    ['mend', await failure(new pg.Client({ host: '127.0.0.1', port, ssl: true }).connect())],
    ['mend', Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })],
  ]
  held.release()
  await Promise.all([pool.end(), holder.end()])
  expect(errors.map(([, error]) => [error.message, remedyOf(error)])).toEqual(
    errors.map(([remedy, error]) => [error.message, remedy]),
  )
})

test.each(['22P02', '23505', '42601', '54000', 'XX001'])('%s is the fault of the query, and stays one', async code => {
  const error = await raised(code)()
  expect(error).toMatchObject({ code })
  expect(remedyOf(error)).toBeUndefined()
  expect(asRefusal(error)).toBeUndefined()
  expect(keepsConnection(error)).toBe(true)
})

test.each(cases)('%s: %s', async (code, remedy, provoke) => {
  const error = await provoke()
  expect(error).toMatchObject({ code })
  expect(remedyOf(error)).toBe(remedy)
  expect(keepsConnection(error)).toBe(remedy === 'again')
  const refusal = asRefusal(new Error('unable to do it', { cause: error }))
  expect(refusal).toMatchObject({ code: 'unavailable' })
  expect(refusal!.toBody().retryMs).toBeGreaterThan(0)
})
