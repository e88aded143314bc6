/**
 * Who may see whether somebody is here changes: by a block, by a setting, by the end of a contact, by a removal. A watch
 * begins only with whom the watcher may see. When somebody hides, which the pulse tells every node within a second, their
 * watchers here are asked about anew; and so are the watches of whoever has left a conversation. Those who may not see
 * somebody any longer are told that they are offline, and watch no more.
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
  /** These people left a conversation: with some of those whom they watch they may share none any longer. */
  left(viewers: readonly string[]): void
  stop(): void
}

export interface HiderOptions {
  readonly chat: ChatContext
  readonly hub: Hub
  readonly logger: Logger
  /** Nobody here watches these people any longer. */
  onUnwatched(users: readonly string[]): void
}

export function createHider(options: HiderOptions): Hider {
  const { chat, hub, logger } = options
  /** What is to be asked about, by a name of its own. */
  const waiting = new Map<string, () => Promise<void>>()
  /** Rises whenever somebody has hidden: what was asked before may be outdated. */
  let turn = 0
  let running = false
  let stopped = false
  const isStopped = () => stopped

  chat.pulse.onHidden(users => {
    turn++
    for (const user of users) if (hub.watchersOf(user).length > 0) waiting.set(`hid ${user}`, () => check(user))
    if (!running) void run()
  })

  async function run() {
    running = true
    while (waiting.size > 0 && !isStopped()) {
      const [name, ask] = waiting.entries().next().value!
      waiting.delete(name)
      try {
        await ask()
      } catch (error) {
        if (!waiting.has(name)) waiting.set(name, ask)
        logger.warn({ err: error }, 'unable to read who may still see a user; retrying')
        await new Promise(resolve => setTimeout(resolve, retryMs))
      }
    }
    running = false
  }

  async function check(user: string) {
    const viewers = new Set(hub.watchersOf(user).map(connection => connection.user))
    const may = await mayWatch(user, [...viewers], privacy.audience)
    // Whoever has begun to watch meanwhile asked later than this and knows.
    const shut = hub.watchersOf(user).filter(({ user: viewer }) => viewers.has(viewer) && !may.has(viewer))
    for (const connection of shut) shutOut(connection, user)
  }

  /** Of these people, those on whom the setting and the tie between the two agree: a contact that has ended leaves everyone a stranger. */
  async function mayWatch(
    user: string,
    others: readonly string[],
    shown: typeof privacy.audience,
  ): Promise<Set<string>> {
    const [may, acquainted] = await Promise.all([
      shown(chat, user, others, 'last_seen'),
      privacy.acquaintedOf(chat, user, others),
    ])
    return new Set([...may].filter(one => acquainted.has(one)))
  }

  async function checkWatches(viewer: string) {
    const watched = new Set(hub.watchingOf(viewer).flatMap(connection => [...connection.watching!]))
    if (watched.size === 0) return
    const may = await privacy.acquaintedOf(chat, viewer, [...watched])
    for (const connection of hub.watchingOf(viewer))
      for (const user of stillWatched(connection, watched)) if (!may.has(user)) shutOut(connection, user)
  }

  function shutOut(connection: Connection, user: string) {
    connection.push(
      JSON.stringify({ event: 'presence.changed', user, online: false, at: chat.clock() } satisfies Event),
    )
    options.onUnwatched(hub.unwatch(connection, [user]))
  }

  return {
    async watch(viewer, users, begin) {
      for (;;) {
        const asked = turn
        const seen = await mayWatch(viewer, users, privacy.visible)
        if (asked === turn) return begin([...seen])
      }
    },
    left(viewers) {
      for (const viewer of viewers)
        if (hub.watchingOf(viewer).length > 0) waiting.set(`left ${viewer}`, () => checkWatches(viewer))
      if (!running) void run()
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
