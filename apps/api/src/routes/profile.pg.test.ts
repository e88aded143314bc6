import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { jobs, users } from '@flotilla/chat'
import { limits, Refusal } from '@flotilla/protocol'
import { testDatabase, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture, openChat, type Person, type TestChat } from '../api.testbed.ts'

let store: TestChat
let api: Fixture
let call: Fixture['call']
let ann: Person
let bob: Person

beforeAll(async () => {
  const database = await testDatabase()
  store = await openChat(database.url)
  api = createFixture({ chat: store.chat, settings: { requestsMax: 10_000 } })
  call = api.call
  ;[ann, bob] = (await Promise.all(['ann', 'bob'].map(api.register))) as [Person, Person]
  return async () => {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})

afterAll(() => {
  // messages.pg.test.ts has those of groups.
  const mine = /(?<!:id\/)avatar|\/uploads|\/people|\/me$|\/me\/settings|GET \/v1\/users/
  expect(api.unanswered().filter(route => mine.test(route))).toEqual([])
})

/** A PNG of 3 by 2 pixels. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEElEQVQImWNgZGKGIAY4CwABcAAlIZH3cgAAAABJRU5ErkJggg==',
  'base64',
)

const send = (request: string, token: string | undefined, raw: Buffer, type = 'image/png', here = api) =>
  here.call(request, { token, raw, headers: { 'content-type': type } })

/** For another fixture, which does not clear it away. */
const shared = () => ({ ...api.deps.storage, close() {} })

/** What a browser gets for an <img>. */
const show = (avatar: string, size: number | string = 64) =>
  api.app.inject({ method: 'GET', url: `/v1/avatars/${avatar}/${size}` })

const deletedFiles = async () =>
  (await jobs.claim(store.chat, { max: 100, leaseMs: 60_000 })).flatMap(({ job }) =>
    job.kind === 'delete-files' ? job.keys : [],
  )

describe('a profile', () => {
  test('is read and changed by its owner, in part', async () => {
    const { token } = ann
    const me = await call('GET /v1/me', { token })
    expect(me.body).toEqual({
      id: ann.id,
      username: 'ann',
      displayName: 'ann',
      avatar: null,
      about: '',
      email: null,
      hasPassword: true,
      createdAt: expect.any(Number),
    })
    expect((await call('PATCH /v1/me', { token, body: { displayName: 'Ann', about: 'Tea.' } })).status).toBe(200)
    expect((await call('PATCH /v1/me', { token, body: { displayName: 'Änne' } })).body).toMatchObject({
      displayName: 'Änne',
      about: 'Tea.',
    })
    expect(store.emitted.at(-1)).toMatchObject({ to: [ann.id], event: { event: 'user.changed' } })
  })

  test('shows others no address', async () => {
    const { body } = await call(`GET /v1/users/${ann.id}`, { token: bob.token })
    expect(Object.keys(body).sort()).toEqual(['about', 'avatar', 'blocked', 'contact', 'displayName', 'id', 'username'])
  })

  test.each([
    [{ displayName: '' }, 'displayName'],
    [{ displayName: ' \t ' }, 'displayName'],
    [{ about: 'x'.repeat(limits.aboutLengthMax + 1) }, 'about'],
    [{ about: 'a\u0000' }, 'about'],
    [{ username: 'other' }, 'username'],
    [{ email: 'a@example.com' }, 'email'],
  ])('with %j is refused', async (body, field) => {
    const answer = await call('PATCH /v1/me', { token: ann.token, body })
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'field_invalid', field } } })
  })

  test('has settings, which are changed in part', async () => {
    const { token } = bob
    const quietHours = { from: '23:30', until: '06:00', zone: 'America/New_York' }
    const changed = await call('PATCH /v1/me/settings', { token, body: { quietHours, lastSeenVisibility: 'nobody' } })
    expect(changed).toMatchObject({ status: 200, body: { quietHours, lastSeenVisibility: 'nobody', directFrom: null } })
    expect((await call('GET /v1/me/settings', { token })).body).toEqual(changed.body)
    for (const wrong of [
      { lastSeenVisibility: 'friends' },
      { quietHours: { from: '22:00' } },
      { quietHours: { ...quietHours, zone: 'Nowhere' } },
      { pushNames: 'yes' },
      { unknown: 1 },
    ])
      expect((await call('PATCH /v1/me/settings', { token, body: wrong })).body.error.code).toBe('field_invalid')
    expect((await call('GET /v1/me/settings', { token })).body).toEqual(changed.body)
  })
})

describe('a search', () => {
  test('finds people by their names', async () => {
    expect((await call('GET /v1/users?username=BOB', { token: ann.token })).body).toMatchObject({ id: bob.id })
    await call('PATCH /v1/me', { token: bob.token, body: { displayName: 'Róbert Ünal' } })
    const found = await call('GET /v1/people?q=UNAL', { token: ann.token })
    expect(found.body.users).toEqual([{ id: bob.id, username: 'bob', displayName: 'Róbert Ünal', avatar: null }])
    expect((await call('GET /v1/people?q=unal', { token: bob.token })).body.users).toEqual([])
    for (const single of ['森', 'a'])
      expect((await call(`GET /v1/people?q=${encodeURIComponent(single)}`, { token: ann.token })).status).toBe(200)
    for (const query of ['', '?q=', '?q=a%00b', `?q=${'x'.repeat(101)}`, '?q=ab&limit=99'])
      expect((await call(`GET /v1/people${query}`, { token: ann.token })).body.error.code).toBe('field_invalid')
  })

  test('is limited for each person', async () => {
    const here = createFixture({ chat: store.chat, settings: { searches: { max: 2, windowMs: 60_000 } } })
    const searching = ({ token }: Person) => here.call('GET /v1/people?q=nobody', { token })
    const again = async (name: string) => {
      const { body } = await here.call('POST /v1/sessions', {
        body: { username: name, password: 'correct horse battery staple' },
      })
      return { token: body.accessToken } as Person
    }
    const [first, second] = [await again('ann'), await again('bob')]
    expect([(await searching(first)).status, (await searching(first)).status]).toEqual([200, 200])
    expect(await searching(first)).toMatchObject({ status: 429, headers: { 'retry-after': expect.any(String) } })
    expect((await searching(second)).status).toBe(200)
    await here.app.close()
  })
})

describe('a picture', () => {
  test('is sent, shown to anybody who has its id and kept by caches for ever', async () => {
    const set = await send('PUT /v1/me/avatar', ann.token, picture)
    expect(set).toMatchObject({ status: 200, body: { id: ann.id, avatar: expect.any(String) } })
    const { avatar } = set.body
    for (const size of [64, 256, 640]) {
      const shown = await show(avatar, size)
      expect(shown.statusCode).toBe(200)
      expect(shown.rawPayload.subarray(8, 12).toString()).toBe('WEBP')
      expect(shown.headers).toMatchObject({
        'content-type': 'image/webp',
        'content-length': String(shown.rawPayload.length),
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; sandbox",
      })
    }
    expect((await call(`GET /v1/users/${ann.id}`, { token: bob.token })).body.avatar).toBe(avatar)
    expect(store.emitted.at(-1)?.event).toMatchObject({ event: 'user.changed', user: { avatar } })
  })

  test('of another size or id is not there, and the answer that says so is not kept', async () => {
    const { avatar } = (await call('GET /v1/me', { token: ann.token })).body
    const unknown = await call(`GET /v1/avatars/${randomUUID()}/64`)
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'file_unknown' } } })
    expect(unknown.headers['cache-control']).toBe('no-store')
    for (const [id, size] of [
      [avatar, '65'],
      [avatar, '64.webp'],
      ['..%2f..%2fuploads', '64'],
      [`${avatar}-64`, '64'],
    ])
      expect((await show(id, size)).statusCode).toBe(400)
  })

  test('that is replaced or taken away has its files deleted', async () => {
    const before = (await call('GET /v1/me', { token: ann.token })).body.avatar
    const { avatar } = (await send('PUT /v1/me/avatar', ann.token, picture)).body
    expect(await deletedFiles()).toEqual(users.avatarKeys(before))
    expect((await call('DELETE /v1/me/avatar', { token: ann.token })).status).toBe(204)
    expect(await deletedFiles()).toEqual(users.avatarKeys(avatar))
    expect((await call('GET /v1/me', { token: ann.token })).body.avatar).toBeNull()
    expect((await call('DELETE /v1/me/avatar', { token: ann.token })).status).toBe(204)
  })

  test.each([
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml', 400, 'image_invalid'],
    ['a page that is called a picture', Buffer.from('<script>alert(1)</script>'), 'image/png', 400, 'image_invalid'],
    ['half a picture', picture.subarray(0, 60), 'image/png', 400, 'image_invalid'],
    ['nothing', Buffer.alloc(0), 'image/png', 400, 'field_invalid'],
    ['JSON', Buffer.from('{}'), 'application/json', 400, 'field_invalid'],
    ['a form', picture, 'multipart/form-data; boundary=x', 400, 'field_invalid'],
    ['too many bytes', Buffer.alloc(limits.pictureBytesMax + 1), 'image/png', 413, 'frame_too_large'],
  ])('that is %s is refused, and nothing is stored', async (_what, bytes, type, status, code) => {
    const refused = await send('PUT /v1/me/avatar', bob.token, bytes, type)
    expect(refused).toMatchObject({ status, body: { error: { code } } })
    expect((await call('GET /v1/me', { token: bob.token })).body.avatar).toBeNull()
  })

  test('is read only from somebody who is signed in, and elsewhere a body stays small', async () => {
    expect((await send('PUT /v1/me/avatar', undefined, picture)).status).toBe(401)
    expect((await send('PUT /v1/uploads/00000000-0000-4000-8000-000000000000', undefined, picture)).status).toBe(401)
    expect((await send('PATCH /v1/me', ann.token, picture)).body.error).toMatchObject({ field: 'content-type' })
    expect((await call('PATCH /v1/me', { token: ann.token, raw: ' '.repeat(40_000) })).status).toBe(413)
  })

  test('whose commit is refused leaves no files', async () => {
    const put: string[] = []
    const removed: string[] = []
    const storage = {
      ...shared(),
      put: async (key: string) => void put.push(key),
      remove: async (keys: readonly string[]) => void removed.push(...keys),
    }
    const here = createFixture({ chat: store.chat, keys: api.deps.keys, storage })
    const { upload } = (await here.call('POST /v1/me/avatar/uploads', { token: ann.token })).body
    storage.get = async () => {
      // Another request takes the upload over in the meantime.
      await store.chat.pool.query('DELETE FROM uploads WHERE id = $1', [upload])
      return { body: (await import('node:stream')).Readable.from([picture]), bytes: picture.length, contentType: 'x' }
    }
    const lost = await here.call('PUT /v1/me/avatar/from-upload', { token: ann.token, body: { upload } })
    expect(lost.body.error.code).toBe('upload_unknown')
    expect(put).toHaveLength(3)
    expect(removed.sort()).toEqual(put.sort())
    await here.app.close()
  })

  test.each([
    ['leaves no files when the change was refused', new Refusal('rate_limited', undefined, { retryMs: 1_000 }), 3],
    ['keeps them when nobody knows what became of it', new Refusal('unavailable', undefined, { retryMs: 1_000 }), 0],
  ])('of a group %s', async (_name, refusal, count) => {
    const removed: string[] = []
    const storage = { ...shared(), remove: async (keys: readonly string[]) => void removed.push(...keys) }
    const spending = {
      ...store.chat.spending,
      change() {
        throw refusal
      },
    }
    const here = createFixture({ chat: { ...store.chat, spending }, keys: api.deps.keys, storage })
    const { body: group } = await call('POST /v1/conversations', {
      token: ann.token,
      body: { kind: 'group', name: 'crew', members: [bob.id] },
    })
    const answer = await send(`PUT /v1/conversations/${group.id}/avatar`, ann.token, picture, 'image/png', here)
    expect([answer.body.error?.code, removed.length]).toEqual([refusal.code, count])
    await here.app.close()
  })
})

describe('an upload', () => {
  const promised = async (person = ann) => {
    const answer = await call('POST /v1/me/avatar/uploads', { token: person.token })
    expect(answer.status).toBe(201)
    return answer.body
  }

  test('goes to this API where files lie in a folder, and becomes the picture once', async () => {
    const { upload, url, method, fields } = await promised()
    expect({ url, method, fields }).toEqual({ url: `/v1/uploads/${upload}`, method: 'PUT', fields: {} })
    const take = (person = ann) => call('PUT /v1/me/avatar/from-upload', { token: person.token, body: { upload } })
    expect((await take()).body.error.code).toBe('upload_unknown')
    expect((await send(`PUT ${url}`, bob.token, picture)).body.error.code).toBe('upload_unknown')
    expect((await send(`PUT ${url}`, ann.token, picture, 'application/octet-stream')).status).toBe(204)
    expect((await take(bob)).body.error.code).toBe('upload_unknown')
    const taken = await take()
    expect(taken).toMatchObject({ status: 200, body: { avatar: expect.any(String) } })
    expect((await show(taken.body.avatar)).statusCode).toBe(200)
    expect(await deletedFiles()).toEqual([`uploads/${upload}`])
    expect((await take()).body.error.code).toBe('upload_unknown')
  })

  test('that is no picture, or larger than promised, stays where it is until it expires', async () => {
    const { upload, url } = await promised()
    const take = () => call('PUT /v1/me/avatar/from-upload', { token: ann.token, body: { upload } })
    await send(`PUT ${url}`, ann.token, Buffer.from('no picture'))
    expect((await take()).body.error.code).toBe('image_invalid')
    // A store that does not keep to the policy.
    await api.deps.storage.put(`uploads/${upload}`, Buffer.alloc(limits.pictureBytesMax + 1), { contentType: 'x/y' })
    expect((await take()).body.error).toMatchObject({ code: 'image_invalid', rule: expect.stringMatching(/bytes/) })
    await send(`PUT ${url}`, ann.token, picture)
    expect((await take()).status).toBe(200)
  })

  test('goes straight to the store where that can be', async () => {
    const asked: unknown[] = []
    const storage = {
      ...shared(),
      presignUpload: async (key: string, given: object) => {
        asked.push({ key, ...given })
        return { url: 'https://s3.example/bucket', method: 'POST' as const, fields: { policy: 'p' } }
      },
    }
    const here = createFixture({ chat: store.chat, keys: api.deps.keys, storage })
    const { body } = await here.call('POST /v1/me/avatar/uploads', { token: ann.token })
    expect(body).toMatchObject({ url: 'https://s3.example/bucket', method: 'POST', fields: { policy: 'p' } })
    expect(asked).toEqual([
      {
        key: `uploads/${body.upload}`,
        bytesMax: limits.pictureBytesMax,
        contentType: 'application/octet-stream',
        lifeMs: body.expiresInMs,
      },
    ])
    await storage.put(`uploads/${body.upload}`, picture, { contentType: 'application/octet-stream' })
    const taken = await here.call('PUT /v1/me/avatar/from-upload', { token: ann.token, body: { upload: body.upload } })
    expect(taken.status).toBe(200)
    await here.app.close()
  })
})

describe('so many pictures', () => {
  test('may one person change within the window', async () => {
    const settings = { pictures: { max: 2, windowMs: 60_000 } }
    const here = createFixture({ chat: store.chat, keys: api.deps.keys, storage: shared(), settings })
    await send('PUT /v1/me/avatar', ann.token, picture, 'image/png', here)
    await here.call('POST /v1/me/avatar/uploads', { token: ann.token })
    const refused = await send('PUT /v1/me/avatar', ann.token, picture, 'image/png', here)
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } })
    expect((await send('PUT /v1/me/avatar', bob.token, picture, 'image/png', here)).status).toBe(200)
  })

  test('may be on their way at once: more are told to come back before their bytes are read, and who hangs up makes room', async () => {
    const here = createFixture({
      chat: store.chat,
      keys: api.deps.keys,
      storage: shared(),
      settings: { picturesAtOnceMax: 1, picturesQueueMax: 1, pictures: { max: 100_000, windowMs: 60_000 } },
    })
    await here.app.listen({ host: '127.0.0.1', port: 0 })
    const address = here.app.server.address() as { port: number }
    const half = () => {
      const socket = connect(address.port, '127.0.0.1')
      socket.on('error', () => {})
      const head = `PUT /v1/me/avatar HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ann.token}\r\ncontent-type: image/png\r\ncontent-length: 1000\r\n\r\nhalf`
      socket.write(head)
      return socket
    }
    const slow: ReturnType<typeof half>[] = []
    const attempt = () => send('PUT /v1/me/avatar', ann.token, picture, 'image/png', here)
    const refused = await until(
      async () => {
        slow.push(half())
        // It would be refused itself if the attempt were there first.
        await new Promise(resolve => setTimeout(resolve, 50))
        const answer = await attempt()
        return answer.status === 503 ? answer : undefined
      },
      { what: 'all seats are taken' },
    )
    expect(refused.body.error).toMatchObject({ code: 'overloaded', retryMs: expect.any(Number) })
    for (const socket of slow) socket.destroy()
    await until(async () => (await attempt()).status === 200, { what: 'there is room again' })
    await here.app.close()
  })
})
