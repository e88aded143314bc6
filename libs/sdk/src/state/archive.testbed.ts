/** An archive in memory, which a test can look into, break and keep beyond a run. */
import type { Conversation } from '@flotilla/protocol'
import type { ChatArchive, Kept, KeptChange } from './archive.ts'
import type { KeptLog } from './log.ts'

export function createMemoryArchive(): ChatArchive & { readonly logs: Map<string, KeptLog> } {
  let parts: Partial<Kept> = {}
  const conversations = new Map<string, Conversation>()
  const logs = new Map<string, KeptLog>()
  const put = <T>(map: Map<string, T>, change: ReadonlyMap<string, T | undefined> = new Map()) => {
    for (const [id, one] of change)
      if (one === undefined) map.delete(id)
      else map.set(id, structuredClone(one))
  }
  const empty = { requests: { requests: [], joinRequests: [] }, users: [], failures: [] }
  return {
    logs,
    load: async () =>
      parts.user === undefined ? undefined : { ...empty, ...parts, conversations: [...conversations.values()] },
    log: async conversation => logs.get(conversation),
    write: async (change: KeptChange) => {
      const { conversations: changed, logs: written, ...rest } = change
      parts = { ...parts, ...structuredClone(rest) }
      put(conversations, changed)
      put(logs, written)
    },
    wipe: async () => {
      parts = {}
      conversations.clear()
      logs.clear()
    },
    close: async () => {},
  }
}
