import { createHash, randomUUID } from 'node:crypto'
import { testDatabase } from '@flotilla/testing'
import {
  AuthenticatorEmulator,
  type AuthenticatorParameters,
  encodeBase64Url,
  packAttestationObject,
  packGetAssertionRequest,
  PasskeysCredentialsMemoryRepository,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  unpackAttestationObject,
  unpackGetAssertionResponse,
  WebAuthnEmulator,
} from 'nid-webauthn-emulator'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createFixture, type Fixture, openChat, password, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let people = 0

const origin = 'http://localhost:8080'

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  const many = { max: 10_000, windowMs: 60_000 }
  api = createFixture({ chat: store.chat, settings: { registrations: many, ceremonies: many, signIns: many } })
  call = api.call
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

interface Begun<O> {
  readonly challenge: string
  readonly options: O
}
type ToCreate = Begun<PublicKeyCredentialCreationOptionsJSON>
type ToUse = Begun<PublicKeyCredentialRequestOptionsJSON>

const begin = async <B>(route: string, options: Parameters<Fixture['call']>[1] = {}): Promise<B> => {
  const { status, body } = await call(route, options)
  expect(status).toBe(200)
  return body
}
const beginSignIn = () => begin<ToUse>('POST /v1/passkeys/options')
const beginAdd = ({ token }: Person) => begin<ToCreate>('POST /v1/me/passkeys/options', { token })
const signIn = (challenge: string, passkey: object) =>
  call('POST /v1/sessions/with-passkey', { body: { challenge, passkey, deviceName: 'desk' } })
const add = ({ token }: Person, challenge: string, passkey: object) =>
  call('POST /v1/me/passkeys', { token, body: { challenge, passkey, name: 'Phone' } })

/** Somebody with a passkey, and the authenticator that holds it. */
async function withPasskey(authenticator = authenticatorWith()) {
  const person = await api.register(`person${++people}`)
  const { challenge, options } = await beginAdd(person)
  const answer = await add(person, challenge, authenticator.createJSON(origin, options))
  expect(answer.status).toBe(201)
  return { person, authenticator, id: answer.body.id as string }
}

const refusedBy = (answer: { status: number; body: { error?: { code: string } } }) => answer.body.error?.code

describe('an account by passkey alone', () => {
  test('is made, signs in, and keeps its only way in', async () => {
    const authenticator = authenticatorWith()
    const { challenge, options } = await begin<ToCreate>('POST /v1/users/with-passkey/options', {
      body: { username: 'ada', displayName: 'Ada' },
    })
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Flotilla' },
      user: { name: 'ada', displayName: 'Ada' },
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    })
    const passkey = authenticator.createJSON(origin, options)
    const made = await call('POST /v1/users/with-passkey', { body: { challenge, passkey, deviceName: 'desk' } })
    expect(made.status).toBe(201)
    expect(made.body.user).toMatchObject({ username: 'ada', displayName: 'Ada' })
    expect(options.user.id).toBe(Buffer.from(made.body.user.id.replaceAll('-', ''), 'hex').toString('base64url'))

    const asked = await beginSignIn()
    const back = await signIn(asked.challenge, authenticator.getJSON(origin, asked.options))
    expect(back.status).toBe(201)
    expect(back.body.user).toEqual(made.body.user)
    const token = back.body.accessToken as string
    const last = await call(`DELETE /v1/me/passkeys/${passkey.id}`, { token })
    expect(refusedBy(last)).toBe('last_sign_in_method')
    const again = await call('POST /v1/users/with-passkey', { body: { challenge, passkey } })
    expect(refusedBy(again)).toBe('challenge_invalid')
  })

  test('takes a name that is free and good', async () => {
    await api.register('taken')
    const tried = (username: string) => call('POST /v1/users/with-passkey/options', { body: { username } })
    expect(refusedBy(await tried('Taken'))).toBe('username_taken')
    expect(refusedBy(await tried('no good'))).toBe('field_invalid')
  })
})

describe('one’s passkeys', () => {
  test('are added, listed, renamed, used and removed', async () => {
    const { person, authenticator, id } = await withPasskey()
    const { token } = person
    const listed = await call('GET /v1/me/passkeys', { token })
    expect(listed.body.passkeys).toEqual([
      { id, name: 'Phone', synced: true, createdAt: expect.any(Number), usedAt: null },
    ])
    const renamed = await call(`PATCH /v1/me/passkeys/${id}`, { token, body: { name: 'Desk' } })
    expect(renamed.body).toMatchObject({ id, name: 'Desk' })
    const asked = await beginSignIn()
    expect((await signIn(asked.challenge, authenticator.getJSON(origin, asked.options))).status).toBe(201)
    expect((await call(`DELETE /v1/me/passkeys/${id}`, { token })).status).toBe(204)
    const after = await beginSignIn()
    expect(refusedBy(await signIn(after.challenge, authenticator.getJSON(origin, after.options)))).toBe(
      'passkey_invalid',
    )
    expect(refusedBy(await call(`DELETE /v1/me/passkeys/${id}`, { token }))).toBe('passkey_unknown')
  })

  test('an id may be as long as they get', async () => {
    const { token } = await api.register('longwinded')
    const id = 'x'.repeat(1_364)
    expect(refusedBy(await call(`DELETE /v1/me/passkeys/${id}`, { token }))).toBe('passkey_unknown')
    expect(refusedBy(await call(`DELETE /v1/me/passkeys/${id}x`, { token }))).toBe('field_invalid')
  })

  test('an authenticator is not to hold two of one person', async () => {
    const { person, authenticator } = await withPasskey()
    const { options } = await beginAdd(person)
    expect(options.excludeCredentials).toHaveLength(1)
    expect(() => authenticator.createJSON(origin, options)).toThrow()
  })
})

describe('a passkey that is made', () => {
  const refusedMade = async (make: (options: PublicKeyCredentialCreationOptionsJSON) => object) => {
    const person = await api.register(`person${++people}`)
    const { challenge, options } = await beginAdd(person)
    expect(refusedBy(await add(person, challenge, make(options)))).toBe('passkey_invalid')
    expect((await call('GET /v1/me/passkeys', { token: person.token })).body.passkeys).toEqual([])
  }

  test('on a page of another origin is refused', () =>
    refusedMade(options => authenticatorWith().createJSON('http://localhost:9999', options)))

  test('for another domain is refused', () =>
    refusedMade(options =>
      authenticatorWith().createJSON('https://evil.example', {
        ...options,
        rp: { name: 'Evil', id: 'evil.example' },
      }),
    ))

  test('for another domain, with our origin on it, is refused', () =>
    refusedMade(options => {
      const passkey = authenticatorWith().createJSON('https://evil.example', {
        ...options,
        rp: { name: 'Evil', id: 'evil.example' },
      })
      return withClientData(passkey, { origin })
    }))

  test('for another challenge is refused', () =>
    refusedMade(options => authenticatorWith().createJSON(origin, { ...options, challenge: encodeBase64Url(nonce()) })))

  test('by an authenticator that did not check its owner is refused', () =>
    refusedMade(options => careless().createJSON(origin, relaxed(options))))

  test('within a page of somebody else is refused', () =>
    refusedMade(options => withClientData(authenticatorWith().createJSON(origin, options), { crossOrigin: true })))

  test('with an attestation, which nobody asked for, is refused before it is looked at', async () => {
    const logged = vi.spyOn(api.deps.logger, 'debug')
    onTestFinished(() => logged.mockRestore())
    await refusedMade(options => {
      const passkey = authenticatorWith().createJSON(origin, options)
      const attestation = unpackAttestationObject(bytesOf(passkey.response.attestationObject))
      const foreign = packAttestationObject({ ...attestation, fmt: 'apple' })
      return { ...passkey, response: { ...passkey.response, attestationObject: encodeBase64Url(foreign) } }
    })
    const message = 'unable to take the passkey: it comes with an attestation (apple)'
    expect(logged).toHaveBeenCalledWith({ err: expect.objectContaining({ message }) }, expect.any(String))
  })

  test.each([
    ['bytes that are no attestation', { attestationObject: 'AAAA' }],
    ['client data that is no JSON', { clientDataJSON: 'AAAA' }],
  ])('with %s is refused', (_name, change) =>
    refusedMade(options => {
      const passkey = authenticatorWith().createJSON(origin, options)
      return { ...passkey, response: { ...passkey.response, ...change } }
    }),
  )

  test('that another account has is refused', async () => {
    const { id } = await withPasskey()
    await refusedMade(options => claimed(id, options))
  })

  test('asks for reauthentication before, and for the person who began', async () => {
    const [person, other] = [await api.register(`person${++people}`), await api.register(`person${++people}`)]
    const { challenge, options } = await beginAdd(person)
    const passkey = authenticatorWith().createJSON(origin, options)
    expect(refusedBy(await add(other, challenge, passkey))).toBe('challenge_invalid')
    await age(person)
    expect(refusedBy(await call('POST /v1/me/passkeys/options', { token: person.token }))).toBe(
      'reauthentication_required',
    )
  })
})

test.each(['ES256', 'EdDSA', 'RS256'] as const)('a passkey with a key of %s signs in', async algorithm => {
  const { authenticator } = await withPasskey(authenticatorWith({ algorithmIdentifiers: [algorithm] }))
  const { challenge, options } = await beginSignIn()
  expect((await signIn(challenge, authenticator.getJSON(origin, options))).status).toBe(201)
})

describe('a passkey that is shown', () => {
  const refusedShown = async (
    make: (asked: PublicKeyCredentialRequestOptionsJSON, held: Awaited<ReturnType<typeof withPasskey>>) => object,
    code = 'passkey_invalid',
  ) => {
    const held = await withPasskey()
    const { challenge, options } = await beginSignIn()
    const answer = await signIn(challenge, make(options, held))
    expect([answer.status, refusedBy(answer)]).toEqual([401, code])
  }

  test('signs in where nobody has been named', async () => {
    const { person, authenticator } = await withPasskey()
    const { challenge, options } = await beginSignIn()
    expect(options).toEqual({
      rpId: 'localhost',
      challenge: expect.any(String),
      timeout: 300_000,
      userVerification: 'required',
    })
    const { status, body } = await signIn(challenge, authenticator.getJSON(origin, options))
    expect(status).toBe(201)
    expect(body.user.id).toBe(person.id)
  })

  test('as the one of this test is made, but as it should be, is taken', async () => {
    const { authenticator } = await withPasskey()
    const { challenge, options } = await beginSignIn()
    expect((await signIn(challenge, shownWith(authenticator, options))).status).toBe(201)
  })

  test('for making another passkey is refused', () =>
    refusedShown((options, { authenticator }) => shownWith(authenticator, options, { type: 'webauthn.create' })))

  test('on a page of another origin is refused', () =>
    refusedShown((options, { authenticator }) => authenticator.getJSON('http://localhost:9999', options)))

  test('for another domain is refused', () =>
    refusedShown((options, { person, id }) => {
      const evil = authenticatorWith()
      evil.createJSON('https://evil.example', {
        ...creationFor(person),
        rp: { name: 'Evil', id: 'evil.example' },
      })
      return { ...evil.getJSON('https://evil.example', { ...options, rpId: 'evil.example' }), id, rawId: id }
    }))

  test('for another challenge is refused', () =>
    refusedShown((options, { authenticator }) =>
      authenticator.getJSON(origin, { ...options, challenge: encodeBase64Url(nonce()) }),
    ))

  test('by an authenticator that did not check its owner is refused', () =>
    refusedShown((options, { authenticator }) => {
      turnCareless(authenticator)
      return authenticator.getJSON(origin, { ...options, userVerification: 'discouraged' })
    }))

  test('with a flag that was turned on afterwards is refused', () =>
    refusedShown((options, { authenticator }) => {
      turnCareless(authenticator)
      const shown = authenticator.getJSON(origin, { ...options, userVerification: 'discouraged' })
      const data = Buffer.from(shown.response.authenticatorData, 'base64url')
      data[32]! |= 4
      return { ...shown, response: { ...shown.response, authenticatorData: data.toString('base64url') } }
    }))

  test('within a page of somebody else is refused', () =>
    refusedShown((options, { authenticator }) => shownWith(authenticator, options, { crossOrigin: true })))

  test('in the name of somebody else is refused', () =>
    refusedShown((options, { authenticator }) => {
      const shown = authenticator.getJSON(origin, options)
      const userHandle = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
      return { ...shown, response: { ...shown.response, userHandle } }
    }))

  test('without saying whose it is, is refused', () =>
    refusedShown((options, { authenticator }) => {
      const shown = authenticator.getJSON(origin, options)
      return { ...shown, response: { ...shown.response, userHandle: null } }
    }))

  test('by a key of another account is refused', async () => {
    const other = await withPasskey()
    await refusedShown((options, { id }) => ({ ...other.authenticator.getJSON(origin, options), id, rawId: id }))
  })

  test('that is unknown here is refused', () =>
    refusedShown(options => {
      const stranger = authenticatorWith()
      stranger.createJSON(origin, creationFor({ id: randomUUID(), username: 'stranger' }))
      return stranger.getJSON(origin, options)
    }))

  test('twice, is refused the second time, also for a challenge that is new', async () => {
    const { authenticator } = await withPasskey()
    const { challenge, options } = await beginSignIn()
    const shown = authenticator.getJSON(origin, options)
    const both = await Promise.all([signIn(challenge, shown), signIn(challenge, shown)])
    expect(both.map(answer => answer.status).sort((a, b) => a - b)).toEqual([201, 401])
    expect(refusedBy(await signIn(challenge, shown))).toBe('challenge_invalid')
    expect(refusedBy(await signIn((await beginSignIn()).challenge, shown))).toBe('passkey_invalid')
  })

  test('with a counter that went back is refused: there is a copy of it', async () => {
    const { person, authenticator, id } = await withPasskey()
    const first = await beginSignIn()
    expect((await signIn(first.challenge, authenticator.getJSON(origin, first.options))).status).toBe(201)
    await store.chat.pool.query('UPDATE passkeys SET counter = 50 WHERE id = $1', [id])
    const second = await beginSignIn()
    expect(refusedBy(await signIn(second.challenge, authenticator.getJSON(origin, second.options)))).toBe(
      'passkey_invalid',
    )
    const seen = () =>
      store.chat.pool.query("SELECT FROM security_events WHERE user_id = $1 AND kind = 'sign_in_failed'", [person.id])
    await expect.poll(async () => (await seen()).rowCount).toBe(1)
  })

  test('that never counts may stay at 0', async () => {
    const { authenticator } = await withPasskey(authenticatorWith({ signCounterIncrement: 0 }))
    for (let turn = 0; turn < 2; turn++) {
      const { challenge, options } = await beginSignIn()
      expect((await signIn(challenge, authenticator.getJSON(origin, options))).status).toBe(201)
    }
  })

  test('for a ceremony of another kind is refused', async () => {
    const { person, authenticator } = await withPasskey()
    const asked = await begin<ToUse>('POST /v1/sessions/current/reauthentication/passkey', { token: person.token })
    const shown = authenticator.getJSON(origin, asked.options)
    expect(refusedBy(await signIn(asked.challenge, shown))).toBe('challenge_invalid')
  })
})

describe('a passkey reauthenticates', () => {
  const reauthenticate = ({ token }: Person, challenge: string, passkey: object) =>
    call('POST /v1/sessions/current/reauthentication', { token, body: { factor: 'passkey', challenge, passkey } })

  test('and then what asks for it is done', async () => {
    const { person, authenticator, id } = await withPasskey()
    await age(person)
    const removal = () => call(`DELETE /v1/me/passkeys/${id}`, { token: person.token })
    expect(refusedBy(await removal())).toBe('reauthentication_required')
    const asked = await begin<ToUse>('POST /v1/sessions/current/reauthentication/passkey', { token: person.token })
    expect(asked.options).toMatchObject({ userVerification: 'required', allowCredentials: [{ id }] })
    expect((await reauthenticate(person, asked.challenge, authenticator.getJSON(origin, asked.options))).status).toBe(
      204,
    )
    expect((await removal()).status).toBe(204)
  })

  test('but not without checking its owner', async () => {
    const { person, authenticator } = await withPasskey()
    turnCareless(authenticator)
    const asked = await begin<ToUse>('POST /v1/sessions/current/reauthentication/passkey', { token: person.token })
    const shown = authenticator.getJSON(origin, { ...asked.options, userVerification: 'discouraged' })
    expect(refusedBy(await reauthenticate(person, asked.challenge, shown))).toBe('passkey_invalid')
  })

  test('of somebody else does not', async () => {
    const [{ person }, other] = [await withPasskey(), await withPasskey()]
    const asked = await begin<ToUse>('POST /v1/sessions/current/reauthentication/passkey', { token: person.token })
    const { allowCredentials: _, ...anything } = asked.options
    const shown = other.authenticator.getJSON(origin, anything)
    expect(refusedBy(await reauthenticate(person, asked.challenge, shown))).toBe('passkey_invalid')
  })
})

describe('a passkey as the second factor', () => {
  test('finishes a sign-in by password, also when it only was there', async () => {
    const { person, authenticator, id } = await withPasskey()
    await store.chat.pool.query(
      "UPDATE users SET email = username || '@example.org', mail_factor = true WHERE id = $1",
      [person.id],
    )
    const first = await call('POST /v1/sessions', { body: { username: person.username, password } })
    expect(first.status).toBe(200)
    expect(first.body.secondFactor.factors).toEqual(['email_code', 'passkey'])
    const { challenge } = first.body.secondFactor
    const { options } = await begin<{ options: PublicKeyCredentialRequestOptionsJSON }>(
      'POST /v1/sessions/second-factor/passkey',
      { body: { challenge } },
    )
    expect(options).toMatchObject({ userVerification: 'preferred', allowCredentials: [{ id }] })
    const finish = (passkey: object) =>
      call('POST /v1/sessions/second-factor', { body: { challenge, factor: 'passkey', passkey } })
    const wrongOrigin = await finish(authenticator.getJSON('http://localhost:9999', options))
    expect(refusedBy(wrongOrigin)).toBe('second_factor_invalid')
    turnCareless(authenticator)
    const passkey = authenticator.getJSON(origin, { ...options, userVerification: 'discouraged' })
    const both = await Promise.all([finish(passkey), finish(passkey)])
    expect(both.map(answer => answer.status).sort((a, b) => a - b)).toEqual([201, 401])
    expect(both.find(answer => answer.status === 201)?.body.user.id).toBe(person.id)
    expect(refusedBy(await finish(passkey))).toBe('challenge_invalid')
  })
})

test.each([
  ['an id with other letters', { id: 'a b' }, 'passkey.id'],
  ['an id too long', { id: 'x'.repeat(1_365) }, 'passkey.id'],
  ['another type', { type: 'password' }, 'passkey.type'],
  ['no answer', { response: undefined }, 'passkey.response'],
  [
    'a signature too long',
    { response: { clientDataJSON: 'a', authenticatorData: 'a', signature: 'x'.repeat(1_401) } },
    'passkey.response.signature',
  ],
])('a passkey with %s is refused before it is looked at', async (_name, change, field) => {
  const response = { clientDataJSON: 'a', authenticatorData: 'a', signature: 'a' }
  const passkey = { id: 'a', rawId: 'a', type: 'public-key', response, ...change }
  const { body } = await signIn(randomUUID(), passkey)
  expect(body.error).toMatchObject({ code: 'field_invalid', field })
})

test('ceremonies are limited by address', async () => {
  const here = createFixture({ chat: store.chat, settings: { ceremonies: { max: 1, windowMs: 60_000 } } })
  const asked = (address: string) => here.call('POST /v1/passkeys/options', { address })
  expect((await asked('10.7.0.1')).status).toBe(200)
  expect(refusedBy(await asked('10.7.0.1'))).toBe('rate_limited')
  expect((await asked('10.7.0.2')).status).toBe(200)
  await here.app.close()
})

// ── authenticators that do not keep to the rules ─────────────────────────────────────────────────────────────────────

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))
const nonce = () => new Uint8Array(createHash('sha256').update(randomUUID()).digest())
type Habits = Partial<AuthenticatorParameters>

/** Each with a memory of its own: those of the emulator share one otherwise. */
function authenticatorWith(habits: Habits = {}): WebAuthnEmulator {
  const credentialsRepository = new PasskeysCredentialsMemoryRepository()
  return new WebAuthnEmulator(new AuthenticatorEmulator({ credentialsRepository, ...habits }))
}

const unverified = () => ({ options: { up: true, uv: false } })
const carelessHabits: Habits = { userMakeCredentialInteraction: unverified, userGetAssertionInteraction: unverified }
const careless = () => authenticatorWith(carelessHabits)
function turnCareless({ authenticator }: WebAuthnEmulator): void {
  authenticator.params = { ...authenticator.params, ...carelessHabits }
}

const relaxed = (options: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptionsJSON => ({
  ...options,
  authenticatorSelection: { residentKey: 'required', userVerification: 'discouraged' },
})

const age = ({ session }: Person) =>
  store.chat.pool.query("UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1", [session])

const creationFor = ({ id, username }: Pick<Person, 'id' | 'username'>): PublicKeyCredentialCreationOptionsJSON => ({
  rp: { id: 'localhost', name: 'Flotilla' },
  user: { id: Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'), name: username, displayName: username },
  challenge: encodeBase64Url(nonce()),
  pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
})

/** The client data as a page could forge it. */
function withClientData<P extends { response: { clientDataJSON: string } }>(passkey: P, change: object): P {
  const data = JSON.parse(Buffer.from(passkey.response.clientDataJSON, 'base64url').toString()) as object
  const clientDataJSON = Buffer.from(JSON.stringify({ ...data, ...change })).toString('base64url')
  return { ...passkey, response: { ...passkey.response, clientDataJSON } }
}

/** Rightly signed, with client data that the emulator would not make. */
function shownWith(
  { authenticator }: WebAuthnEmulator,
  { challenge, rpId = 'localhost' }: PublicKeyCredentialRequestOptionsJSON,
  change: object = {},
) {
  const clientData = Buffer.from(JSON.stringify({ type: 'webauthn.get', challenge, origin, ...change }))
  const clientDataHash = new Uint8Array(createHash('sha256').update(clientData).digest())
  const request = packGetAssertionRequest({ rpId, clientDataHash, options: { up: true, uv: true } })
  const { credential, authData, signature, user } = unpackGetAssertionResponse(authenticator.command(request))
  const text = (bytes: BufferSource | undefined) =>
    Buffer.from((bytes ?? new Uint8Array()) as Uint8Array).toString('base64url')
  const id = text(credential?.id)
  const response = {
    clientDataJSON: clientData.toString('base64url'),
    authenticatorData: text(authData),
    signature: text(signature),
    userHandle: text(user?.id),
  }
  return { id, rawId: id, type: 'public-key', response }
}

/** What claims to be a credential that lies elsewhere: without an attestation nothing but its id speaks against it. */
function claimed(id: string, options: PublicKeyCredentialCreationOptionsJSON) {
  const made = authenticatorWith().createJSON(origin, options)
  const attestation = unpackAttestationObject(bytesOf(made.response.attestationObject))
  const data = attestation.authData.attestedCredentialData
  if (data === undefined) throw new Error('the emulator made no credential')
  const attestedCredentialData = { ...data, credentialId: bytesOf(id) }
  const authData = { ...attestation.authData, attestedCredentialData }
  const attestationObject = encodeBase64Url(packAttestationObject({ ...attestation, authData }))
  return { ...made, id, rawId: id, response: { ...made.response, attestationObject } }
}

afterAll(() => {
  const mine = api.unanswered().filter(route => /passkey/.test(route))
  expect(mine).toEqual([])
})
