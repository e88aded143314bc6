import type { Conversation } from '@flotilla/protocol'
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { keptLogsMax } from './archive.ts'
import { createIndexedDbArchive } from './archive-indexeddb.ts'
import type { KeptLog } from './log.ts'

const log = (to: number): KeptLog => ({
  from: 1,
  to,
  epoch: 1,
  first: 1,
  messages: [
    [1, { posted: { by: 'ann', at: 1, clientId: 'x' }, content: { seq: 1, value: { body: { text: 'hello' } } } }],
  ],
  notices: [],
  quotes: [],
  votes: [],
})
const conversation = (id: string) => ({ id, name: id }) as Conversation
const user = { id: 'ann', username: 'ann', displayName: 'Ann', avatar: null }

test('what is written is there the next time, part by part, and wiped whole', async () => {
  const indexedDB = new IDBFactory()
  const first = createIndexedDbArchive({ indexedDB })
  expect(await first.load()).toBeUndefined()
  await first.write({ user: 'ann', users: [user], conversations: new Map([['c1', conversation('c1')]]) })
  await first.write({
    conversations: new Map([
      ['c1', undefined],
      ['c2', conversation('c2')],
    ]),
    logs: new Map([['c2', log(7)]]),
  })
  await first.close()
  const second = createIndexedDbArchive({ indexedDB })
  expect(await second.load()).toEqual({
    user: 'ann',
    users: [user],
    conversations: [conversation('c2')],
    failures: [],
    requests: { requests: [], joinRequests: [] },
  })
  expect(await second.log('c2')).toEqual(log(7))
  await second.wipe()
  expect(await second.load()).toBeUndefined()
  expect(await second.log('c2')).toBeUndefined()
})

test('of the logs those that were written longest ago are let go', async () => {
  const archive = createIndexedDbArchive({ indexedDB: new IDBFactory() })
  for (let nth = 0; nth < keptLogsMax + 5; nth++) {
    await archive.write({ logs: new Map([[`c${nth}`, log(nth + 1)]]) })
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  expect(await archive.log('c4')).toBeUndefined()
  expect(await archive.log('c5')).toEqual(log(6))
})

test('a database of a newer version is left alone', async () => {
  const indexedDB = new IDBFactory()
  const openAs = (version: number) =>
    new Promise<void>((resolve, reject) => {
      const request = indexedDB.open('flotilla-archive', version)
      request.addEventListener('upgradeneeded', () => {
        const store = request.result.objectStoreNames.contains('old')
          ? undefined
          : request.result.createObjectStore('old')
        store?.put('something', 'old')
      })
      request.addEventListener('error', () => reject(request.error as Error))
      request.addEventListener('success', () => {
        request.result.close()
        resolve()
      })
    })
  await openAs(9)
  const archive = createIndexedDbArchive({ indexedDB })
  await expect(archive.load()).rejects.toThrow(/version/i)
  // The other tab's is there still.
  await openAs(9)
})

test('a connection that the browser closed is opened once more', async () => {
  const indexedDB = new IDBFactory()
  const opened: IDBDatabase[] = []
  const factory = {
    open(name: string, version?: number) {
      const request = indexedDB.open(name, version)
      request.addEventListener('success', () => opened.push(request.result))
      return request
    },
  }
  const archive = createIndexedDbArchive({ indexedDB: factory })
  await archive.write({ user: 'ann' })
  opened[0]!.close()
  await archive.write({ users: [user] })
  expect(opened).toHaveLength(2)
  expect((await archive.load())?.users).toEqual([user])
})
