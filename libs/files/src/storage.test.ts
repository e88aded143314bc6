import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readAll, type Storage } from './storage.ts'
import { openLocalStorage } from './storage-local.ts'
import { openS3Storage } from './storage-s3.ts'

interface S3Server {
  run(): Promise<AddressInfo>
  close(): Promise<void>
}
/** It has no types. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3Server

const bucket = 'flotilla-test'
const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
let folder: string
let server: S3Server
let endpoint: string
let s3: Storage
let local: Storage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flotilla-files-'))
  server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: join(folder, 's3'),
    configureBuckets: [{ name: bucket }],
  })
  endpoint = `http://127.0.0.1:${(await server.run()).port}`
  s3 = await openS3Storage({ bucket, endpoint, region: 'us-east-1', credentials, pathStyle: true })
  local = await openLocalStorage(join(folder, 'local'))
})
afterAll(async () => {
  s3?.close()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const read = async (storage: Storage, key: string) => {
  const file = await storage.get(key)
  return file === undefined ? undefined : readAll(file, 10_000_000)
}
const type = { contentType: 'image/webp' }

describe.each([
  ['local', () => local],
  ['s3', () => s3],
])('storage-%s', (_name, storage) => {
  test('gives back what was put, with its type and size', async () => {
    const bytes = randomBytes(300_000)
    await storage().put('avatars/a-64.webp', bytes, type)
    const file = await storage().get('avatars/a-64.webp')
    expect(file).toMatchObject({ bytes: bytes.length, contentType: 'image/webp' })
    expect(await readAll(file!, bytes.length)).toEqual(bytes)
  })

  test('takes nothing for what it is not: an empty file, a first line, any byte', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('\nimage/png\n'), Buffer.from([0, 255, 10, 13])]) {
      await storage().put('uploads/odd', bytes, { contentType: 'application/octet-stream' })
      expect(await read(storage(), 'uploads/odd')).toEqual(bytes)
    }
  })

  test('what is not there is undefined, and can be removed again and again', async () => {
    expect(await storage().get('uploads/none')).toBeUndefined()
    await storage().put('uploads/one', Buffer.from('1'), type)
    await storage().put('uploads/two', Buffer.from('2'), type)
    await storage().remove(['uploads/one', 'uploads/none'])
    await storage().remove(['uploads/one'])
    await storage().remove([])
    expect(await storage().get('uploads/one')).toBeUndefined()
    expect(await read(storage(), 'uploads/two')).toEqual(Buffer.from('2'))
    await storage().remove(Array.from({ length: 25 }, (_, n) => `uploads/none-${n}`))
  })

  test.each([
    '',
    '/etc/passwd',
    '../secret',
    'avatars/../../secret',
    'avatars/..',
    'a..b',
    './a',
    'a//b',
    'a/',
    '.parts/x',
    'a/.hidden',
    'a\\b',
    'a b',
    'A',
    'ä',
    'a\u0000',
    'a%2f',
    'a/b/c/d/e',
    'x'.repeat(201),
  ])('no file can have the key %j', async key => {
    for (const attempt of [
      async () => storage().put(key, Buffer.from('x'), type),
      async () => storage().get(key),
      async () => storage().remove(['uploads/fine', key]),
      async () => storage().presignUpload(key, { bytesMax: 1, lifeMs: 1_000, ...type }),
    ])
      await expect(attempt()).rejects.toThrow(/is no key/)
  })

  test('a key that is refused removes nothing of the others', async () => {
    await storage().put('uploads/fine', Buffer.from('x'), type)
    await expect((async () => storage().remove(['uploads/fine', '../x']))()).rejects.toThrow()
    expect(await read(storage(), 'uploads/fine')).toBeDefined()
  })

  test('a file that is larger than one wants is not read', async () => {
    await storage().put('uploads/large', Buffer.alloc(1_000), type)
    expect(await readAll((await storage().get('uploads/large'))!, 999)).toBeUndefined()
    const lying = (await storage().get('uploads/large'))!
    expect(await readAll({ ...lying, bytes: 10 }, 999)).toBeUndefined()
    expect(lying.body.destroyed).toBe(true)
  })
})

test('local: whoever reads while another writes gets one of the two, whole', async () => {
  const versions = [1, 2, 3, 4].map(fill => Buffer.alloc(200_000, fill))
  await local.put('uploads/busy', versions[0]!, type)
  const writes = versions.map(bytes => local.put('uploads/busy', bytes, type))
  const reads = await Promise.all(Array.from({ length: 10 }, () => read(local, 'uploads/busy')))
  await Promise.all(writes)
  for (const bytes of [...reads, await read(local, 'uploads/busy')])
    expect(versions.some(version => version.equals(bytes!))).toBe(true)
})

test('local: a half-written file is nowhere to be seen, and goes when its writer is long gone', async () => {
  const parts = join(folder, 'local', '.parts')
  expect(await readdir(parts)).toEqual([])
  await Promise.all(['old', 'new'].map(name => writeFile(join(parts, name), 'half')))
  await utimes(join(parts, 'old'), new Date(0), new Date(0))
  // The clock of this machine is a day ahead of the one that dates the files.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 })
  await openLocalStorage(join(folder, 'local')).finally(() => vi.useRealTimers())
  expect(await readdir(parts)).toEqual(['new'])
})

test('local: a type cannot become part of the content', async () => {
  for (const contentType of ['image/png\nx', 'x'.repeat(300)])
    await expect(local.put('uploads/t', Buffer.from('x'), { contentType })).rejects.toThrow(/content type/)
  expect(await local.get('uploads/t')).toBeUndefined()
})

test('local: bytes come only through us', async () => {
  expect(await local.presignUpload('uploads/u', { bytesMax: 1, lifeMs: 1_000, ...type })).toBeUndefined()
})

test('s3: somebody without credentials puts one file, and the policy says how large and what', async () => {
  const upload = await s3.presignUpload('uploads/u', {
    bytesMax: 1_000,
    contentType: 'application/octet-stream',
    lifeMs: 60_000,
  })
  const policy = JSON.parse(Buffer.from(upload!.fields['Policy']!, 'base64').toString()) as {
    expiration: string
    conditions: unknown[]
  }
  expect(policy.conditions).toEqual(
    expect.arrayContaining([
      ['content-length-range', 1, 1_000],
      ['eq', '$Content-Type', 'application/octet-stream'],
      { key: 'uploads/u' },
      { bucket },
    ]),
  )
  const lifeMs = new Date(policy.expiration).getTime() - Date.now()
  expect(lifeMs).toBeGreaterThan(50_000)
  expect(lifeMs).toBeLessThan(61_000)

  const form = new FormData()
  for (const [name, value] of Object.entries(upload!.fields)) form.append(name, value)
  form.append('file', new Blob([await readFile(import.meta.filename)]))
  const answer = await fetch(upload!.url, { method: upload!.method, body: form })
  expect(answer.status).toBeLessThan(300)
  expect(await read(s3, 'uploads/u')).toEqual(await readFile(import.meta.filename))
})

test('s3: a store that is away is a refusal that says when to come back; a bucket that is missing is a fault', async () => {
  const options = { region: 'us-east-1', credentials, pathStyle: true }
  const away = await openS3Storage({ ...options, bucket, endpoint: 'http://127.0.0.1:1' })
  for (const attempt of [() => away.get('a'), () => away.put('a', Buffer.from('x'), type), () => away.remove(['a'])])
    await expect(attempt()).rejects.toMatchObject({ code: 'unavailable', detail: { retryMs: expect.any(Number) } })
  away.close()
  const wrong = await openS3Storage({ ...options, bucket: 'no-such-bucket', endpoint })
  for (const attempt of [() => wrong.get('a'), () => wrong.put('a', Buffer.from('x'), type)])
    await expect(attempt()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
  wrong.close()
})
