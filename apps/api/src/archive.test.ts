import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { lifecycle } from '@flotilla/chat'
import { expect, test } from 'vitest'
import { unzip } from './archive.testbed.ts'
import { archiveOf } from './archive.ts'

const noFile = async () => undefined

async function* textOf(...chunks: string[]): AsyncGenerator<string> {
  yield* chunks
}

test('parts come out as they went in, files among them, and a file that is gone is left out', async () => {
  async function* parts(): AsyncGenerator<lifecycle.ExportPart> {
    yield { path: 'a.json', text: textOf('{"a":', '"ä"}') }
    yield { path: 'empty.json', text: textOf() }
    yield { path: 'gone.webp', file: 'gone' }
    yield { path: 'deep/b.webp', file: 'here' }
    yield { path: 'last.json', text: textOf('[]') }
  }
  const stored = Buffer.from([0, 255, 1])
  const open = async (key: string) => (key === 'here' ? { body: Readable.from([stored]) } : undefined)
  const files = await unzip(await buffer(archiveOf(parts(), open)))
  expect([...files.keys()]).toEqual(['a.json', 'empty.json', 'deep/b.webp', 'last.json'])
  expect(files.get('a.json')?.toString()).toBe('{"a":"ä"}')
  expect(files.get('empty.json')?.length).toBe(0)
  expect(files.get('deep/b.webp')).toEqual(stored)
})

/** A part without end, that counts what was taken of it and whether it was closed. */
function endless() {
  const seen = { bytes: 0, closed: 0 }
  async function* text() {
    try {
      // Of random bytes, so that it cannot be packed small.
      for (;;) {
        const chunk = Array.from({ length: 100 }, () => Math.random().toString(36)).join('')
        seen.bytes += chunk.length
        yield chunk
        await sleep(0)
      }
    } finally {
      seen.closed++
    }
  }
  async function* parts(): AsyncGenerator<lifecycle.ExportPart> {
    try {
      yield { path: 'endless.json', text: text() }
    } finally {
      seen.closed++
    }
  }
  return { seen, parts }
}

test('nothing is read ahead of a reader who does not read', async () => {
  const { seen, parts } = endless()
  const archive = archiveOf(parts(), noFile)
  await once(archive, 'readable')
  let before = -1
  while (seen.bytes !== before) {
    before = seen.bytes
    await sleep(50)
  }
  expect(seen.bytes).toBeLessThan(1_000_000)
  archive.destroy()
})

test('a reader who goes away in the middle leaves nothing open', async () => {
  const { seen, parts } = endless()
  const archive = archiveOf(parts(), noFile)
  await once(archive, 'readable')
  archive.read()
  archive.destroy()
  await expect.poll(() => seen.closed).toBe(2)
})

test('a reader who goes away while a file is opened leaves it closed', async () => {
  const body = new Readable({ read() {} })
  const opening = Promise.withResolvers<{ body: Readable }>()
  async function* parts(): AsyncGenerator<lifecycle.ExportPart> {
    yield { path: 'avatar.webp', file: 'slow' }
  }
  let asked = false
  const archive = archiveOf(parts(), () => {
    asked = true
    return opening.promise
  })
  await expect.poll(() => asked).toBe(true)
  archive.destroy()
  await once(archive, 'close')
  opening.resolve({ body })
  await expect.poll(() => body.destroyed).toBe(true)
})

test.each([
  [
    'a part fails in the middle',
    async function* () {
      yield { path: 'a.json', text: failing() }
    },
  ],
  [
    'the parts fail',
    async function* () {
      yield { path: 'a.json', text: textOf('fine') }
      throw new Error('the store is away')
    },
  ],
])(
  'when %s, the archive breaks off rather than end whole',
  async (_name, parts: () => AsyncGenerator<lifecycle.ExportPart>) => {
    await expect(buffer(archiveOf(parts(), noFile))).rejects.toThrow('the store is away')
  },
)

async function* failing(): AsyncGenerator<string> {
  yield 'a'
  throw new Error('the store is away')
}
