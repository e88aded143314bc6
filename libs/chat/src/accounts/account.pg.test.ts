import { openTestChat, type TestChat, type TestDatabase, testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask } from './codes/ask.ts'
import type { ChatContext } from '../context.ts'
import { claim } from '../store/jobs/claim.ts'
import type { CodePurpose, Mail } from '../store/jobs/job.ts'
import type { SignedIn } from './sessions/begin.ts'
import { demandReauthentication } from './sessions/demand-reauthentication.ts'
import { open } from './sessions/open.ts'
import { signIn } from './sessions/sign-in.ts'
import { signInWithCode } from './sessions/sign-in-with-code.ts'
import { transaction } from '../store/transaction.ts'
import { requestEmailChange, changeEmail, removeEmail } from './change-email.ts'
import { changeUsername } from './change-username.ts'
import { create } from './registration/create.ts'
import { demandSignInMethod, type Without } from './demand-sign-in-method.ts'
import { register as registerWithSession } from './registration/register.ts'
import { laptop, registerUser as register } from './registration/register.testbed.ts'
import { resetPassword, setPassword } from './passwords/set-password.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let people = 0

const password = 'correct horse'
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
beforeEach(() => ctx.pool.query('DELETE FROM jobs'))

const read = async (user: string) =>
  (await ctx.pool.query<Record<string, unknown>>('SELECT * FROM users WHERE id = $1', [user])).rows[0]!
const trail = async (user: string) =>
  (
    await ctx.pool.query<{ kind: string }>('SELECT kind FROM security_events WHERE user_id = $1 ORDER BY id', [user])
  ).rows.map(row => row.kind)
const goodSessions = async (user: string) =>
  (
    await ctx.pool.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [user])
  ).rows.map(row => row.id)

/** The code that the newest mail holds. */
async function mailed(): Promise<string> {
  const jobs = await claim(ctx, { max: 100, leaseMs: 600_000 })
  const mails = jobs.flatMap(({ job }) => (job.kind === 'mail' ? [job.mail] : []))
  const codes = mails.filter((mail): mail is Mail & { template: 'code' } => mail.template === 'code')
  return codes[0]!.code
}

async function asked(purpose: CodePurpose, email: string, user?: string) {
  const { request } = await ask(ctx, { purpose, email, user })
  return { request, code: await mailed() }
}

/** Somebody with everything: a name, a password, an address, a session. */
async function person(given: { email?: string | undefined; password?: string | undefined } = {}) {
  const name = `person${people++}`
  const email = 'email' in given ? given.email : `${name}@example.org`
  const hash = 'password' in given ? given.password : await ctx.passwords.hash(password)
  const user = await create(ctx, { username: name, email, passwordHash: hash })
  const { session } = await open(ctx, user.id, client, 'password')
  return { ...user, email: email ?? '', session }
}
const stale = (session: string) =>
  ctx.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])

describe('registering', () => {
  test('by a name alone makes a person without a password, whom search finds', async () => {
    const user = await register(ctx, { username: 'Solo', displayName: 'Sólo' })
    expect(user).toEqual({ id: user.id, username: 'Solo', displayName: 'Sólo', avatar: null })
    expect(await read(user.id)).toMatchObject({ password_hash: null, email: null, search_text: '~solo solo' })
    expect(await trail(user.id)).toEqual(['registered'])
  })

  test('with a code verifies the address, and derives a name from it', async () => {
    const user = await register(ctx, { email: await asked('register', 'Grace.Hopper+navy@example.org'), password })
    expect(user.username).toMatch(/^grace\.hopper\d{4}$/)
    expect(await read(user.id)).toMatchObject({ email: 'Grace.Hopper+navy@example.org' })
    expect((await register(ctx, {})).username).toMatch(/^user\d{4}$/)
    const short = await register(ctx, { email: await asked('register', '田@example.org') })
    expect(short.username).toMatch(/^user\d{4}$/)
  })

  test('an address that was registered meanwhile is refused, to whoever has verified it', async () => {
    const code = await asked('register', 'twice@example.org')
    await create(ctx, { username: 'twice', email: 'TWICE@example.org' })
    await expect(register(ctx, { username: 'twice2', email: code })).rejects.toMatchObject({ code: 'email_taken' })
  })

  test('of two who register with one code one does, and the other leaves nothing', async () => {
    const code = await asked('register', 'pair@example.org')
    const both = await Promise.allSettled(
      ['pair-a', 'pair-b'].map(username => register(ctx, { username, email: code })),
    )
    expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const made = await ctx.pool.query("SELECT FROM users WHERE username LIKE 'pair-%'")
    expect(made.rowCount).toBe(1)
  })

  test('what is refused for another reason leaves the code good', async () => {
    const email = await asked('register', 'again@example.org')
    await register(ctx, { username: 'occupied' })
    await expect(register(ctx, { username: 'occupied', email })).rejects.toMatchObject({ code: 'username_taken' })
    await expect(register(ctx, { username: 'fine', email, password: 'again@example.org' })).rejects.toMatchObject({
      code: 'password_weak',
    })
    expect(await register(ctx, { username: 'fine', email })).toMatchObject({ username: 'fine' })
  })

  test.each(['Bertha-1990', 'flotilla2024'])('the password %s of bertha is refused', weak =>
    expect(register(ctx, { username: 'bertha', password: weak })).rejects.toMatchObject({ code: 'password_weak' }),
  )
})

describe('a way in', () => {
  const demand = (user: string, without: Without, context = ctx) =>
    transaction(context, tx => demandSignInMethod(context, user, without, tx))
  const addPasskey = (user: string, id: string) =>
    ctx.pool.query(
      "INSERT INTO passkeys (id, user_id, name, public_key, counter, synced) VALUES ($2, $1, 'key', '', 0, false)",
      [user, id],
    )
  const addIdentity = (user: string, provider: string) =>
    ctx.pool.query('INSERT INTO identities (issuer, subject, user_id, provider) VALUES ($2, $1::text, $1::uuid, $2)', [
      user,
      provider,
    ])
  const last = { code: 'last_sign_in_method' }

  test('is left as long as one of four is', async () => {
    const both = await person()
    await demand(both.id, { email: true })
    const addressed = await person({ password: undefined })
    await demand(addressed.id, {})
    await expect(demand(addressed.id, { email: true })).rejects.toMatchObject(last)
    const { id } = await person({ email: undefined, password: undefined })
    await expect(demand(id, {})).rejects.toMatchObject(last)
    await addPasskey(id, `one-${id}`)
    await expect(demand(id, { passkey: `one-${id}` })).rejects.toMatchObject(last)
    await addPasskey(id, `two-${id}`)
    await demand(id, { passkey: `one-${id}` })
    await ctx.pool.query('DELETE FROM passkeys WHERE user_id = $1', [id])
    await addIdentity(id, 'google')
    await expect(demand(id, { identity: 'google' })).rejects.toMatchObject(last)
    await addIdentity(id, 'github')
    await demand(id, { identity: 'google' })
  })

  test('an address lets nobody in where no mail is sent', async () => {
    const { id } = await person({ password: undefined })
    await demand(id, {})
    const mute = { ...ctx, settings: { ...ctx.settings, mail: false } }
    await expect(demand(id, {}, mute)).rejects.toMatchObject(last)
  })

  test('of two removals at once only one leaves nothing behind', async () => {
    const { id, session } = await person({ password: undefined })
    await addPasskey(id, `raced-${id}`)
    let settled = false
    const waits = async () => {
      const { rows } = await ctx.pool.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      )
      return settled || rows.length > 0
    }
    const second = await transaction(ctx, async tx => {
      // It stays in it for as long as this machine stands still.
      await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0')
      await demandSignInMethod(ctx, id, { passkey: `raced-${id}` }, tx)
      await tx.query('DELETE FROM passkeys WHERE user_id = $1', [id])
      const removing = removeEmail(ctx, id, { session, client }).then(
        () => 'removed',
        (error: unknown) => error,
      )
      void removing.finally(() => (settled = true))
      await until(waits, { what: 'the second removal waits for the first' })
      return { removing }
    })
    expect(await second.removing).toMatchObject(last)
  })
})

describe('reauthentication', () => {
  test('is asked for, but not from whoever has nothing to sign in with', async () => {
    const { session } = await person()
    await stale(session)
    await expect(demandReauthentication(ctx, session)).rejects.toMatchObject({ code: 'reauthentication_required' })
    const bare = await person({ email: undefined, password: undefined })
    await stale(bare.session)
    await demandReauthentication(ctx, bare.session)
    await setPassword(ctx, bare.id, { session: bare.session, password, client })
    await expect(demandReauthentication(ctx, bare.session)).rejects.toMatchObject({ code: 'reauthentication_required' })
  })
})

describe('the password', () => {
  const next = 'battery staple'

  test('is changed by whoever knows it; all other sessions and begun sign-ins end', async () => {
    const one = await person()
    const other = await open(ctx, one.id, client, 'password')
    await ctx.pool.query(
      "INSERT INTO challenges (id, kind, user_id, expires_at) VALUES (gen_random_uuid(), 'x', $1, now() + interval '1 hour')",
      [one.id],
    )
    await setPassword(ctx, one.id, { session: one.session, current: password, password: next, client })
    expect(await goodSessions(one.id)).toEqual([one.session])
    expect(await ctx.admissions.check(other.session)).toBeUndefined()
    expect((await ctx.pool.query('SELECT FROM challenges WHERE user_id = $1', [one.id])).rowCount).toBe(0)
    await expect(signIn(ctx, { username: one.username, password, client })).rejects.toMatchObject({
      code: 'invalid_credentials',
    })
    await signIn(ctx, { username: one.username, password: next, client })
    expect(await trail(one.id)).toContain('password_changed')
  })

  test.each([{ current: undefined }, { current: 'wrong horse' }])(
    'is not changed with %j, and nobody is signed out',
    async ({ current }) => {
      const one = await person()
      await open(ctx, one.id, client, 'password')
      const refused = setPassword(ctx, one.id, { session: one.session, current, password: next, client })
      await expect(refused).rejects.toMatchObject({ code: 'invalid_credentials', detail: { field: 'current' } })
      expect(await goodSessions(one.id)).toHaveLength(2)
    },
  )

  test('of two changes at once one counts', async () => {
    const one = await person()
    const changes = await Promise.allSettled(
      [next, `${next}!`].map(text =>
        setPassword(ctx, one.id, { session: one.session, current: password, password: text, client }),
      ),
    )
    expect(changes.map(change => change.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await trail(one.id)).filter(kind => kind === 'password_changed')).toHaveLength(1)
  })

  test('a first one needs no other, but reauthentication', async () => {
    const one = await person({ password: undefined })
    await stale(one.session)
    const setting = () => setPassword(ctx, one.id, { session: one.session, password: next, client })
    await expect(setting()).rejects.toMatchObject({ code: 'reauthentication_required' })
    await ctx.pool.query('UPDATE sessions SET proved_at = now() WHERE id = $1', [one.session])
    await setting()
    expect(await trail(one.id)).toContain('password_set')
  })

  test('must not be the name or the address', async () => {
    const one = await person()
    const weak = (text: string) =>
      expect(
        setPassword(ctx, one.id, { session: one.session, current: password, password: text, client }),
      ).rejects.toMatchObject({ code: 'password_weak' })
    await weak(`${one.username}!!`)
    await weak(one.email)
  })

  test('that was forgotten is set by a code, once, and ends all sessions', async () => {
    const one = await person()
    const code = await asked('reset-password', one.email)
    await expect(resetPassword(ctx, { ...code, password: `${one.username}!!`, client })).rejects.toMatchObject({
      code: 'password_weak',
    })
    const resets = await Promise.allSettled(
      [next, `${next}!`].map(text => resetPassword(ctx, { ...code, password: text, client })),
    )
    const done = resets.filter(reset => reset.status === 'fulfilled')
    expect(done).toHaveLength(1)
    const { session, user } = done[0]!.value as SignedIn
    expect(user.id).toBe(one.id)
    expect(await goodSessions(one.id)).toEqual([session])
    expect(await trail(one.id)).toEqual(expect.arrayContaining(['password_reset', 'signed_in']))
  })

  test('is not set by a code for something else', async () => {
    const one = await person()
    const code = await asked('sign-in', one.email)
    await expect(resetPassword(ctx, { ...code, password: next, client })).rejects.toMatchObject({
      code: 'code_invalid',
    })
  })
})

describe('the address', () => {
  test('is changed by a code to the new one; codes to the old one are dead', async () => {
    const one = await person()
    const old = await asked('sign-in', one.email)
    const next = `next-${one.email}`
    const { request } = await requestEmailChange(ctx, one.id, { session: one.session, email: next })
    expect((await read(one.id))['email']).toBe(one.email)
    await changeEmail(ctx, one.id, { request, code: await mailed(), session: one.session, client })
    expect((await read(one.id))['email']).toBe(next)
    expect(await trail(one.id)).toContain('email_changed')
    await expect(signInWithCode(ctx, { ...old, client })).rejects.toMatchObject({ code: 'code_invalid' })
  })

  test('of somebody else is not told from a free one; its owner hears of it', async () => {
    const [one, other] = [await person(), await person()]
    const answer = await requestEmailChange(ctx, one.id, { session: one.session, email: other.email })
    expect(answer).toEqual({ request: expect.any(String), expiresInMs: 600_000, resendAfterMs: 30_000 })
    const [job] = await claim(ctx, { max: 9, leaseMs: 1_000 })
    expect(job?.job).toMatchObject({
      to: other.email,
      mail: { template: 'registered-already', username: other.username },
    })
  })

  test('that another has verified first is refused', async () => {
    const one = await person()
    const { request } = await requestEmailChange(ctx, one.id, { session: one.session, email: 'wanted@example.org' })
    const code = await mailed()
    await create(ctx, { username: 'faster', email: 'Wanted@example.org' })
    const late = changeEmail(ctx, one.id, { request, code, session: one.session, client })
    await expect(late).rejects.toMatchObject({ code: 'email_taken' })
    expect((await read(one.id))['email']).toBe(one.email)
    expect(await trail(one.id)).not.toContain('email_changed')
  })

  test('is not changed with the code of another person', async () => {
    const [one, other] = [await person(), await person()]
    const { request } = await requestEmailChange(ctx, one.id, { session: one.session, email: 'stolen@example.org' })
    const code = await mailed()
    const stolen = changeEmail(ctx, other.id, { request, code, session: other.session, client })
    await expect(stolen).rejects.toMatchObject({ code: 'code_invalid' })
  })

  test('is asked for and removed only with reauthentication', async () => {
    const one = await person()
    await stale(one.session)
    const needed = { code: 'reauthentication_required' }
    await expect(
      requestEmailChange(ctx, one.id, { session: one.session, email: 'x@example.org' }),
    ).rejects.toMatchObject(needed)
    await expect(removeEmail(ctx, one.id, { session: one.session, client })).rejects.toMatchObject(needed)
  })

  test('is removed, unless it is the last way in or a second factor', async () => {
    const one = await person()
    await ctx.pool.query('UPDATE users SET mail_factor = true WHERE id = $1', [one.id])
    const removing = () => removeEmail(ctx, one.id, { session: one.session, client })
    await expect(removing()).rejects.toMatchObject({ code: 'factor_conflict' })
    await ctx.pool.query('UPDATE users SET mail_factor = false WHERE id = $1', [one.id])
    await removing()
    expect((await read(one.id))['email']).toBeNull()
    await removing()
    expect((await trail(one.id)).filter(kind => kind === 'email_removed')).toHaveLength(1)
    const bare = await person({ password: undefined })
    await expect(removeEmail(ctx, bare.id, { session: bare.session, client })).rejects.toMatchObject({
      code: 'last_sign_in_method',
    })
  })
})

describe('the username', () => {
  test('is changed, found and told; the old one is kept for its owner', async () => {
    const one = await person()
    const told = () => chat.emitted.filter(({ event }) => event.event === 'user.changed')
    chat.emitted.length = 0
    const name = `Renamed.${one.username}`
    const user = await changeUsername(ctx, one.id, { username: name, session: one.session, client })
    expect(user).toMatchObject({ id: one.id, username: name, displayName: one.displayName })
    expect((await read(one.id))['search_text']).toContain('renamed')
    expect(told()).toMatchObject([{ to: [one.id], event: { user: { username: name } } }])
    const detail = await ctx.pool.query(
      "SELECT detail FROM security_events WHERE user_id = $1 AND kind = 'username_changed'",
      [one.id],
    )
    expect(detail.rows).toEqual([{ detail: { from: one.username, to: name } }])
    await expect(create(ctx, { username: one.username })).rejects.toMatchObject({ code: 'username_taken' })
    // The same again changes nothing; another spelling of one's own name is no conflict.
    await changeUsername(ctx, one.id, { username: name, session: one.session, client })
    await changeUsername(ctx, one.id, { username: name.toUpperCase(), session: one.session, client })
    expect(told()).toHaveLength(2)
  })

  test('that another has is refused, also when two want it at once', async () => {
    const [one, other] = [await person(), await person()]
    const take = (who: typeof one, username: string) =>
      changeUsername(ctx, who.id, { username, session: who.session, client })
    await expect(take(one, other.username.toUpperCase())).rejects.toMatchObject({ code: 'username_taken' })
    const both = await Promise.allSettled([take(one, 'contended'), take(other, 'Contended')])
    expect(both.map(change => change.status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(take(one, 'no name')).rejects.toMatchObject({ code: 'field_invalid' })
  })
})

test('an account whose first session cannot be written is not made, and its name is free', async () => {
  await ctx.pool.query(`
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no room''; END';
    CREATE TRIGGER fail BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION fail()`)
  const input = { username: 'halfway', client: laptop }
  try {
    await expect(registerWithSession(ctx, input)).rejects.toThrow('no room')
  } finally {
    await ctx.pool.query('DROP TRIGGER fail ON sessions; DROP FUNCTION fail')
  }
  expect(await registerWithSession(ctx, input)).toMatchObject({
    user: { username: 'halfway' },
    session: expect.any(String),
  })
})
