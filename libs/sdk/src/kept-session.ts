/**
 * Where `createIndexedDbSessions` keeps a session, and a look whether it keeps one: for a service worker, say, which then need
 * not load the SDK.
 */
import { answer } from './indexed-db.ts'
import type { DatabaseFactory } from './store-indexeddb.ts'

/** The layout of the database. What lies there outlives versions of this library: a change needs a way from the one before. */
export const sessionsVersion = 1
export const sessionsStore = 'sessions'
export const currentSession = 'current'
export const sessionsName = 'flotilla-session'

export interface KeptSessionOptions {
  /** As `createIndexedDbSessions` was given it. */
  readonly name?: string
  /** The browser's own when left out. */
  readonly indexedDB?: DatabaseFactory
}

/** Whether a session is kept here. It makes no database, and keeps none open. Never throws: what cannot be read is not kept. */
export async function isSessionKept(options: KeptSessionOptions = {}): Promise<boolean> {
  try {
    const factory = (options.indexedDB ?? globalThis.indexedDB) as IDBFactory
    const request = factory.open(options.name ?? sessionsName)
    request.addEventListener('upgradeneeded', () => request.transaction?.abort())
    const database = await answer(request)
    try {
      const sessions = database.transaction(sessionsStore).objectStore(sessionsStore)
      return (await answer(sessions.get(currentSession))) !== undefined
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}
