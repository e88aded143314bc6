/**
 * Who may see whether somebody is here changes: by a block, by a setting, by the end of a contact. A watch begins only
 * with whom the watcher may see. When somebody hides, which the pulse tells every node within a second, their watchers
 * here are asked about anew: those who may not see them any longer are told that they are offline, and watch no more.
 */
import { type ChatContext, privacy } from '@flotilla/chat'
import type { Event } from '@flotilla/protocol'
import type { Logger } from '@flotilla/service'
import type { Connection } from './connection.ts'
import type { Hub } from './hub.ts'

const retryMs = 1_000

export interface Hider {
  /**
   * Finds out whom somebody may see.
   * @param begin starts the watch, at once, so that nobody can hide between the answer and it
   */
  watch<T>(viewer: string, users: readonly string[], begin: (seen: readonly string[]) => T): Promise<T>
  stop(): void
}

export interface HiderOptions {
  readonly chat: ChatContext
  readonly hub: Hub
  readonly logger: Logger
  readonly clock: () => number
  /** Nobody here watches these people any longer. */
  onUnwatched(users: readonly string[]): void
}

export function createHider(options: HiderOptions): Hider {
  const { chat, hub, logger, clock } = options
  const waiting = new Set<string>()
  /** Rises whenever somebody has hidden: what was asked before may be outdated. */
  let turn = 0
  let running = false
  let stopped = false
  const isStopped = () => stopped

  chat.pulse.onHidden(users => {
    turn++
    for (const user of users) if (hub.watchersOf(user).length > 0) waiting.add(user)
    if (!running) void run()
  })

  async function run() {
    running = true
    while (waiting.size > 0 && !isStopped()) {
      const user = waiting.values().next().value!
      waiting.delete(user)
      try {
        await check(user)
      } catch (error) {
        waiting.add(user)
        logger.warn({ err: error }, 'unable to read who may see somebody who hid; trying again')
        await new Promise(resolve => setTimeout(resolve, retryMs))
      }
    }
    running = false
  }

  async function check(user: string) {
    const viewers = new Set(hub.watchersOf(user).map(connection => connection.user))
    const may = await privacy.audience(chat, user, [...viewers], 'last_seen')
    // Whoever has begun to watch meanwhile asked later than this and knows.
    const shut = hub.watchersOf(user).filter(({ user: viewer }) => viewers.has(viewer) && !may.has(viewer))
    if (shut.length === 0) return
    const gone = { event: 'presence.changed', user, online: false, at: clock() } satisfies Event
    const frame = JSON.stringify(gone)
    for (const connection of shut) {
      connection.push(frame)
      options.onUnwatched(hub.unwatch(connection, [user]))
    }
  }

  return {
    async watch(viewer, users, begin) {
      for (;;) {
        const asked = turn
        const seen = await privacy.visible(chat, viewer, users, 'last_seen')
        if (asked === turn) return begin([...seen])
      }
    },
    stop() {
      stopped = true
    },
  }
}

/** Of these people, those whom a connection still watches: somebody may have hidden while it was found out who is here. */
export function stillWatched(connection: Connection, users: Iterable<string>): string[] {
  return [...users].filter(user => connection.watching?.has(user) === true)
}
