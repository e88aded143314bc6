/** One suite for every store. */
import { IDBFactory } from 'fake-indexeddb'
import { describe, expect, test } from 'vitest'
import type { Store, StoredCursor, StoredSend } from './store.ts'
import { createIndexedDbStore } from './store-indexeddb.ts'
import { createMemoryStore } from './store-memory.ts'

const cursor = (conversation: string, seq: number): StoredCursor => ({
  conversation,
  epoch: 1,
  seq,
  toldDelivered: seq - 1,
  read: 2,
  toldRead: 1,
})
const send = (clientId: string, order: number): StoredSend => ({
  clientId,
  order,
  conversation: 'c',
  body: { text: clientId, data: { deep: [1, { a: null }] } },
})

/** `reopen` is a new run of the application. */
const kinds: Record<string, () => { reopen: () => Store }> = {
  memory: () => {
    const store = createMemoryStore()
    return { reopen: () => store }
  },
  IndexedDB: () => {
    const indexedDB = new IDBFactory()
    return { reopen: () => createIndexedDbStore({ indexedDB, name: 'ann' }) }
  },
}

describe.each(Object.entries(kinds))('the %s store', (_name, make) => {
  test('is empty at first', async () => {
    expect(await make().reopen().load()).toEqual({ cursors: [], sends: [], drafts: [] })
  })

  test('gives back what was written, also in another run', async () => {
    const { reopen } = make()
    const store = reopen()
    await store.setUser('ann')
    await store.writeCursors([cursor('a', 3), cursor('b', 4)], [])
    await store.addSend({ ...send('x', 1), replyTo: 7 })
    expect(await reopen().load()).toEqual({
      user: 'ann',
      cursors: [cursor('a', 3), cursor('b', 4)],
      sends: [{ ...send('x', 1), replyTo: 7 }],
      drafts: [],
    })
  })

  test('replaces and drops cursors', async () => {
    const { reopen } = make()
    const store = reopen()
    await store.writeCursors([cursor('a', 3), cursor('b', 4), cursor('c', 5)], [])
    await store.writeCursors([cursor('a', 9)], ['b', 'unknown'])
    expect((await reopen().load()).cursors).toEqual([cursor('a', 9), cursor('c', 5)])
  })

  test('keeps sends in the order of the sends, whatever their ids, and forgets what is removed', async () => {
    const { reopen } = make()
    const store = reopen()
    for (const [index, clientId] of ['m', 'c', 'z', 'a'].entries()) await store.addSend(send(clientId, index + 9))
    await store.removeSend('c')
    await store.removeSend('unknown')
    expect((await reopen().load()).sends.map(one => one.clientId)).toEqual(['m', 'z', 'a'])
  })

  test('takes effect in the order of the calls', async () => {
    const { reopen } = make()
    const store = reopen()
    await Promise.all([
      store.writeCursors([cursor('a', 1)], []),
      store.writeCursors([], ['a']),
      store.writeCursors([cursor('a', 2)], []),
      store.addSend(send('x', 1)),
      store.removeSend('x'),
    ])
    expect(await reopen().load()).toEqual({ cursors: [cursor('a', 2)], sends: [], drafts: [] })
  })

  test('keeps drafts until they are dropped', async () => {
    const { reopen } = make()
    const draft = (conversation: string) => ({ conversation, at: 7, content: { text: 'x' }, unsaved: true })
    const store = reopen()
    await store.setUser('ann')
    for (const one of ['a', 'b']) await store.putDraft?.(one, draft(one))
    await store.putDraft?.('a', { ...draft('a'), content: null })
    await store.putDraft?.('b', undefined)
    expect(await reopen().load()).toMatchObject({ user: 'ann', drafts: [{ ...draft('a'), content: null }] })
  })

  test('is not changed by what the caller does with its objects later', async () => {
    const { reopen } = make()
    const body = structuredClone(send('x', 1)['body']) as { text: string }
    await reopen().addSend({ ...send('x', 1), body })
    body.text = 'changed'
    expect((await reopen().load()).sends).toEqual([send('x', 1)])
  })
})

test('IndexedDB: people have databases of their own, and a store works on after it was closed', async () => {
  const indexedDB = new IDBFactory()
  const ann = createIndexedDbStore({ indexedDB, name: 'ann' })
  await ann.setUser('ann')
  expect(await createIndexedDbStore({ indexedDB, name: 'bob' }).load()).toEqual({ cursors: [], sends: [], drafts: [] })
  await ann.close()
  expect((await ann.load()).user).toBe('ann')
})

test('IndexedDB: of two tabs the cursor that has come further is kept, and a new epoch is further than any seq', async () => {
  const indexedDB = new IDBFactory()
  const [one, other] = [createIndexedDbStore({ indexedDB }), createIndexedDbStore({ indexedDB })]
  await one.writeCursors([cursor('a', 9)], [])
  await other.writeCursors([{ ...cursor('a', 5), read: 4 }], [])
  expect((await one.load()).cursors).toEqual([{ ...cursor('a', 9), read: 4 }])
  const restored = { ...cursor('a', 3), epoch: 2 }
  await other.writeCursors([restored], [])
  await one.writeCursors([cursor('a', 10)], [])
  expect((await one.load()).cursors).toEqual([restored])
})

test('IndexedDB: where nobody can tell who is gone, each start takes all that is unsent', async () => {
  const indexedDB = new IDBFactory()
  const [one, other] = [createIndexedDbStore({ indexedDB }), createIndexedDbStore({ indexedDB })]
  await one.addSend(send('x', 1))
  await other.addSend(send('y', 2))
  for (const store of [one, other]) expect((await store.load()).sends).toEqual([send('x', 1), send('y', 2)])
})

test('IndexedDB: a write that fails is told, not swallowed', async () => {
  const store = createIndexedDbStore({ indexedDB: new IDBFactory() })
  const unclonable = { ...send('x', 1), body: { text: 'x', data: { f: () => 1 } } }
  await expect(store.addSend(unclonable)).rejects.toThrow()
  await store.addSend(send('y', 2))
  expect((await store.load()).sends.map(one => one.clientId)).toEqual(['y'])
})
