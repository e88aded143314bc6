/** A session that outlives the page. */
import { IDBFactory } from 'fake-indexeddb'
import { expect, test } from 'vitest'
import { isSessionKept } from './kept-session.ts'
import type { StoredSession } from './session-keeper.ts'
import { createIndexedDbSessions } from './sessions-indexeddb.ts'

const session: StoredSession = {
  user: { id: 'u1', username: 'ann', displayName: 'Ann', avatar: null },
  session: 's1',
  accessToken: 'a1',
  accessTokenExpiresAt: 600_000,
  refreshToken: 'r1',
  attempt: 't1',
}

test('a session is there in the next run and in another tab, until it is forgotten', async () => {
  const indexedDB = new IDBFactory()
  const open = () => createIndexedDbSessions({ indexedDB, name: 'shop' })
  const [one, other] = [open(), open()]
  expect(await one.load()).toBeUndefined()
  await one.save(session)
  expect(await other.load()).toEqual(session)
  await other.save({ ...session, accessToken: 'a2' })
  expect((await open().load())?.accessToken).toBe('a2')
  expect(await createIndexedDbSessions({ indexedDB, name: 'forum' }).load()).toBeUndefined()
  await one.save(undefined)
  expect(await open().load()).toBeUndefined()
})

test('without IndexedDB it lasts as long as the page', async () => {
  const denied = {
    open() {
      throw new Error('denied')
    },
  }
  const sessions = createIndexedDbSessions({ indexedDB: denied })
  expect(await sessions.load()).toBeUndefined()
  await sessions.save(session)
  expect(await sessions.load()).toEqual(session)
  await sessions.save(undefined)
  expect(await sessions.load()).toBeUndefined()
})

test('whether a session is kept can be seen without the SDK, and makes nothing', async () => {
  const indexedDB = new IDBFactory()
  const kept = { indexedDB, name: 'shop' }
  expect(await isSessionKept(kept)).toBe(false)
  expect(await indexedDB.databases()).toEqual([])
  const sessions = createIndexedDbSessions(kept)
  await sessions.save(session)
  expect(await isSessionKept(kept)).toBe(true)
  await sessions.save(undefined)
  expect(await isSessionKept(kept)).toBe(false)
  // It holds nothing open: what is dropped is gone at once.
  await new Promise((done, blocked) => {
    const dropping = indexedDB.deleteDatabase('shop')
    dropping.addEventListener('success', done)
    dropping.addEventListener('blocked', blocked)
  })
})

test('of a database of somebody else nothing is kept, and without IndexedDB neither', async () => {
  const indexedDB = new IDBFactory()
  const opening = indexedDB.open('other', 1)
  opening.addEventListener('upgradeneeded', () => void opening.result.createObjectStore('kept'))
  await new Promise(done => opening.addEventListener('success', done))
  expect(await isSessionKept({ indexedDB, name: 'other' })).toBe(false)
  const denied = {
    open() {
      throw new Error('denied')
    },
  }
  expect(await isSessionKept({ indexedDB: denied })).toBe(false)
})
