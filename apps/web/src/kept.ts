/** What this device keeps in IndexedDB of the session, and how all of that is wiped. */
import { createIndexedDbSessions, type SessionStore, type StoredSession } from '@flotilla/sdk'
import { sessionDatabase } from './session-database.ts'

/** Every database of this client begins so: that of the SDK, the archive, the session. */
const ours = /^flotilla/
/** Where earlier versions of this client kept it. */
const before = { database: 'flotilla-session', store: 'kept', key: 'session' } as const

/** In private windows of some browsers there is no IndexedDB: then the session lasts as long as the page. */
export function openKept(): SessionStore {
  const sessions = createIndexedDbSessions({ name: sessionDatabase })
  return {
    async load() {
      const kept = await sessions.load()
      if (kept !== undefined) return kept
      const moved = await takeOver().catch(() => undefined)
      if (moved !== undefined) await sessions.save(moved)
      return moved
    },
    save: session => sessions.save(session),
  }
}

/**
 * What an earlier version has kept, once. Its database stays, empty: a tab of that version holds it open, and whoever opened it
 * would wait behind its end.
 */
async function takeOver(): Promise<StoredSession | undefined> {
  const request = indexedDB.open(before.database)
  // There is none, and none is made.
  request.addEventListener('upgradeneeded', () => request.transaction?.abort())
  const database = await answer(request)
  try {
    const kept = database.transaction(before.store, 'readwrite').objectStore(before.store)
    const session = await answer(kept.get(before.key) as IDBRequest<StoredSession | undefined>)
    await answer(kept.delete(before.key))
    return session
  } finally {
    database.close()
  }
}

/** Drops every other database of this client. One that another tab holds is dropped when that tab lets it go. */
export async function forgetDevice(): Promise<void> {
  const staying: readonly string[] = [sessionDatabase, before.database]
  const databases = (await indexedDB.databases?.().catch(() => [])) ?? []
  for (const { name } of databases)
    if (name !== undefined && !staying.includes(name) && ours.test(name)) indexedDB.deleteDatabase(name)
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () =>
      reject(new Error(`unable to use IndexedDB: ${request.error?.message ?? 'no reason'}`)),
    )
  })
}
