/** Who of the people watched is online. The watch is taken up again on every connection. */
import { type EventOf, limits } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import { asFlotillaError, FlotillaError } from './flotilla-error.ts'
import type { Requests } from './requests.ts'

/** Somebody who is watched came online or went offline. */
export interface Presence {
  readonly user: string
  readonly online: boolean
}

export interface PresenceOptions {
  readonly requests: Requests
  readonly changed: (presence: Presence) => void
  readonly clock: Clock
  readonly report: (thrown: unknown) => void
}

interface Watched {
  /** Unknown until the node has said. */
  online: boolean | undefined
  /** Counts what was heard, so that an answer does not undo a change that overtook it. */
  changes: number
}

/** Before a watch is taken up again that failed for no fault of ours. */
const retryMs = 2_000

export class PresenceWatch {
  readonly #options: PresenceOptions
  readonly #watched = new Map<string, Watched>()
  #live = false

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Watches more people. Rejects when the server will not have it; without a connection it begins with the next. */
  async watch(users: readonly string[]): Promise<void> {
    const added = [...new Set(users)].filter(user => !this.#watched.has(user))
    if (this.#watched.size + added.length > limits.presenceWatchMax)
      throw new FlotillaError('watch_limit_reached', `unable to watch: at most ${limits.presenceWatchMax} people`)
    for (const user of added) this.#watched.set(user, { online: undefined, changes: 0 })
    if (!this.#live || added.length === 0) return
    try {
      await this.#ask(added)
    } catch (thrown) {
      const error = asFlotillaError(thrown, 'internal', 'watch')
      // Out of reach for the moment: the next connection, or the next try, takes it up.
      if (error.retry) return this.#again(added, error)
      for (const user of added) this.#watched.delete(user)
      throw error
    }
  }

  unwatch(users: readonly string[]): void {
    const ended = users.filter(user => this.#watched.delete(user))
    if (this.#live && ended.length > 0) this.#options.requests.tell('presence.unwatch', { users: ended })
  }

  /** What is known of those watched. */
  known(): ReadonlyMap<string, boolean> {
    const known = new Map<string, boolean>()
    for (const [user, { online }] of this.#watched) if (online !== undefined) known.set(user, online)
    return known
  }

  live(): void {
    this.#live = true
    void this.#takeUp([...this.#watched.keys()])
  }

  down(): void {
    this.#live = false
  }

  /** In the order in which the node tells it: its `at` is for showing. */
  heard({ user, online }: EventOf<'presence.changed'>): void {
    const watched = this.#watched.get(user)
    if (watched === undefined) return
    watched.changes += 1
    this.#set(user, watched, online)
  }

  #set(user: string, watched: Watched, online: boolean): void {
    if (watched.online === online) return
    watched.online = online
    this.#options.changed({ user, online })
  }

  async #ask(users: readonly string[]): Promise<void> {
    const before = new Map(users.map(user => [user, this.#watched.get(user)?.changes]))
    const { online } = await this.#options.requests.request('presence.watch', { users: [...users] })
    const here = new Set(online)
    for (const user of users) {
      const watched = this.#watched.get(user)
      if (watched !== undefined && watched.changes === before.get(user)) this.#set(user, watched, here.has(user))
    }
  }

  /** One person whom we may not watch any longer must not cost us the others: halve until it is found. */
  async #takeUp(users: readonly string[]): Promise<void> {
    if (users.length === 0 || !this.#live) return
    try {
      await this.#ask(users)
    } catch (thrown) {
      const error = asFlotillaError(thrown, 'internal', 'watch')
      if (error.retry) return this.#again(users, error)
      if (users.length === 1) {
        for (const user of users) this.#watched.delete(user)
        return this.#options.report(error)
      }
      const half = Math.ceil(users.length / 2)
      await this.#takeUp(users.slice(0, half))
      await this.#takeUp(users.slice(half))
    }
  }

  #again(users: readonly string[], error: FlotillaError): void {
    if (error.code === 'disconnected') return
    const left = () => users.filter(user => this.#watched.has(user))
    this.#options.clock.after(Math.max(retryMs, error.retryMs ?? 0), () => void this.#takeUp(left()))
  }
}
