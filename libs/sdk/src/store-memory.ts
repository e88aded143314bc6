/** A store that lives as long as the object: for tests, and for a client that starts afresh each time. */
import type { Store, StoredCursor, StoredDraft, StoredSend } from './store.ts'

export function createMemoryStore(): Store {
  let user: string | undefined
  const cursors = new Map<string, StoredCursor>()
  const sends = new Map<string, StoredSend>()
  const drafts = new Map<string, StoredDraft>()
  return {
    async load() {
      return {
        ...(user === undefined ? {} : { user }),
        cursors: [...cursors.values()],
        sends: [...sends.values()].sort((one, other) => one.order - other.order),
        drafts: [...drafts.values()],
      }
    },
    async setUser(next) {
      user = next
    },
    async writeCursors(put, drop) {
      for (const cursor of put) cursors.set(cursor.conversation, cursor)
      for (const conversation of drop) cursors.delete(conversation)
    },
    async addSend(send) {
      sends.set(send.clientId, structuredClone(send))
    },
    async removeSend(clientId) {
      sends.delete(clientId)
    },
    async putDraft(conversation, draft) {
      if (draft === undefined) drafts.delete(conversation)
      else drafts.set(conversation, draft)
    },
  }
}
