/** A store in the browser's IndexedDB. */
import type { Store, StoredCursor, StoredSend } from './store.ts'

const databaseVersion = 1

export interface IndexedDbStoreOptions {
  /** The database's name. One a person; `flotilla` when left out. */
  readonly name?: string
  /** The browser's own when left out. */
  readonly indexedDB?: DatabaseFactory
}

/** An `IDBFactory`, also for programs whose types know no browser. */
export interface DatabaseFactory {
  open(name: string, version?: number): object
}

/** The store, and a way to let go of the database. */
export interface IndexedDbStore extends Store {
  close(): Promise<void>
}

export function createIndexedDbStore(options: IndexedDbStoreOptions = {}): IndexedDbStore {
  const factory = (options.indexedDB ?? globalThis.indexedDB) as IDBFactory
  let opened: Promise<IDBDatabase> | undefined
  const database = () => {
    opened ??= open(factory, options.name ?? 'flotilla').then(
      db => {
        // The browser may close it (storage cleared) and another tab may want to upgrade it: open it again when needed.
        db.addEventListener('close', () => (opened = undefined))
        db.addEventListener('versionchange', () => {
          db.close()
          opened = undefined
        })
        return db
      },
      (thrown: unknown) => {
        opened = undefined
        throw thrown
      },
    )
    return opened
  }

  /**
   * One transaction on one object store. It resolves when the browser says that it is complete, not when its last
   * request is. A message that waits is worth a flush to the disk; a cursor that is a little old only repeats entries.
   */
  async function write(name: 'meta' | 'cursors' | 'sends', work: (store: IDBObjectStore) => void): Promise<void> {
    const durability = name === 'sends' ? 'strict' : 'relaxed'
    const transaction = (await database()).transaction(name, 'readwrite', { durability })
    const done = completion(transaction)
    work(transaction.objectStore(name))
    await done
  }

  return {
    async load() {
      const transaction = (await database()).transaction(['meta', 'cursors', 'sends'], 'readonly')
      const [user, cursors, sends] = await Promise.all([
        answer(transaction.objectStore('meta').get('user') as IDBRequest<string | undefined>),
        answer(transaction.objectStore('cursors').getAll() as IDBRequest<StoredCursor[]>),
        answer(transaction.objectStore('sends').index('order').getAll() as IDBRequest<StoredSend[]>),
      ])
      return { ...(user === undefined ? {} : { user }), cursors, sends }
    },
    setUser: user => write('meta', store => store.put(user, 'user')),
    writeCursors: (put, drop) =>
      write('cursors', store => {
        for (const cursor of put) store.put(cursor)
        for (const conversation of drop) store.delete(conversation)
      }),
    addSend: send => write('sends', store => store.put(send)),
    removeSend: clientId => write('sends', store => store.delete(clientId)),
    async close() {
      const db = await opened
      opened = undefined
      db?.close()
    },
  }
}

function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name, databaseVersion)
  request.addEventListener('upgradeneeded', () => {
    request.result.createObjectStore('meta')
    request.result.createObjectStore('cursors', { keyPath: 'conversation' })
    request.result.createObjectStore('sends', { keyPath: 'clientId' }).createIndex('order', 'order')
  })
  return answer(request)
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(reason(request.error)))
  })
}

function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(reason(transaction.error)))
  })
}

function reason(error: DOMException | null): Error {
  return new Error(`unable to use IndexedDB: ${error?.message ?? 'the transaction was aborted'}`, { cause: error })
}
