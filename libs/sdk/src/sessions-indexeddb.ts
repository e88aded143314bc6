/** Keeps a session in the browser's IndexedDB, where the tabs of an origin share it. */
import { answer, completion } from './indexed-db.ts'
import { currentSession, sessionsName, sessionsStore, sessionsVersion } from './kept-session.ts'
import type { SessionStore, StoredSession } from './session-keeper.ts'
import type { DatabaseFactory } from './store-indexeddb.ts'

export interface IndexedDbSessionsOptions {
  /** The database's name. One an application; `flotilla-session` when left out. */
  readonly name?: string
  /** The browser's own when left out. */
  readonly indexedDB?: DatabaseFactory
}

/**
 * For pages on another site than the API, where the cookie of a sign-in is not sent. Every script of the origin can read what
 * lies here. In private windows of some browsers there is no IndexedDB: then the session lasts as long as the page.
 */
export function createIndexedDbSessions(options: IndexedDbSessionsOptions = {}): SessionStore {
  let inMemory: StoredSession | undefined

  async function open(): Promise<IDBDatabase> {
    const factory = (options.indexedDB ?? globalThis.indexedDB) as IDBFactory
    const request = factory.open(options.name ?? sessionsName, sessionsVersion)
    request.addEventListener('upgradeneeded', () => void request.result.createObjectStore(sessionsStore))
    return answer(request)
  }

  /** Opened each time: whoever drops the database, or clears what the site keeps, does not wait for this page. */
  async function within<T>(mode: IDBTransactionMode, work: (sessions: IDBObjectStore) => IDBRequest) {
    const db = await open().catch(() => undefined)
    if (db === undefined) return undefined
    try {
      // A refresh token that is lost ends the session: it is worth a flush to the disk.
      const transaction = db.transaction(sessionsStore, mode, { durability: 'strict' })
      const done = completion(transaction)
      const request = work(transaction.objectStore(sessionsStore))
      await done
      return { result: request.result as T }
    } finally {
      db.close()
    }
  }

  return {
    async load() {
      const found = await within<StoredSession | undefined>('readonly', sessions => sessions.get(currentSession))
      return found === undefined ? inMemory : found.result
    },
    async save(session) {
      inMemory = session
      await within<unknown>('readwrite', sessions =>
        session === undefined ? sessions.delete(currentSession) : sessions.put(session, currentSession),
      )
    },
  }
}
