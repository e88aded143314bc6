/** A store in the browser's IndexedDB, which the tabs of one person share. */
import { answer, completion } from './indexed-db.ts'
import type { Store, StoredCursor, StoredDraft, StoredSend } from './store.ts'
import { createTabs } from './tabs.ts'

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

/** With the tab that it is sent by. One without is of a version that knew of no others. */
interface OwnedSend extends StoredSend {
  readonly tab?: string
}

export function createIndexedDbStore(options: IndexedDbStoreOptions = {}): IndexedDbStore {
  const factory = (options.indexedDB ?? globalThis.indexedDB) as IDBFactory
  const name = options.name ?? 'flotilla'
  const tabs = createTabs(`flotilla/${name}`)
  const own = tabs === undefined ? {} : { tab: tabs.id }
  const database = createOpener(factory, name)

  /**
   * One transaction on one object store. It resolves when the browser says that it is complete, not when its last
   * request is. A message that waits is worth a flush to the disk; a cursor that is a little old only repeats entries.
   */
  async function write(name: 'meta' | 'cursors' | 'sends', work: (store: IDBObjectStore) => void): Promise<void> {
    const durability = name === 'sends' ? 'strict' : 'relaxed'
    const transaction = (await database.open()).transaction(name, 'readwrite', { durability })
    const done = completion(transaction)
    work(transaction.objectStore(name))
    await done
  }

  /** Makes the sends of another tab this one's. */
  async function claim(tab: string | undefined): Promise<StoredSend[]> {
    const claimed: StoredSend[] = []
    await write('sends', store => {
      const request = store.index('order').getAll() as IDBRequest<OwnedSend[]>
      request.addEventListener('success', () => {
        for (const { tab: owner, ...send } of request.result) {
          if (owner !== tab) continue
          claimed.push(send)
          store.put({ ...send, ...own })
        }
      })
    })
    return claimed
  }

  /** What is this tab's, with what tabs that are gone have left. Where nobody can tell who is gone, everything. */
  async function readSends(): Promise<StoredSend[]> {
    const transaction = (await database.open()).transaction('sends', 'readonly')
    const all = await answer(transaction.objectStore('sends').index('order').getAll() as IDBRequest<OwnedSend[]>)
    const mine: StoredSend[] = []
    for (const { tab, ...send } of all) if (tab !== undefined && tab === own.tab) mine.push(send)
    for (const tab of new Set(all.map(send => send.tab))) {
      if (tab !== undefined && tab === own.tab) continue
      const take = async () => void mine.push(...(await claim(tab)))
      await (tabs === undefined || tab === undefined ? take() : tabs.ifGone(tab, take))
    }
    return mine.sort((one, other) => one.order - other.order)
  }

  return {
    async load(inherit) {
      await tabs?.join(async tab => {
        const sends = await claim(tab)
        if (sends.length > 0) inherit?.(sends)
      })
      const sends = await readSends()
      const transaction = (await database.open()).transaction(['meta', 'cursors'], 'readonly')
      const [user, cursors, meta] = await Promise.all([
        answer(transaction.objectStore('meta').get('user') as IDBRequest<string | undefined>),
        answer(transaction.objectStore('cursors').getAll() as IDBRequest<StoredCursor[]>),
        answer(transaction.objectStore('meta').getAll() as IDBRequest<(string | StoredDraft)[]>),
      ])
      const drafts = meta.filter(one => typeof one === 'object')
      return { ...(user === undefined ? {} : { user }), cursors, sends, drafts }
    },
    release: () => tabs?.leave(),
    setUser: user => write('meta', store => store.put(user, 'user')),
    writeCursors: (put, drop) =>
      write('cursors', store => {
        for (const cursor of put) putFurther(store, cursor)
        for (const conversation of drop) store.delete(conversation)
      }),
    addSend: send => write('sends', store => store.put({ ...send, ...own })),
    removeSend: clientId => write('sends', store => store.delete(clientId)),
    putDraft: (conversation, draft) =>
      write('meta', store => {
        if (draft === undefined) store.delete(draftKey(conversation))
        else store.put(draft, draftKey(conversation))
      }),
    async close() {
      tabs?.leave()
      await database.close()
    },
  }
}

/** Drafts lie beside the name of the person: another object store would need another version of the database. */
const draftKey = (conversation: string) => `draft/${conversation}`

/** The browser may close a database (storage cleared) and another tab may want to upgrade it: it is opened again when needed. */
function createOpener(factory: IDBFactory, name: string) {
  let opened: Promise<IDBDatabase> | undefined
  return {
    open() {
      opened ??= open(factory, name).then(
        db => {
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
    },
    async close() {
      const db = await opened
      opened = undefined
      db?.close()
    },
  }
}

function putFurther(store: IDBObjectStore, cursor: StoredCursor): void {
  const request = store.get(cursor.conversation) as IDBRequest<StoredCursor | undefined>
  request.addEventListener('success', () => store.put(further(request.result, cursor)))
}

/** Of two tabs the one that has come further counts. Epochs only rise. */
function further(before: StoredCursor | undefined, cursor: StoredCursor): StoredCursor {
  if (before === undefined || before.epoch < cursor.epoch) return cursor
  if (before.epoch > cursor.epoch) return before
  const highest = (of: 'seq' | 'toldDelivered' | 'read' | 'toldRead') => Math.max(before[of], cursor[of])
  return {
    ...cursor,
    seq: highest('seq'),
    toldDelivered: highest('toldDelivered'),
    read: highest('read'),
    toldRead: highest('toldRead'),
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
