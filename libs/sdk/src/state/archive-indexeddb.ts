/**
 * An archive in the browser's IndexedDB. It is disposable: one of another version, or one that fails, is as good as none.
 * Raise `databaseVersion` with whatever changes in what is kept, the fold of libs/protocol included.
 */
import type { Conversation } from '@flotilla/protocol'
import { answer, completion } from '../indexed-db.ts'
import type { DatabaseFactory } from '../store-indexeddb.ts'
import { type ChatArchive, type Kept, type KeptChange, keptLogsMax } from './archive.ts'
import type { KeptLog } from './log.ts'

const databaseVersion = 1

export interface IndexedDbArchiveOptions {
  /** The database's name. One a person; `flotilla-archive` when left out. */
  readonly name?: string
  /** The browser's own when left out. */
  readonly indexedDB?: DatabaseFactory
}

const partNames = ['parts', 'conversations', 'logs'] as const
type Part = (typeof partNames)[number]
interface StoredLog {
  readonly conversation: string
  readonly at: number
  readonly log: KeptLog
}

const empty = { conversations: [], requests: { requests: [], joinRequests: [] }, users: [], failures: [] }

export function createIndexedDbArchive(options: IndexedDbArchiveOptions = {}): ChatArchive {
  const factory = (options.indexedDB ?? globalThis.indexedDB) as IDBFactory
  const name = options.name ?? 'flotilla-archive'
  let opened: Promise<IDBDatabase> | undefined

  async function open(): Promise<IDBDatabase> {
    const request = factory.open(name, databaseVersion)
    request.addEventListener('upgradeneeded', () => {
      const db = request.result
      for (const part of db.objectStoreNames) db.deleteObjectStore(part)
      db.createObjectStore('parts')
      db.createObjectStore('conversations', { keyPath: 'id' })
      db.createObjectStore('logs', { keyPath: 'conversation' }).createIndex('at', 'at')
    })
    const db = await answer(request)
    const forget = () => (opened = undefined)
    db.addEventListener('close', forget)
    // A tab of another version wants it: that one begins empty, and this one does without.
    db.addEventListener('versionchange', () => db.close())
    return db
  }

  /** The browser may have closed it (storage cleared, a phone that slept): it is opened once more, and then it is enough. */
  async function within<T>(mode: IDBTransactionMode, work: (part: (name: Part) => IDBObjectStore) => T): Promise<T> {
    for (let tries = 0; ; tries++) {
      const opening = (opened ??= open())
      try {
        const transaction = (await opening).transaction(partNames, mode, { durability: 'relaxed' })
        const done = completion(transaction)
        const result = work(part => transaction.objectStore(part))
        await done
        return result
      } catch (thrown) {
        if (opened === opening) opened = undefined
        if (tries > 0) throw thrown
      }
    }
  }

  return {
    async load() {
      const read = await within('readonly', part => ({
        parts: part('parts').getAll() as IDBRequest<Partial<Kept>[]>,
        conversations: part('conversations').getAll() as IDBRequest<Conversation[]>,
      }))
      const parts: Partial<Kept> = Object.assign({}, ...read.parts.result)
      return parts.user === undefined ? undefined : { ...empty, ...parts, conversations: read.conversations.result }
    },
    async log(conversation) {
      const read = await within('readonly', part => part('logs').get(conversation) as IDBRequest<StoredLog | undefined>)
      return read.result?.log
    },
    write: change => within('readwrite', part => write(part, change)),
    wipe: () =>
      within('readwrite', part => {
        for (const name of partNames) part(name).clear()
      }),
    async close() {
      const db = await opened?.catch(() => undefined)
      opened = undefined
      db?.close()
    },
  }
}

function write(part: (name: Part) => IDBObjectStore, change: KeptChange): void {
  const { conversations = new Map(), logs = new Map(), ...parts } = change
  for (const [name, value] of Object.entries(parts)) part('parts').put({ [name]: value }, name)
  for (const [id, conversation] of conversations)
    if (conversation === undefined) part('conversations').delete(id)
    else part('conversations').put(conversation)
  if (logs.size === 0) return
  const store = part('logs')
  for (const [conversation, log] of logs)
    if (log === undefined) store.delete(conversation)
    else store.put({ conversation, at: Date.now(), log } satisfies StoredLog)
  const count = store.count()
  count.addEventListener('success', () => letGo(store, count.result - keptLogsMax))
}

/** Those that were written longest ago. */
function letGo(store: IDBObjectStore, over: number): void {
  let left = over
  if (left <= 0) return
  const cursor = store.index('at').openKeyCursor()
  cursor.addEventListener('success', () => {
    if (cursor.result === null || left-- <= 0) return
    store.delete(cursor.result.primaryKey)
    cursor.result.continue()
  })
}
