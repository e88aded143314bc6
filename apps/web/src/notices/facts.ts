/** What only the server knows of whether a message is told: read when the first one comes, and anew when it may have changed. */
import type { Client, Settings } from '@flotilla/sdk'

export interface Facts {
  settings(): Promise<Pick<Settings, 'notify' | 'quietHours'>>
  isBlocked(user: string): Promise<boolean>
  follows(conversation: string, root: number): Promise<boolean>
  end(): void
}

/** No event tells of changed settings. */
const settingsMs = 60_000
const threadsMax = 100
const pageMax = 200

export function createFacts(client: Pick<Client, 'rest' | 'on'>): Facts {
  const { rest } = client
  let settings: { readonly at: number; readonly read: Promise<Settings> } | undefined
  let blocked: Promise<Set<string>> | undefined
  const followed = new Map<string, Promise<boolean>>()
  const key = (conversation: string, root: number) => `${conversation}/${root}`
  const ends = [
    client.on('block', ({ user, blocked: isBlocked }) => {
      void blocked?.then(all => (isBlocked ? all.add(user) : all.delete(user))).catch(() => {})
    }),
    client.on('thread', ({ conversation, thread, following }) => {
      followed.set(key(conversation, thread), Promise.resolve(following))
    }),
    client.on('refresh', () => {
      settings = undefined
      blocked = undefined
      followed.clear()
    }),
  ]

  async function readBlocked(): Promise<Set<string>> {
    const all = new Set<string>()
    let after: string | undefined
    do {
      const page = await rest.blocks.list({ limit: pageMax, ...(after === undefined ? {} : { after }) })
      for (const { user } of page.blocks) all.add(user.id)
      after = page.next
    } while (after !== undefined)
    return all
  }

  async function readFollows(conversation: string, root: number): Promise<boolean> {
    const { entries } = await rest.history(conversation, { after: root - 1, limit: 1 })
    const [message] = entries
    return message?.event === 'message.new' && message.seq === root && message.replies?.following === true
  }

  return {
    settings() {
      if (settings === undefined || Date.now() - settings.at > settingsMs)
        settings = { at: Date.now(), read: rest.profile.settings() }
      const { read } = settings
      read.catch(() => {
        settings = undefined
      })
      return read
    },
    async isBlocked(user) {
      blocked ??= readBlocked()
      blocked.catch(() => {
        blocked = undefined
      })
      return (await blocked).has(user)
    },
    follows(conversation, root) {
      const name = key(conversation, root)
      const known = followed.get(name)
      if (known !== undefined) return known
      const read = readFollows(conversation, root)
      if (followed.size >= threadsMax) followed.clear()
      followed.set(name, read)
      read.catch(() => followed.delete(name))
      return read
    },
    end() {
      for (const end of ends) end()
    },
  }
}
