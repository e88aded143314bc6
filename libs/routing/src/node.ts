/**
 * A node of the fleet: what the gateway and the api hold in their hands. It joins the contracts into one promise: a
 * frame that is routed reaches every socket of its people, on whatever node, or somebody hears that it may not have.
 * Either `absent` is called (nobody is live for them), or `suspect` on the node that may have missed it.
 */
import { createAbsences } from './absences.ts'
import { type Budgets, createBudgets } from './budgets.ts'
import { type Clock, createAgeClock, systemClock } from './clock.ts'
import { decodeEnvelope, deliveryOf, type Header } from './envelope.ts'
import { createFleet } from './fleet.ts'
import { createHints } from './hints.ts'
import { createKeeper, type SuspectReason } from './keeper.ts'
import { type NodeInfo, type NodeView, splitPlace } from './leases.ts'
import type { RoutingLogger } from './logger.ts'
import { type Missed, nobody } from './missed.ts'
import { createNumbers } from './numbers.ts'
import { createRegistrar } from './registrar.ts'
import {
  absencesOf,
  createRouter,
  type DeliveryPorts,
  type RoutedFrame,
  type RouterStats,
  type TraceEntry,
} from './router.ts'
import { type NodeSettings, nodeDefaults } from './settings.ts'
import type { RoutingStore } from './store.ts'
import { createSuspicion } from './suspicion.ts'
import { createSweeper } from './sweeper.ts'
import { createWatching, type PresenceChange } from './watching.ts'

export interface NodePorts extends DeliveryPorts {
  /**
   * Something may have been lost within so many ms until now: compare the cursors of the local people with the heads, and
   * have those whose signals may be among it read anew what signals tell. Called when the local people are entered and the
   * inbox is open, so nothing more is lost meanwhile.
   */
  suspect(ageMs: number, missed: Missed): void
  /** Watched people came or went. */
  presenceChanged(changes: readonly PresenceChange[]): void
}

/** Of a process that routes and has no sockets: everybody is elsewhere, and there is nothing to heal. */
export const portsWithoutSockets = (absent: NodePorts['absent']): NodePorts => ({
  deliver: users => users,
  deliverByInterest() {},
  absent,
  suspect() {},
  presenceChanged() {},
})

export interface NodeOptions {
  /** Names the process; no two that run at the same time may share it. Letters, digits, `.`, `_` and `-`. */
  readonly id: string
  readonly store: RoutingStore
  readonly ports: NodePorts
  /** What the fleet is told about this node; asked at every beat. */
  readonly info: () => NodeInfo
  readonly logger: RoutingLogger
  readonly clock?: Clock
  readonly random?: () => number
  readonly settings?: Partial<NodeSettings>
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry
}

/** Counts since the start, for metrics. */
export interface NodeStats extends RouterStats {
  absences: number
  envelopes: number
  envelopeFrames: number
  /** Envelopes that could not be read or taken. */
  malformed: number
  /** Envelopes for an earlier generation of this node. They are delivered all the same. */
  belated: number
  /** Envelopes that came before already. They are dropped. */
  repeated: number
  suspects: Record<SuspectReason, number>
  beats: number
  fences: number
  restores: number
  /** Times the inbox was opened anew, because it turned out to be deaf. */
  renewals: number
  sweeps: number
  /** Commands that Redis refused, by why. */
  readonly refusals: RoutingStore['refusals']
}

export interface RoutingNode {
  readonly id: string
  /** `id:generation`; generation 0 before the first lease. */
  place(): string
  /** Opens the inbox and takes the lease. Returns also when the store does not answer, and goes on trying. */
  start(): Promise<void>
  /** Takes everything away and gives the lease back. The store stays open: it is the caller's. */
  stop(): Promise<void>
  /** up: the store is reachable, the lease held, everything entered. fenced: the lease was lost and is taken anew. */
  state(): 'up' | 'down' | 'fenced'
  /**
   * A person has a socket here. Call it for every socket, before the heads are read: it resolves when the entry is in
   * force, or at once while the store is away; then `suspect` follows when it is back.
   */
  connect(user: string): Promise<void>
  /** A person's last socket here closed. */
  disconnect(user: string): Promise<void>
  /** Sends frames on their way: sockets here at once, the others by their nodes. Never rejects. */
  route(frames: readonly RoutedFrame[]): Promise<void>
  /** Who of these is online, looked up now; of this node's own knowledge while the store is away. */
  online(users: readonly string[]): Promise<ReadonlySet<string>>
  /** Who of these is probably online nowhere, by the look-ups of the last while. Unknown counts as absent. A hint. */
  presumedAbsent(users: readonly string[]): readonly string[]
  /** Somebody here watches these people from now on. Answers who of them is online. */
  watch(users: readonly string[]): Promise<readonly string[]>
  /** Nobody here watches these people any more. */
  unwatch(users: readonly string[]): Promise<void>
  /** A member of a conversation that is routed by interest is here. As with `connect`: before the head is read. */
  join(conversation: string): Promise<void>
  leave(conversation: string): Promise<void>
  /** The fleet, as of the last beat. */
  nodes(): readonly NodeView[]
  /** Tells the fleet now what `info` answers, instead of with the next beat. */
  tell(): void
  /** Counts a hit, or takes one back (−1); undefined while the store is away. */
  hit(key: string, windowMs: number, by?: 1 | -1): Promise<{ count: number; resetMs: number } | undefined>
  /** What people and network addresses may take, over all nodes. */
  readonly budgets: Budgets
  readonly stats: Readonly<NodeStats>
}

function noStats(refusals: RoutingStore['refusals']): NodeStats {
  return {
    frames: 0,
    lookups: 0,
    publishes: 0,
    publishedBytes: 0,
    unheard: 0,
    unsent: 0,
    absences: 0,
    envelopes: 0,
    envelopeFrames: 0,
    malformed: 0,
    belated: 0,
    repeated: 0,
    suspects: { deaf: 0, fenced: 0, stalled: 0, entries_lost: 0, gap: 0, unreadable: 0, node_died: 0, told: 0 },
    beats: 0,
    fences: 0,
    restores: 0,
    renewals: 0,
    sweeps: 0,
    refusals,
  }
}

// oxlint-disable-next-line max-lines-per-function -- it joins all parts of the routing, which call each other through it
export function createNode(options: NodeOptions): RoutingNode {
  const { id, store, ports, logger } = options
  if (!/^[\w.-]{1,128}$/.test(id)) throw new Error(`unable to create a node: ${JSON.stringify(id)} is no name for one`)
  const wallClock = options.clock ?? systemClock
  const clock = createAgeClock(wallClock)
  const settings: NodeSettings = { ...nodeDefaults, ...options.settings }
  const stats = noStats(store.refusals)
  const { broker, whereabouts, leases, counters } = store

  const fleet = createFleet(() => keeper.beatSoon())
  const numbers = createNumbers(settings.tallyBeats, clock.now())
  const hints = createHints(settings.hintsMax, settings.hintMs)
  const suspicion = createSuspicion({
    clock,
    gatherMs: settings.suspectGatherMs,
    pauseMs: settings.suspectPauseMs,
    jitterMs: settings.suspectJitterMs,
    random: options.random ?? Math.random,
    isSettled: () => keeper.isSettled(),
    report: (since, missed) => ports.suspect(clock.now() - since, missed),
  })
  const registrar = createRegistrar({
    whereabouts,
    chunkMax: settings.registerNamesMax,
    onPerson(user, others) {
      // With another place they were online and still are.
      if (!fleet.isLiveAny(others)) watching.note(user)
    },
    onFailure: error => keeper.onWriteFailed(error),
  })
  const isHere = (user: string) => registrar.has('presence', user)
  const place = () => keeper.place()
  const watching = createWatching({
    clock: wallClock,
    whereabouts,
    fleet,
    gatherMs: settings.presenceGatherMs,
    changesMax: settings.presenceChangesMax,
    place,
    isHere,
    isWatched: user => registrar.has('watch', user),
    // A change that is lost is found by the next recheck.
    send: (to, presence) => void router.send(to, { presence }).catch(() => {}),
    presenceChanged: changes => ports.presenceChanged(changes),
  })
  const absences = createAbsences({
    whereabouts,
    fleet,
    hints,
    clock,
    stats,
    gatherMs: settings.absenceGatherMs,
    pauseMs: settings.lookupPauseMs,
    entriesMax: settings.absenceEntriesMax,
    place,
    isHere,
    absent: list => ports.absent(list),
  })
  const router = createRouter({
    broker,
    whereabouts,
    fleet,
    numbers,
    hints,
    absences,
    clock,
    ports,
    stats,
    waitingCharsMax: settings.waitingCharsMax,
    envelopeCharsMax: settings.envelopeCharsMax,
    pauseMs: settings.lookupPauseMs,
    place,
    isHere,
    unsent: (since, missed) => keeper.unsent(since, missed),
    ...(options.trace === undefined ? {} : { trace: options.trace }),
  })
  const sweeper = createSweeper({
    whereabouts,
    leases,
    counters,
    clock,
    logger,
    claimMs: settings.sweepClaimMs,
    onGone: user => watching.note(user),
    onSwept: () => stats.sweeps++,
  })
  const keeper = createKeeper({
    id,
    store,
    fleet,
    numbers,
    registrar,
    sweeper,
    watching,
    clock,
    random: options.random ?? Math.random,
    logger,
    settings,
    info: options.info,
    suspect,
    onSettled() {
      router.resume()
      suspicion.settled()
    },
    onStats: what => stats[what]++,
    async tellUnsent(since, missed) {
      const lostMs = Math.ceil(clock.now() - since)
      const suspect = wallClock.now() - lostMs
      const lost = { lostMs, suspect, ...(missed === 'anybody' ? {} : { signalsOf: [...missed] }) }
      const others = fleet.live().filter(other => other !== place())
      await Promise.all(others.map(other => router.send(other, lost)))
    },
  })

  const budgets = createBudgets({ node: id, counters, clock: wallClock })

  let recheck: (() => void) | undefined
  let unreadSince: number | undefined
  let callOffUnread: (() => void) | undefined

  function suspect(since: number, reason: SuspectReason, missed: Missed) {
    stats.suspects[reason]++
    suspicion.raise(since - settings.suspectMarginMs, missed)
    // A change of presence may be among what was lost.
    recheck ??= clock.after(settings.presenceRecheckMs, () => {
      recheck = undefined
      void recheckAll().catch(() => {})
    })
  }

  async function recheckAll(): Promise<void> {
    const users = [...registrar.names('watch')]
    for (let i = 0; i < users.length; i += settings.registerNamesMax)
      await watching.recheck(users.slice(i, i + settings.registerNamesMax))
  }

  function receive(text: string | undefined) {
    stats.envelopes++
    try {
      if (text === undefined) throw new Error('no node of the fleet sealed it, or the MASTER_KEYS differ')
      const envelope = decodeEnvelope(text)
      if (envelope === undefined) throw new Error('it is none, or of another version')
      const { header, frames } = envelope
      if (header.from === place() && header.tally === true) return keeper.heardEcho(header.n)
      if (isRepeated(header)) return void stats.repeated++
      deliver(header, frames)
      if (header.presence !== undefined) watching.heard(header.presence)
      const lostMs = header.lostMs ?? (header.suspect === undefined ? undefined : wallClock.now() - header.suspect)
      if (Number.isFinite(lostMs))
        suspect(
          clock.now() - Math.min(Math.max(lostMs!, 0), settings.suspectAgeMsMax),
          'told',
          header.signalsOf === undefined ? 'anybody' : new Set(header.signalsOf),
        )
    } catch (error) {
      stats.malformed++
      unreadSince ??= clock.now()
      if (callOffUnread === undefined)
        // Not what it holds: that may be what somebody wrote.
        logger.warn({ err: error, chars: text?.length }, 'envelope rejected')
      lookForUnread()
    }
  }

  /** A node of another version may send nothing else: once in a while it is looked for what that may have been. */
  function lookForUnread() {
    if (callOffUnread !== undefined || unreadSince === undefined) return
    suspect(unreadSince, 'unreadable', 'anybody')
    unreadSince = undefined
    callOffUnread = clock.after(settings.unreadablePauseMs, () => {
      callOffUnread = undefined
      lookForUnread()
    })
  }

  /** Counts the envelope, and tells whether it came before: who can write in Redis may say again what a node has said. */
  function isRepeated(header: Header): boolean {
    // What was meant for an earlier generation belongs to a count that is over; so does what a dead place sent.
    if (header.to !== place()) stats.belated++
    else if (!fleet.isOver(header.from)) {
      const { from, n, tally, signals, items = [] } = header
      const hasSignals = items.some(item => item.class === 'signal')
      const found = numbers.heard(from, { n, isTally: tally === true, hasSignals, signals }, clock.now())
      if (found.missingSince !== undefined)
        suspect(found.missingSince, 'gap', found.areSignalsMissing ? 'anybody' : nobody)
      return found.isRepeated
    }
    return false
  }

  function deliver({ items }: Header, frames: readonly string[]) {
    if (items === undefined) return
    stats.envelopeFrames += frames.length
    const missed = []
    for (let i = 0; i < items.length; i++) {
      const { to, entry } = items[i]!
      const frame = frames[i]!
      if ('conversation' in to) {
        ports.deliverByInterest(to, frame, entry!, undefined)
        continue
      }
      const missing = ports.deliver(to, frame, deliveryOf(items[i]!), undefined)
      if (entry !== undefined && missing.length > 0) missed.push(...absencesOf({ to: [...missing], entry }))
    }
    absences.reportAfterLook(place(), missed)
  }

  return {
    id,
    stats,
    place,
    async start() {
      broker.subscribe(id, receive)
      await keeper.start()
      logger.info({ place: place(), state: keeper.state() }, 'node started')
    },
    async stop() {
      await keeper.stop()
      await absences.stop()
      suspicion.stop()
      recheck?.()
      callOffUnread?.()
      if (splitPlace(place()).generation === 0) return
      try {
        await registrar.clear()
        await watching.flush()
        await whereabouts.forget(place())
        // Before the goodbye, so that nobody sets out to sweep what is clean.
        await leases.swept(place())
        await leases.release(place())
      } catch (error) {
        logger.warn({ err: error }, 'cleanup incomplete; other nodes will finish it')
        await leases.release(place()).catch(() => {})
      }
      watching.stop()
      budgets.stop()
    },
    budgets,
    state: () => keeper.state(),
    connect: user => registrar.set('presence', [user], true),
    disconnect: user => registrar.set('presence', [user], false),
    route: frames => router.route(frames),
    async online(users) {
      try {
        let online = await watching.online(users)
        // A place that is newer than the view, or long over: the next view tells which.
        if (fleet.hasStrangers()) {
          await keeper.refresh()
          online = await watching.online(users)
        }
        return online
      } catch {
        return new Set(users.filter(isHere))
      }
    },
    presumedAbsent(users) {
      const away = absences.awayLately(users)
      if (away !== undefined) return away
      const now = clock.steady()
      return users.filter(user => !isHere(user) && hints.isPresent(user, now) !== true)
    },
    async watch(users) {
      await registrar.set('watch', users, true)
      try {
        return await watching.begin(users)
      } catch {
        return users.filter(isHere)
      }
    },
    async unwatch(users) {
      watching.end(users)
      await registrar.set('watch', users, false)
    },
    join: conversation => registrar.set('interest', [conversation], true),
    leave: conversation => registrar.set('interest', [conversation], false),
    nodes: () => fleet.nodes(),
    tell: () => keeper.beatSoon(),
    async hit(key, windowMs, by) {
      try {
        return await counters.hit(key, windowMs, by)
      } catch {
        return undefined
      }
    },
  }
}
