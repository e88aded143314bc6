/** From a job to an inbox, through a server that speaks SMTP. */
import { randomUUID } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { jobs, security } from '@flotilla/chat'
import { createLogger, createRegistry, type Registry, silentLogger } from '@flotilla/service'
import { freePort, openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDevInbox } from './dev-inbox.ts'
import { createSmtpMailer, type Mailer } from './mailer.ts'
import { type ArrivedMail, type SmtpTestbed, startSmtp } from './smtp.testbed.ts'
import { createWorker, type WorkerOptions } from './worker.ts'

let database: TestDatabase
let chat: TestChat
const undo: (() => Promise<unknown> | void)[] = []
/** What the server says to RCPT TO, in order; then it takes everything. */
let refusals: { code: number; text: string }[] = []
let smtp: SmtpTestbed

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})
beforeEach(async () => {
  refusals = []
  await chat.ctx.pool.query('TRUNCATE jobs')
})
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

async function open(port?: number): Promise<SmtpTestbed> {
  smtp = await startSmtp(() => refusals.shift(), port)
  const { close } = smtp
  // First in, last out.
  undo.unshift(close)
  return smtp
}

const smtpMailer = (port: number) =>
  createSmtpMailer({
    url: `smtp://127.0.0.1:${port}`,
    from: 'Harbour <noreply@harbour.example>',
    connectionsMax: 2,
    // A mail that takes longer is sent once more: a machine that stands still must not be taken for that.
    mailMsMax: 60_000,
  })

function startWorker(mailer: Mailer | undefined, more: Partial<WorkerOptions> = {}): Registry {
  const registry = createRegistry({})
  const worker = createWorker({
    chat: chat.ctx,
    mailer,
    pushProviders: [],
    storage: { remove: () => Promise.resolve() },
    publicName: 'Harbour',
    logger: silentLogger,
    registry,
    random: () => 0.5,
    settings: { pollMs: { busy: 10, idle: 20 }, jobRetryMs: { first: 50, max: 200 }, jobAttemptsMax: 4 },
    ...more,
  })
  undo.push(() => worker.stop())
  return registry
}

const code: jobs.Mail = { template: 'code', purpose: 'register', code: '314159', lifeMs: 600_000 }
const addMail = (mail: jobs.Mail = code, to = 'alice@example.org') => jobs.add(chat.ctx, { kind: 'mail', to, mail })
const rows = async () =>
  (
    await chat.ctx.pool.query<{ error: string | null; dead: boolean; attempts: number }>(
      'SELECT error, dead_at IS NOT NULL AS dead, attempt_count AS attempts FROM jobs',
    )
  ).rows
const untilDone = () => until(async () => (await rows()).length === 0, { what: 'all jobs are done' })
const untilDead = () => until(async () => (await rows()).every(row => row.dead), { what: 'the job is dead' })

test('a code arrives at its address alone, in both parts, marked as sent by a machine', async () => {
  startWorker(smtpMailer((await open()).port))
  await addMail()
  await untilDone()
  expect(smtp.arrived).toHaveLength(1)
  const [{ from, to, email }] = smtp.arrived as [ArrivedMail]
  expect({ from, to }).toEqual({ from: 'noreply@harbour.example', to: ['alice@example.org'] })
  expect(email.subject).toBe('Your code for Harbour')
  expect(email.from).toEqual({ name: 'Harbour', address: 'noreply@harbour.example' })
  expect(email.text).toContain('314159')
  expect(email.html).toContain('314159')
  expect(email.headers.find(one => one.key === 'auto-submitted')?.value).toBe('auto-generated')
  expect(email.messageId).toMatch(/^<[0-9a-f-]{36}@harbour\.example>$/)
})

test('changes in a row are two mails: the first at once, and the rest together when their time has come', async () => {
  startWorker(smtpMailer((await open()).port))
  const user = randomUUID()
  await chat.ctx.pool.query(
    `INSERT INTO users (id, username, display_name, email) VALUES ($1, 'ann', 'Ann', 'ann@example.org')`,
    [user],
  )
  const kinds = ['password_changed', 'totp_disabled', 'data_exported', 'passkey_added'] as const
  for (const kind of kinds) await security.note(chat.ctx, { user, kind })
  await until(async () => smtp.arrived.length === 1 && (await rows()).length === 1, { what: 'one is there, one waits' })
  await chat.ctx.pool.query('UPDATE jobs SET due_at = now()')
  await untilDone()
  const [first, rest] = smtp.arrived.map(one => one.email.text ?? '')
  expect(smtp.arrived.map(one => one.to)).toEqual([['ann@example.org'], ['ann@example.org']])
  expect(first).toContain('The password of your account was changed.')
  for (const told of ['turned off as a second factor', 'A copy of all the data', 'A passkey was added'])
    expect(rest).toContain(told)
  expect(rest).not.toContain('The password of your account was changed.')
})

test('an address with a comma is one address and never two recipients', async () => {
  startWorker(smtpMailer((await open()).port))
  await addMail(code, 'alice@example.org, mallory@example.org')
  await until(async () => (await rows()).every(row => row.dead || row.attempts > 1), { what: 'it was tried' })
  expect(smtp.arrived.flatMap(one => one.to)).not.toContain('mallory@example.org')
})

test('a server that is busy is asked again', async () => {
  refusals = [
    { code: 451, text: 'busy' },
    { code: 421, text: 'closing' },
  ]
  startWorker(smtpMailer((await open()).port))
  await addMail()
  await untilDone()
  expect(smtp.arrived).toHaveLength(1)
})

test('a mail that was repeated can be recognised by its name', async () => {
  startWorker(smtpMailer((await open()).port))
  await addMail()
  await until(() => smtp.arrived.length === 1, { what: 'it arrived' })
  await untilDone()
  // The answer was lost: the job is there once more.
  const id = smtp.arrived[0]!.email.messageId!.slice(1, 37)
  const { keyId, body } = chat.ctx.seal.seal(`job ${id}`, JSON.stringify({ to: 'alice@example.org', mail: code }))
  await chat.ctx.pool.query("INSERT INTO jobs (id, kind, key_id, body) VALUES ($1, 'mail', $2, $3)", [id, keyId, body])
  await until(() => smtp.arrived.length === 2, { what: 'it arrived again' })
  expect(smtp.arrived[1]!.email.messageId).toBe(smtp.arrived[0]!.email.messageId)
  await untilDone()
})

test('an address that the server refuses for good is dead at once, and the error does not tell it', async () => {
  refusals = [{ code: 550, text: 'alice@example.org is unknown here' }]
  const registry = startWorker(smtpMailer((await open()).port))
  await addMail()
  await untilDead()
  const [row] = await rows()
  expect(row).toMatchObject({ attempts: 1, error: expect.stringMatching(/^unable to send a mail: EENVELOPE 550/) })
  expect(row!.error).not.toMatch(/alice|314159/)
  await until(async () => /flotilla_jobs_total\{kind="mail",outcome="dead"\} 1/.test(await registry.metrics()), {
    what: 'it is counted',
  })
  expect(await registry.metrics()).toMatch(/flotilla_jobs_dead 1/)
})

test('a server that is away is asked again until it is back', async () => {
  const port = await freePort()
  startWorker(smtpMailer(port))
  await addMail()
  await until(async () => ((await rows())[0]?.attempts ?? 0) >= 2, { what: 'it was tried in vain' })
  await open(port)
  await untilDone()
  expect(smtp.arrived).toHaveLength(1)
})

test('a server that says nothing costs no longer than its time, and attempts have an end', async () => {
  const silent = createServer(socket => void undo.push(() => void socket.destroy()))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  undo.push(() => void silent.close())
  const { port } = silent.address() as AddressInfo
  const mailer = createSmtpMailer({
    url: `smtp://127.0.0.1:${port}`,
    from: 'noreply@harbour.example',
    connectionsMax: 1,
    mailMsMax: 100,
  })
  startWorker(mailer)
  await addMail()
  await untilDead()
  expect((await rows())[0]).toMatchObject({ attempts: 4, error: expect.stringContaining('unable to send a mail') })
})

test('a code that is past its life is not sent any more', async () => {
  await addMail()
  await chat.ctx.pool.query(`UPDATE jobs SET created_at = now() - interval '11 minutes'`)
  startWorker(smtpMailer((await open()).port))
  await untilDone()
  expect(smtp.arrived).toEqual([])
})

test('without SMTP the start says so, and mails are dead at once', async () => {
  const lines: string[] = []
  const logger = createLogger('worker', 'error', { write: line => void lines.push(line) })
  startWorker(undefined, { logger })
  expect(lines.join()).toContain('SMTP_URL is not set')
  await addMail()
  await untilDead()
  expect((await rows())[0]).toMatchObject({ attempts: 1, error: 'unable to send a mail: SMTP_URL is not set' })
  expect(lines.join()).not.toMatch(/alice|314159/)
})

test('in development mails lie in an inbox, the latest 200', async () => {
  const inbox = createDevInbox()
  startWorker(inbox)
  for (let n = 0; n < 205; n++) await addMail({ ...code, code: `${100_000 + n}` })
  await untilDone()
  const mails = inbox.list()
  expect(mails).toHaveLength(200)
  expect(mails[0]).toMatchObject({ to: 'alice@example.org', subject: 'Your code for Harbour' })
  expect(mails[0]!.html).toContain('<!doctype html>')
  expect(mails[0]!.at).toBeGreaterThanOrEqual(mails[199]!.at)
})

test('several workers send each mail once', async () => {
  for (let n = 0; n < 60; n++) await addMail({ ...code, code: `${100_000 + n}` })
  const { port } = await open()
  for (let n = 0; n < 3; n++) startWorker(smtpMailer(port))
  await untilDone()
  expect(smtp.arrived).toHaveLength(60)
  expect(new Set(smtp.arrived.map(one => one.email.messageId)).size).toBe(60)
})

test('files that nothing points to are removed, and again when the store of files was away', async () => {
  const removed: string[] = []
  let away = 2
  startWorker(undefined, {
    storage: {
      remove(keys) {
        if (away-- > 0) return Promise.reject(Object.assign(new Error('bucket of alice'), { code: 'ETIMEDOUT' }))
        removed.push(...keys)
        return Promise.resolve()
      },
    },
  })
  await jobs.add(chat.ctx, { kind: 'delete-files', keys: ['avatars/1', 'avatars/2'] })
  await untilDone()
  expect(removed).toEqual(['avatars/1', 'avatars/2'])
})
