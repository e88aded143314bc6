/** A new password ends what was begun with the old one, also what is on its way in that very moment. */
import type { SecondFactorChallenge } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { create } from '../registration/create.ts'
import { setPassword } from '../passwords/set-password.ts'
import { begin } from './begin.ts'
import { finish } from './finish.ts'
import { open } from './open.ts'
import { signIn } from './sign-in.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let people = 0

const password = 'correct horse'
const next = 'battery staple'
const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

async function someone() {
  const username = `person${++people}`
  const passwordHash = await ctx.passwords.hash(password)
  const user = await create(ctx, { username, email: `${username}@example.org`, passwordHash })
  return { user, session: (await open(ctx, user.id, client, 'password')).session }
}

const change = ({ user, session }: Awaited<ReturnType<typeof someone>>) =>
  setPassword(ctx, user.id, { session, current: password, password: next, client })
const goodSessions = async (user: string) =>
  (await ctx.pool.query('SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [user])).rows.map(
    row => row.id,
  )
const challenges = async (user: string) =>
  (await ctx.pool.query('SELECT FROM challenges WHERE user_id = $1', [user])).rowCount

test.each([
  ['no', false],
  ['a', true],
])(
  'changed while the old one is looked at, with %s second factor: the old one signs nobody in',
  async (_what, factor) => {
    const person = await someone()
    const { user, session } = person
    if (factor) await ctx.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [user.id])
    const passwords = {
      ...ctx.passwords,
      verify: async (...given: Parameters<typeof ctx.passwords.verify>) => {
        const right = await ctx.passwords.verify(...given)
        await change(person)
        return right
      },
    }
    const late = signIn({ ...ctx, passwords }, { username: user.username, password, client })
    await expect(late).rejects.toMatchObject({ code: 'invalid_credentials' })
    expect(await goodSessions(user.id)).toEqual([session])
    expect(await challenges(user.id)).toBe(0)
  },
)

describe('changed while the session is being written, it ends that session', () => {
  /** Every new session takes its time, so that the change falls into it. */
  beforeAll(async () => {
    await ctx.pool.query(`
      CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
      CREATE TRIGGER linger BEFORE INSERT ON sessions FOR EACH ROW WHEN (NEW.agent = 'slow') EXECUTE FUNCTION linger()`)
    return () => ctx.pool.query('DROP TRIGGER linger ON sessions; DROP FUNCTION linger')
  })
  const slow = { ...client, agent: 'slow' }
  const lingers = async () =>
    (await ctx.pool.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"))
      .rowCount === 1

  async function changedDuring(person: Awaited<ReturnType<typeof someone>>, signing: Promise<unknown>) {
    let isOver = false
    const settled = signing.catch(() => {}).finally(() => (isOver = true))
    onTestFinished(async () => void (await settled))
    await until(async () => isOver || (await lingers()), { what: 'the session is being written' })
    await change(person)
    await settled
    expect(await goodSessions(person.user.id)).toEqual([person.session])
  }

  test('at once after the first step', async () => {
    const person = await someone()
    await changedDuring(person, signIn(ctx, { username: person.user.username, password, client: slow }))
  })

  test('after the second', async () => {
    const person = await someone()
    await ctx.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [person.user.id])
    const { challenge } = (await begin(ctx, person.user, 'email_code', client)) as SecondFactorChallenge
    await changedDuring(person, finish(ctx, { challenge, shown: { factor: 'password', password }, client: slow }))
  })
})
