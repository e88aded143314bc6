/**
 * A signal tells of what is no log, so nothing shows a client that it lacks one. When one was dropped, or may have been
 * lost on the way to this node, the client hears `refresh` and reads anew what signals tell. Once for however many, at
 * most once in a pause for each connection, and so many a second: what is read comes from the store, and a Redis that
 * was away makes every node of the fleet suspect at the same time.
 */
import { performance } from 'node:perf_hooks'
import type { Event } from '@flotilla/protocol'
import type { Missed } from '@flotilla/routing'
import type { Connection } from './connection.ts'

/** Between two times that one connection hears it, and that a client reads. */
export const refreshPauseMs = 5_000
/** How often it is looked who may hear it. */
export const refreshTickMs = 100

/** As much of a connection as is asked for here. */
export type Refreshed = Pick<Connection, 'open' | 'greeted' | 'congested' | 'push'>

export interface Refresher<T extends Refreshed> {
  /** A signal to this connection was dropped. */
  owe(connection: T): void
  /** Signals may have been lost on the way to this node: of these people, or of anybody. */
  suspect(missed: Missed): void
  tick(): void
  readonly stats: { readonly told: number; readonly owed: number }
}

export interface RefresherOptions<T> {
  readonly perSecond: number
  readonly hub: { inOrder(): Iterable<T>; of(user: string): Iterable<T> }
  readonly steady?: () => number
}

const frame = JSON.stringify({ event: 'refresh' } satisfies Event)

export function createRefresher<T extends Refreshed>(options: RefresherOptions<T>): Refresher<T> {
  const { perSecond, hub, steady = () => performance.now() } = options
  const owed = new Set<T>()
  const toldAt = new WeakMap<T, number>()
  let told = 0
  /** No more at once than a tick brings: the nodes of a fleet suspect together. */
  const allowedMax = Math.max(1, (perSecond * refreshTickMs) / 1_000)
  let [allowed, allowedAt] = [allowedMax, steady()]

  function mayHear(connection: T, nowMs: number): boolean {
    return nowMs - (toldAt.get(connection) ?? Number.NEGATIVE_INFINITY) >= refreshPauseMs && !connection.congested
  }

  /** Who is not greeted yet reads everything after it. */
  function owe(connection: T): void {
    if (connection.greeted) owed.add(connection)
  }

  return {
    owe,
    suspect(missed) {
      if (missed === 'anybody') for (const connection of hub.inOrder()) owe(connection)
      else for (const user of missed) for (const connection of hub.of(user)) owe(connection)
    },
    tick() {
      const nowMs = steady()
      allowed = Math.min(allowedMax, allowed + ((nowMs - allowedAt) / 1_000) * perSecond)
      allowedAt = nowMs
      for (const connection of owed) {
        if (allowed < 1) return
        if (!connection.open) owed.delete(connection)
        if (!connection.open || !mayHear(connection, nowMs)) continue
        owed.delete(connection)
        toldAt.set(connection, nowMs)
        allowed--
        told++
        connection.push(frame)
      }
    },
    stats: {
      get told() {
        return told
      },
      get owed() {
        return owed.size
      },
    },
  }
}
