import type { RegistrationMode } from '@flotilla/protocol'
import { openTestChat, type TestChat, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChatContext } from '../../context.ts'
import { addPerson } from '../identities/new-person.ts'
import { list, make, revoke } from '../invitations/index.ts'
import { claim } from '../../store/jobs/claim.ts'
import { ask } from '../codes/ask.ts'
import { beginRegister, register as registerWithPasskey } from '../passkeys/register.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import { transaction } from '../../store/transaction.ts'
import { create } from './create.ts'
import { registerUser as register } from './register.testbed.ts'

let database: TestDatabase
let chat: TestChat
let host: string
let nth = 0

const client = { deviceName: 'laptop', address: '192.0.2.1', country: 'NL', agent: 'Firefox' }
const closed = { code: 'registration_closed' }
const invalid = { code: 'invitation_invalid' }

beforeAll(async () => {
  database = await testDatabase()
  chat = await openTestChat(database.url)
  host = (await create(chat.ctx, { username: 'host' })).id
})
afterAll(async () => {
  await chat.close()
  await database.drop()
})

const inMode = (registration: RegistrationMode): ChatContext => ({
  ...chat.ctx,
  settings: {
    ...chat.ctx.settings,
    registration,
    registrationDomains: ['example.org', 'xn--bcher-kva.example'],
    invitationsFrom: 'people',
    invitationsMax: 3,
  },
})

const invite = (uses = 1) => make(chat.ctx, host, { uses, operator: true })
const count = async () => (await chat.ctx.pool.query('SELECT FROM users')).rowCount

async function verified(email: string) {
  await chat.ctx.pool.query('DELETE FROM jobs')
  const { request } = await ask(chat.ctx, { purpose: 'register', email })
  const [job] = await claim(chat.ctx, { max: 1, leaseMs: 1_000 })
  if (job?.job.kind !== 'mail' || job.job.mail.template !== 'code') throw new Error('no code was sent')
  return { request, code: job.job.mail.code }
}

/** Every way that makes a person. */
const ways = {
  'a name alone': (ctx: ChatContext, invitation?: string) => register(ctx, { username: `name-${++nth}x`, invitation }),
  'a password': (ctx: ChatContext, invitation?: string) =>
    register(ctx, { username: `pass-${++nth}x`, password: 'correct horse battery', invitation }),
  'an address elsewhere': async (ctx: ChatContext, invitation?: string) =>
    register(ctx, { email: await verified(`code-${++nth}x@sub.example.org`), invitation }),
  'a passkey': async (ctx: ChatContext, invitation?: string) => {
    const begun = await beginRegister(ctx, { username: `key-${++nth}x`, invitation })
    const made = { id: `key-${nth}`, publicKey: new Uint8Array(1), counter: 0, transports: [], synced: false }
    return registerWithPasskey(ctx, {
      challenge: begun.challenge,
      passkey: { verify: async () => made } as never,
      client,
    })
  },
  'a provider': (ctx: ChatContext, invitation?: string) =>
    transaction(ctx, tx =>
      addPerson(ctx, tx, {
        profile: { issuer: 'https://id.example', subject: `${++nth}`, name: '', username: `newcomer${nth}x` },
        invitation: invitation === undefined ? undefined : paperCodeHash(invitation),
        client,
        attempt: 0,
      }),
    ),
}

describe.each(Object.entries(ways))('by %s', (_name, way) => {
  test('everybody comes in where it is open, and nobody where it is closed', async () => {
    await way(inMode('open'))
    const before = await count()
    const { code } = await invite()
    await expect(way(inMode('closed'))).rejects.toMatchObject(closed)
    await expect(way(inMode('closed'), code)).rejects.toMatchObject(closed)
    expect(await count()).toBe(before)
  })

  test.each(['invitation', 'domain'] as const)('only the invited do in the mode %s', async mode => {
    const { code } = await invite()
    await expect(way(inMode(mode))).rejects.toMatchObject(closed)
    await expect(way(inMode(mode), 'aaaa-bbbb-cccc-dddd')).rejects.toMatchObject(invalid)
    const before = await count()
    await way(inMode(mode), ` ${code.toUpperCase()} `)
    await expect(way(inMode(mode), code)).rejects.toMatchObject(invalid)
    expect(await count()).toBe(before! + 1)
  })
})

test('whoever verifies an address of a domain comes in, by a code or by a provider', async () => {
  const ctx = inMode('domain')
  await register(ctx, { email: await verified('Ada@EXAMPLE.org') })
  await register(ctx, { email: await verified('ada@Bücher.example') })
  await expect(register(ctx, { email: await verified('ada@notexample.org') })).rejects.toMatchObject({
    ...closed,
    detail: { rule: expect.stringContaining('example.org') },
  })
  const profile = { issuer: 'https://id.example', subject: 'domain', name: '', username: 'domainnewcomer' }
  const from = (email: string) =>
    transaction(ctx, tx => addPerson(ctx, tx, { profile: { ...profile, email }, client, attempt: 0 }))
  await expect(from('eve@example.com')).rejects.toMatchObject(closed)
  await from('eve@example.org')
})

describe('an invitation', () => {
  test('is counted, and good for as many as it says, also when they come at once', async () => {
    const ctx = inMode('invitation')
    const { id, code } = await invite(3)
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, (_, at) => register(ctx, { username: `rush-${at}x`, invitation: code })),
    )
    expect(tries.filter(one => one.status === 'fulfilled')).toHaveLength(3)
    const { invitations } = await list(ctx, host, { limit: 100 })
    expect(invitations.find(one => one.id === id)).toMatchObject({ uses: 3, used: 3, byOperator: true })
    const noted = await ctx.pool.query(
      `SELECT FROM security_events WHERE kind = 'registered' AND detail->>'invitation' = $1`,
      [id],
    )
    expect(noted.rowCount).toBe(3)
  })

  test('is not used up by whoever does not get in', async () => {
    const ctx = inMode('invitation')
    const { code } = await invite()
    await expect(register(ctx, { username: 'host', invitation: code })).rejects.toMatchObject({
      code: 'username_taken',
    })
    await register(ctx, { username: 'second-try', invitation: code })
  })

  test('ends when it is revoked, by its owner or an operator, and with its time', async () => {
    const ctx = inMode('invitation')
    const stranger = (await create(chat.ctx, { username: 'stranger' })).id
    for (const by of [host, undefined]) {
      const { id, code } = await invite()
      await expect(revoke(ctx, stranger, id)).rejects.toMatchObject({ code: 'invitation_unknown' })
      await revoke(ctx, by, id)
      await expect(register(ctx, { username: `late-${++nth}x`, invitation: code })).rejects.toMatchObject(invalid)
    }
    const { id, code } = await invite()
    await ctx.pool.query('UPDATE invitations SET expires_at = now() WHERE id = $1', [id])
    await expect(register(ctx, { username: `late-${++nth}x`, invitation: code })).rejects.toMatchObject(invalid)
  })

  test('is made by people where the deployment lets them, and no more than they may have', async () => {
    const ctx = inMode('invitation')
    const guest = (await create(chat.ctx, { username: 'guest' })).id
    await expect(make(chat.ctx, guest, { operator: false })).rejects.toMatchObject({ code: 'operators_only' })
    await expect(make(ctx, guest, { uses: 11, operator: false })).rejects.toMatchObject({ code: 'field_invalid' })
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => make(ctx, guest, { operator: false })))
    expect(made.filter(one => one.status === 'fulfilled')).toHaveLength(3)
    expect(made.filter(one => one.status === 'rejected').map(one => one.reason.code)).toEqual([
      'limit_reached',
      'limit_reached',
    ])
    expect((await list(ctx, guest, { limit: 2 })).invitations).toHaveLength(2)
  })
})
