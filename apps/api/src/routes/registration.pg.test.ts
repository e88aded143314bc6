/** Whom the deployment takes, invitations, and what registering asks for, over HTTP. */
import { createServer } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import type { ChatContext } from '@flotilla/chat'
import { testDatabase } from '@flotilla/testing'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { apiDefaults } from '../config.ts'
import { createFixture, type Fixture, openChat, protect, type TestChat } from '../api.testbed.ts'
import { zeroBits } from '../sign-in/registration-check.ts'
import type { RegistrationCheckSettings } from '../sign-in/registration-settings.ts'

let store: TestChat
let open: Fixture
let nth = 0

const many = { max: 1_000, windowMs: 60_000 }

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  open = createFixture({ chat: store.chat, settings: { registrations: many, signIns: many } })
  return async () => {
    await open.app.close()
    await store.close()
    await database.drop()
  }
})

function another(settings: NonNullable<Parameters<typeof createFixture>[0]>['settings'], chat: object = {}): Fixture {
  const made = createFixture({
    chat: { ...store.chat, settings: { ...store.chat.settings, ...chat } } as ChatContext,
    keys: open.deps.keys,
    settings: { registrations: many, ...settings },
  })
  onTestFinished(() => made.app.close())
  return made
}
const asking = (check: Partial<RegistrationCheckSettings>) =>
  another({ registrationCheck: { ...apiDefaults.registrationCheck, ...check } })
const register = async (api: Fixture, body: object = {}) =>
  (await api.call('POST /v1/users', { body: { username: `somebody-${++nth}x`, ...body } })).body.error?.code ?? 'ok'

describe('invitations', () => {
  test('are made, listed and revoked by people where they may, and let one in', async () => {
    const api = another({}, { registration: 'invitation', invitationsFrom: 'people' })
    const { token } = await open.register('inviter')
    expect((await api.call('GET /v1/registration')).body).toEqual({ mode: 'invitation', check: 'none' })
    const { status, body } = await api.call('POST /v1/invitations', { token, body: { uses: 2 } })
    expect([status, body.uses, body.used]).toEqual([201, 2, 0])
    const list = async () => (await api.call('GET /v1/invitations', { token })).body.invitations
    expect(await register(api)).toBe('registration_closed')
    expect(await register(api, { invitation: 'none' })).toBe('invitation_invalid')
    expect(await register(api, { invitation: body.code })).toBe('ok')
    expect(await list()).toMatchObject([{ id: body.id, used: 1 }])
    expect(JSON.stringify(await list())).not.toContain(body.code)
    const passkey = { username: `somebody-${++nth}x`, invitation: body.code }
    expect((await api.call('POST /v1/users/with-passkey/options', { body: passkey })).status).toBe(200)
    expect((await api.call(`DELETE /v1/invitations/${body.id}`, { token })).status).toBe(204)
    expect(await register(api, { invitation: body.code })).toBe('invitation_invalid')
    const late = await api.call('POST /v1/users/with-passkey/options', { body: passkey })
    expect(late.body.error.code).toBe('invitation_invalid')
  })

  test('of operators are good for many, and operators see and revoke everybody’s', async () => {
    const operator = await open.register('inviting-operator')
    await protect(store.chat, operator)
    const api = another({ operators: [operator.id] }, { registration: 'invitation' })
    const { token } = operator
    const made = await api.call('POST /v1/operator/invitations', { token, body: { uses: 500, expiresInMs: 60_000 } })
    expect(made.body).toMatchObject({ uses: 500, byOperator: true })
    expect(await register(api, { invitation: made.body.code })).toBe('ok')
    const listed = await api.call('GET /v1/operator/invitations?limit=1', { token })
    expect(listed.body.invitations).toMatchObject([{ id: made.body.id, user: operator.id, used: 1 }])
    expect((await api.call(`DELETE /v1/operator/invitations/${made.body.id}`, { token })).status).toBe(204)
    expect(await register(api, { invitation: made.body.code })).toBe('invitation_invalid')
  })

  test('where nobody is taken, not even a code is sent', async () => {
    const api = another({}, { registration: 'closed' })
    for (const email of ['somebody@example.org', 'inviter@example.org']) {
      const asked = await api.call('POST /v1/codes', { body: { email, purpose: 'register' } })
      expect(asked.body.error.code).toBe('registration_closed')
    }
    expect(await register(api)).toBe('registration_closed')
  })
})

describe('the proof of work', () => {
  const workFor = async (api: Fixture) => {
    const { status, body } = await api.call('POST /v1/registration/work')
    expect(status).toBe(201)
    for (let solution = 0; ; solution++)
      if (zeroBits(`${body.challenge}.${solution}`) >= body.bits)
        return { challenge: body.challenge, solution: `${solution}` }
  }

  test('is asked for before anything else is done, and is good once', async () => {
    const api = asking({ kind: 'work', workBits: 8 })
    expect((await api.call('GET /v1/registration')).body).toEqual({ mode: 'open', check: 'work' })
    const refused = await api.call('POST /v1/users', { body: { username: 'lazy' } })
    expect([refused.status, refused.body.error]).toMatchObject([403, { code: 'check_required', rule: 'work' }])
    const passkey = await api.call('POST /v1/users/with-passkey/options', { body: { username: 'lazy' } })
    expect(passkey.body.error.code).toBe('check_required')
    const check = await workFor(api)
    expect(await register(api, { check: { ...check, solution: 'wrong' } })).toBe('check_required')
    expect(await register(api, { check: { captcha: 'token' } })).toBe('check_required')
    const [, bits] = check.challenge.split('.')
    const easier = check.challenge.replace(`.${bits}.`, '.1.')
    expect(await register(api, { check: { challenge: easier, solution: '0' } })).toBe('check_required')
    const both = await Promise.all([register(api, { check }), register(api, { check })])
    expect(both.sort()).toEqual(['check_required', 'ok'])
    expect(await register(api, { check: await workFor(api) })).toBe('ok')
  })

  test('is too old after its time', async () => {
    const api = asking({ kind: 'work', workBits: 1, workLifeMs: 1 })
    const check = await workFor(api)
    await expect.poll(() => register(api, { check })).toBe('check_required')
    const { challenge } = check
    expect(Number(challenge.split('.')[0])).toBeLessThan(store.chat.clock() + 1_000)
  })

  test('counts the zero bits', () => {
    let most = 0
    for (let at = 0; at < 500; at++) most = Math.max(most, zeroBits(`x.${at}`))
    expect(most).toBeGreaterThan(4)
    expect(most).toBeLessThan(30)
  })
})

describe('a captcha', () => {
  async function verifier(answer: (form: URLSearchParams) => [number, string]) {
    const server = createServer((request, response) => {
      void readText(request).then(given => {
        const [status, body] = answer(new URLSearchParams(given))
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/siteverify`
    return asking({ kind: 'captcha', captcha: { url, secret: 'hush', siteKey: 'site' }, captchaMsMax: 2_000 })
  }

  test('is verified where the settings say, and is good once', async () => {
    const asked: string[] = []
    const api = await verifier(form => {
      asked.push(form.toString())
      return [200, JSON.stringify({ success: form.get('secret') === 'hush' && form.get('response') !== 'bad' })]
    })
    expect((await api.call('GET /v1/registration')).body).toMatchObject({ check: 'captcha', captchaSiteKey: 'site' })
    expect(await register(api)).toBe('check_required')
    expect(asked).toEqual([])
    expect(await register(api, { check: { captcha: 'bad' } })).toBe('check_required')
    expect(await register(api, { check: { captcha: 'good' } })).toBe('ok')
    expect(await register(api, { check: { captcha: 'good' } })).toBe('check_required')
    expect(asked[1]).toBe('secret=hush&response=good')
  })

  test.each<[string, [number, string]]>([
    ['fails', [503, '']],
    ['says what cannot be read', [200, 'yes']],
  ])('whose server %s lets nobody in, and is not the caller’s fault', async (_what, answer) => {
    const api = await verifier(() => answer)
    expect(await register(api, { check: { captcha: 'good' } })).toBe('unavailable')
  })
})
