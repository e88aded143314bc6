/** What this device keeps in IndexedDB of the session, and how all of that is wiped. */
import type { SessionStore, StoredSession } from '@flotilla/sdk'

const sessionDatabase = 'flotilla-session'
/** Every database of this client begins so: that of the SDK, the archive, the session. */
const ours = /^flotilla/

/** In private windows of some browsers there is no IndexedDB: then the session lasts as long as the page. */
export function openKept(): { readonly sessions: SessionStore } {
  let inMemory: StoredSession | undefined
  const opened = open().catch(() => undefined)
  return {
    sessions: {
      async load() {
        const database = await opened
        if (database === undefined) return inMemory
        const request = database.transaction('kept').objectStore('kept').get('session')
        return answer<StoredSession | undefined>(request)
      },
      async save(session) {
        inMemory = session
        const objects = (await opened)?.transaction('kept', 'readwrite').objectStore('kept')
        if (objects === undefined) return
        const request = session === undefined ? objects.delete('session') : objects.put(session, 'session')
        await answer<unknown>(request)
      },
    },
  }
}

/** Drops every other database of this client. One that another tab holds is dropped when that tab lets it go. */
export async function forgetDevice(): Promise<void> {
  const databases = (await indexedDB.databases?.().catch(() => [])) ?? []
  for (const { name } of databases)
    if (name !== undefined && name !== sessionDatabase && ours.test(name)) indexedDB.deleteDatabase(name)
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(sessionDatabase, 1)
  request.addEventListener('upgradeneeded', () => void request.result.createObjectStore('kept'))
  return answer(request)
}

function answer<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result as T))
    request.addEventListener('error', () =>
      reject(new Error(`unable to use IndexedDB: ${request.error?.message ?? 'no reason'}`)),
    )
  })
}
