/** The command line of operators, and once as the process that it is. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messages } from '@flotilla/chat'
import { generateSecretKey, parseSecretKeys, readCommandLine, silentLogger } from '@flotilla/service'
import { makeConversation, makeSessions, makeUsers, openTestChat, type TestChat, testDatabase } from '@flotilla/testing'
import { beforeAll, expect, test } from 'vitest'
import { operatorProgram, runOperatorCommand } from './operator-command.ts'

const secret = generateSecretKey('m')
const masterKeys = parseSecretKeys(secret)
const nowhere = '00000000-0000-0000-0000-000000000000'
let url: string
let chat: TestChat
let alice: string
let conversation: string

beforeAll(async () => {
  const database = await testDatabase()
  ;({ url } = database)
  chat = await openTestChat(url, { masterKeys })
  ;[alice] = (await makeUsers(chat.ctx.pool, 1)) as [string]
  await chat.ctx.pool.query("UPDATE users SET username = 'alice' WHERE id = $1", [alice])
  await makeSessions(chat.ctx.pool, [alice])
  conversation = await makeConversation(chat.ctx.pool, [alice])
  await messages.post(chat.ctx, alice, { conversation, clientId: alice, body: { text: 'vile' } })
  return async () => {
    await chat.close()
    await database.drop()
  }
})

async function run(...args: string[]): Promise<string> {
  const given = readCommandLine({ ...operatorProgram, usage: 'operate' }, args)
  return runOperatorCommand({ databaseUrl: url, masterKeys, mail: true, logger: silentLogger }, given)
}

test('an account is shut out, looked at, and let in again', async () => {
  const inAWeek = () => chat.ctx.clock() + 7 * 86_400_000
  const from = inAWeek()
  const said = await run('suspend', 'Alice', '--reason', 'Spam', '--until', '7d')
  const until = Date.parse(/suspended until (\S+Z)/.exec(said)?.[1] ?? '')
  expect(until).toBeGreaterThanOrEqual(from - 1_000)
  expect(until).toBeLessThanOrEqual(inAWeek() + 1_000)
  expect(await run('show', 'alice')).toMatch(/suspended until .*\n0 sessions/)
  expect(await run('ban', alice, '--reason', 'Threats')).toBe('alice is banned')
  expect(await run('show', 'alice')).toContain('banned for good')
  expect(await run('lift', 'alice', '--reason', 'A mistake')).toBe('alice may sign in again')
  expect(await run('show', 'alice')).toContain('neither suspended nor banned')
  const year = new Date().getUTCFullYear() + 2
  expect(await run('suspend', 'alice', '--reason', 'x', '--until', `${year}-01-31T18:00:00+01:00`)).toContain(
    `${year}-01-31T17:00:00.000Z`,
  )
  await run('lift', 'alice', '--reason', 'x')
})

test('a message is removed, and the trail says by whom', async () => {
  expect(await run('remove-message', conversation, '1', '--reason', 'Vile\nwords', '--by', 'carol')).toContain(
    'is removed',
  )
  const { entries } = await messages.history(chat.ctx, alice, { conversation })
  expect(entries).toMatchObject([{ removed: 'operator' }, { event: 'message.removed' }])
  const [first] = (await run('list', '--person', 'alice')).split('\n')
  expect(first).toMatch(new RegExp(`^\\S+Z  carol  message_removed  alice  ${conversation} 1  Vile words$`))
})

test.each([
  ['an unknown command', ['destroy', 'alice'], "unable to run 'destroy': the commands are suspend, ban"],
  ['no reason', ['ban', 'alice'], 'unable to ban: --reason is required'],
  ['nobody', ['ban', '--reason', 'x'], 'unable to ban: it takes PERSON'],
  ['somebody unknown', ['ban', 'nobody', '--reason', 'x'], 'unable to ban: No such user.'],
  ['a time of its own', ['suspend', 'alice', '--reason', 'x', '--until', 'soon'], "not 'soon'"],
  ['a time that is over', ['suspend', 'alice', '--reason', 'x', '--until', '2001-01-01'], 'in the future'],
  ['no seq', ['remove-message', nowhere, 'last', '--reason', 'x'], "'last' is not a seq"],
  ['a message that is not there', ['remove-message', nowhere, '1', '--reason', 'x'], 'No such message'],
])('%s is refused in a sentence', async (_what, args, sentence) => {
  await expect(run(...args)).rejects.toThrow(sentence)
})

test('as a process it takes the settings of the API, and says who ran it', async () => {
  const main = fileURLToPath(new URL('operate.ts', import.meta.url))
  const start = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--conditions=source', main, ...args], {
      env: { ...process.env, DATABASE_URL: url, MASTER_KEYS: secret },
      timeout: 60_000,
    })
  expect((await start('sign-out', 'alice', '--reason', 'Stolen')).stdout).toBe('alice is signed out everywhere\n')
  expect((await run('list')).split('\n')[0]).toMatch(/ \S+@\S+ {2}signed_out {2}alice {2}sessions 0 {2}Stolen$/)
  await expect(start('sign-out', 'nobody', '--reason', 'x')).rejects.toMatchObject({
    code: 1,
    stderr: 'unable to sign-out: No such user.\n',
  })
}, 90_000)
