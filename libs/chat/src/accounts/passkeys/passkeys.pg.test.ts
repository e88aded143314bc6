import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { open } from '../sessions/open.ts'
import { beginPasskeyReauthentication } from '../sessions/reauthenticate.ts'
import { beginByPasskey, signInWithPasskey } from '../sessions/sign-in-with-passkey.ts'
import { create } from '../registration/create.ts'
import { add, beginAdd } from './add.ts'
import { list } from './list.ts'
import type { MadePasskey, ShownPasskey } from './passkey.ts'
import { beginRegister, register } from './register.ts'
import { remove } from './remove.ts'
import { rename } from './rename.ts'

let database: TestDatabase
let chat: TestChat
let ctx: ChatContext
let count = 0

const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const invalid = { code: 'passkey_invalid' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  ctx = chat.ctx
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

async function someone(passwordHash?: string) {
  const { id } = await create(ctx, { username: `person${++count}`, passwordHash })
  return { id, from: { session: (await open(ctx, id, client, 'password')).session, client } }
}
type Someone = Awaited<ReturnType<typeof someone>>

/** What would come out of a browser; the library that looks at it is tested where it is (apps/api). */
const made = (change: Partial<MadePasskey> = {}): MadePasskey => ({
  id: `key-${++count}`,
  publicKey: new Uint8Array([1, 2, 3]),
  counter: 0,
  transports: ['internal', 'hybrid'],
  synced: true,
  ...change,
})
const fresh = (passkey: MadePasskey | undefined) => ({ verify: async () => passkey })
const shown = (id: string, user: string | undefined, counter: number): ShownPasskey => ({
  id,
  user,
  verify: async () => ({ counter, synced: true }),
})

async function addOne({ id, from }: Someone, passkey: MadePasskey | undefined = made(), name = ' Phone ') {
  const { challenge } = await beginAdd(ctx, id, from)
  return add(ctx, id, { ...from, challenge, passkey: fresh(passkey), name })
}
const signIn = async (passkey: ShownPasskey) => {
  const { challenge } = await beginByPasskey(ctx)
  return signInWithPasskey(ctx, { challenge, passkey, client })
}
const trail = async (user: string) =>
  (
    await ctx.pool.query<{ kind: string; detail: object }>(
      'SELECT kind, detail FROM security_events WHERE user_id = $1 ORDER BY id',
      [user],
    )
  ).rows
const fulfilled = (all: readonly PromiseSettledResult<unknown>[]) =>
  all.filter(one => one.status === 'fulfilled').length
const reasons = (all: readonly PromiseSettledResult<unknown>[]) =>
  new Set(all.flatMap(one => (one.status === 'rejected' ? [(one.reason as { code?: string }).code] : [])))

describe('adding', () => {
  test('stores what signs in, and notes it', async () => {
    const person = await someone('x')
    const begun = await beginAdd(ctx, person.id, person.from)
    expect(begun).toMatchObject({ user: person.id, known: [], expiresInMs: 300_000 })
    expect(begun.nonce).toHaveLength(32)
    const passkey = await addOne(person)
    expect(passkey).toMatchObject({ name: 'Phone', synced: true, usedAt: null })
    expect((await beginAdd(ctx, person.id, person.from)).known).toEqual([
      { id: passkey.id, transports: ['internal', 'hybrid'] },
    ])
    expect(await signIn(shown(passkey.id, person.id, 0))).toMatchObject({ user: { id: person.id } })
    expect(await list(ctx, person.id)).toEqual([{ ...passkey, usedAt: expect.any(Number) }])
    const last = (await trail(person.id)).slice(-2)
    expect(last).toEqual([
      { kind: 'passkey_added', detail: { name: 'Phone' } },
      { kind: 'signed_in', detail: { by: 'passkey' } },
    ])
  })

  test('asks for reauthentication', async () => {
    const person = await someone('x')
    await ctx.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [
      person.from.session,
    ])
    await expect(beginAdd(ctx, person.id, person.from)).rejects.toMatchObject({ code: 'reauthentication_required' })
  })

  test('the challenge is good once, for its person and its ceremony', async () => {
    const [person, other] = [await someone('x'), await someone('x')]
    const finish = (user: Someone, challenge: string) =>
      add(ctx, user.id, { ...user.from, challenge, passkey: fresh(made()), name: 'key' })
    const { challenge } = await beginAdd(ctx, person.id, person.from)
    await expect(finish(other, challenge)).rejects.toMatchObject({ code: 'challenge_invalid' })
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => finish(person, challenge)))
    expect(fulfilled(all)).toBe(1)
    expect(reasons(all)).toEqual(new Set(['challenge_invalid']))
    const proving = await beginPasskeyReauthentication(ctx, person.id)
    await expect(finish(person, proving.challenge)).rejects.toMatchObject({ code: 'challenge_invalid' })
    const signingIn = await beginByPasskey(ctx)
    const registered = register(ctx, { challenge: signingIn.challenge, passkey: fresh(made()), client })
    await expect(registered).rejects.toMatchObject({ code: 'challenge_invalid' })
    const late = await beginAdd(ctx, person.id, person.from)
    await ctx.pool.query("UPDATE challenges SET expires_at = expires_at - interval '5 minutes' WHERE id = $1", [
      late.challenge,
    ])
    await expect(finish(person, late.challenge)).rejects.toMatchObject({ code: 'challenge_invalid' })
  })

  test('what does not verify, or is somebody’s already, is refused', async () => {
    const [person, other] = [await someone('x'), await someone('x')]
    const { challenge } = await beginAdd(ctx, person.id, person.from)
    const unverified = add(ctx, person.id, { ...person.from, challenge, passkey: fresh(undefined), name: 'key' })
    await expect(unverified).rejects.toMatchObject(invalid)
    const { id } = await addOne(other)
    await expect(addOne(person, made({ id }))).rejects.toMatchObject(invalid)
    expect(await list(ctx, person.id)).toEqual([])
  })

  test('there are twenty at most, also when several are added at once', async () => {
    const person = await someone('x')
    for (let number = 0; number < 18; number++) await addOne(person)
    const begun = await Promise.all(Array.from({ length: 5 }, () => beginAdd(ctx, person.id, person.from)))
    const all = await Promise.allSettled(
      begun.map(({ challenge }) =>
        add(ctx, person.id, { ...person.from, challenge, passkey: fresh(made()), name: 'key' }),
      ),
    )
    expect(fulfilled(all)).toBe(2)
    expect(reasons(all)).toEqual(new Set(['limit_reached']))
    expect(await list(ctx, person.id)).toHaveLength(20)
    await expect(beginAdd(ctx, person.id, person.from)).rejects.toMatchObject({ code: 'limit_reached' })
  })
})

describe('signing in', () => {
  test('the counter only rises, also for two at once; one that stays at 0 may', async () => {
    const person = await someone('x')
    const { id } = await addOne(person, made({ counter: 5 }))
    for (const counter of [5, 4, 0]) await expect(signIn(shown(id, person.id, counter))).rejects.toMatchObject(invalid)
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => signIn(shown(id, person.id, 6))))
    expect(fulfilled(all)).toBe(1)
    expect(reasons(all)).toEqual(new Set(['passkey_invalid']))
    const silent = await addOne(person, made({ counter: 0 }))
    for (const counter of [0, 0]) await signIn(shown(silent.id, person.id, counter))
  })

  test('the authenticator must say whose the passkey is, and say it right', async () => {
    const [person, other] = [await someone('x'), await someone('x')]
    const { id } = await addOne(person)
    for (const user of [undefined, other.id]) await expect(signIn(shown(id, user, 1))).rejects.toMatchObject(invalid)
    await expect(signIn(shown('unknown', person.id, 1))).rejects.toMatchObject(invalid)
  })

  test('a challenge is good once, also after a failure', async () => {
    const person = await someone('x')
    const { id } = await addOne(person)
    const { challenge } = await beginByPasskey(ctx)
    const failed = signInWithPasskey(ctx, { challenge, passkey: shown(id, undefined, 1), client })
    await expect(failed).rejects.toMatchObject(invalid)
    const again = signInWithPasskey(ctx, { challenge, passkey: shown(id, person.id, 1), client })
    await expect(again).rejects.toMatchObject({ code: 'challenge_invalid' })
    await expect.poll(async () => (await trail(person.id)).at(-1)).toMatchObject({ kind: 'sign_in_failed' })
  })
})

describe('registering', () => {
  const wish = (username: string) => beginRegister(ctx, { username, displayName: ' Ada ' })

  test('makes the person and the passkey together', async () => {
    const begun = await wish('ada')
    expect(begun).toMatchObject({ username: 'ada', displayName: 'Ada' })
    const passkey = made()
    const signedIn = await register(ctx, { challenge: begun.challenge, passkey: fresh(passkey), client })
    expect(signedIn).toMatchObject({ user: { id: begun.user, username: 'ada', displayName: 'Ada' } })
    expect(await list(ctx, begun.user)).toMatchObject([{ id: passkey.id }])
    expect((await trail(begun.user)).map(row => row.kind)).toEqual(['registered', 'passkey_added'])
  })

  test('of two who want one name at once one gets it, and nothing is left of the other', async () => {
    const begun = [await wish('grace'), await wish('GRACE')]
    const all = await Promise.allSettled(
      begun.map(({ challenge }) => register(ctx, { challenge, passkey: fresh(made()), client })),
    )
    expect(fulfilled(all)).toBe(1)
    expect(reasons(all)).toEqual(new Set(['username_taken']))
    const left = await ctx.pool.query('SELECT FROM users WHERE id = ANY($1)', [begun.map(one => one.user)])
    expect(left.rowCount).toBe(1)
    await expect(wish('grace')).rejects.toMatchObject({ code: 'username_taken' })
  })

  test('without a passkey that verifies and is new there is no person', async () => {
    const { id } = await addOne(await someone('x'))
    for (const passkey of [undefined, made({ id })]) {
      const begun = await wish('nobody')
      const refused = register(ctx, { challenge: begun.challenge, passkey: fresh(passkey), client })
      await expect(refused).rejects.toMatchObject(invalid)
      expect((await ctx.pool.query('SELECT FROM users WHERE id = $1', [begun.user])).rowCount).toBe(0)
    }
  })
})

describe('the list of one’s own', () => {
  test('a passkey is renamed by its owner alone', async () => {
    const [person, other] = [await someone('x'), await someone('x')]
    const passkey = await addOne(person)
    expect(await rename(ctx, person.id, { passkey: passkey.id, name: ' Desk ' })).toEqual({ ...passkey, name: 'Desk' })
    for (const [by, id] of [
      [other.id, passkey.id],
      [person.id, 'unknown'],
    ] as const)
      await expect(rename(ctx, by, { passkey: id, name: 'mine' })).rejects.toMatchObject({ code: 'passkey_unknown' })
    expect(await list(ctx, person.id)).toMatchObject([{ name: 'Desk' }])
    const nameless = rename(ctx, person.id, { passkey: passkey.id, name: ' ' })
    await expect(nameless).rejects.toMatchObject({ code: 'field_invalid' })
  })

  test('a passkey is removed by its owner alone, with reauthentication', async () => {
    const [person, other] = [await someone('x'), await someone('x')]
    const { id: passkey } = await addOne(person)
    await expect(remove(ctx, other.id, { ...other.from, passkey })).rejects.toMatchObject({ code: 'passkey_unknown' })
    const { session } = await open(ctx, person.id, client, 'password')
    await ctx.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])
    await expect(remove(ctx, person.id, { session, client, passkey })).rejects.toMatchObject({
      code: 'reauthentication_required',
    })
    await remove(ctx, person.id, { ...person.from, passkey })
    await expect(signIn(shown(passkey, person.id, 1))).rejects.toMatchObject(invalid)
    expect((await trail(person.id)).map(row => row.kind)).toContain('passkey_removed')
  })

  test('the last way in stays, also when both are removed at once', async () => {
    const person = await someone()
    const keys = [await addOne(person), await addOne(person)]
    const all = await Promise.allSettled(keys.map(({ id }) => remove(ctx, person.id, { ...person.from, passkey: id })))
    expect(fulfilled(all)).toBe(1)
    expect(reasons(all)).toEqual(new Set(['last_sign_in_method']))
    expect(await list(ctx, person.id)).toHaveLength(1)
  })
})
