/**
 * Keeps a node's place in the fleet: the lease with its beat, the entries behind it, the inbox. Whatever breaks, it is
 * mended in one order: first the inbox is open, then the lease is held, then everything is entered, and only then is it
 * said that something may have been lost, so that nothing can slip through between the saying and the mending.
 */
import type { Clock } from './clock.ts'
import { encodeEnvelope, envelopeVersion } from './envelope.ts'
import type { Fleet } from './fleet.ts'
import { type NodeInfo, placeOf } from './leases.ts'
import type { RoutingLogger } from './logger.ts'
import { joinMissed, type Missed, nobody } from './missed.ts'
import type { Numbers } from './numbers.ts'
import type { Registrar } from './registrar.ts'
import type { NodeSettings } from './settings.ts'
import type { RoutingStore } from './store.ts'
import type { Sweeper } from './sweeper.ts'
import type { Watching } from './watching.ts'

/** Why something may have been lost. */
export type SuspectReason = 'deaf' | 'fenced' | 'stalled' | 'entries_lost' | 'gap' | 'unreadable' | 'node_died' | 'told'

export interface KeeperOptions {
  readonly id: string
  readonly store: RoutingStore
  readonly fleet: Fleet
  readonly numbers: Numbers
  readonly registrar: Registrar
  readonly sweeper: Sweeper
  readonly watching: Watching
  /** Of ages: `now` is comparable within this process only. */
  readonly clock: Clock
  readonly random: () => number
  readonly logger: RoutingLogger
  readonly settings: NodeSettings
  info(): NodeInfo
  suspect(since: number, reason: SuspectReason, missed: Missed): void
  /** The node misses nothing from now on. */
  onSettled(): void
  onStats(what: 'beats' | 'fences' | 'restores' | 'renewals'): void
  /** Tells all places that this node may have failed to send to them. @throws when it cannot now */
  tellUnsent(since: number, missed: Missed): Promise<void>
}

export interface Keeper {
  place(): string
  state(): 'up' | 'down' | 'fenced'
  isSettled(): boolean
  start(): Promise<void>
  stop(): Promise<void>
  /** A beat before its time, because something does not fit the view. */
  beatSoon(): void
  /** Resolves after a beat that began after this call. */
  refresh(): Promise<void>
  /** The own envelope came back. */
  heardEcho(n: number): void
  /** The store could not be written: what was entered must be entered again. */
  onWriteFailed(error: unknown): void
  /** Entries, or signals of these people, could not be sent on, since then. */
  unsent(since: number, missed: Missed): void
}

// oxlint-disable-next-line max-lines-per-function -- the states of a lease and the ways between them stand side by side
export function createKeeper(options: KeeperOptions): Keeper {
  const { id, store, fleet, numbers, registrar, clock, settings, logger } = options
  const { broker, leases, whereabouts } = store
  const startedAt = clock.now()
  let generation = 0
  /** The place under which everything is entered. */
  let entered: string | undefined
  const formerPlaces = new Set<string>()
  let isFenced = false
  let isBeatFailing = true
  /** Also of a first beat that fails it is said why. */
  let isFailureTold = false
  /** Since when the node may have missed something. */
  let missingSince: { at: number; reason: SuspectReason } | undefined
  let unsent: { readonly since: number; readonly missed: Missed } | undefined
  let lastBeat = { at: startedAt, steady: clock.steady() }
  let lastWholeAt = startedAt
  let echo = { n: 0, heard: 0, sentAt: 0, heardAt: startedAt }
  let auditCycles = { began: startedAt, before: startedAt, kind: '' }
  let isStopped = false
  let callOff = () => {}
  let beating: Promise<void> | undefined
  let beatBegan = Number.NEGATIVE_INFINITY
  let isWantedSoon = false
  let settling: Promise<void> | undefined

  const place = () => placeOf(id, generation)
  const isSettled = () =>
    entered === place() && registrar.isWhole() && missingSince === undefined && broker.state() === 'up'

  function miss(at: number, reason: SuspectReason) {
    missingSince = missingSince === undefined || at < missingSince.at ? { at, reason } : missingSince
  }

  function plan(ms: number) {
    callOff()
    if (!isStopped) callOff = clock.after(ms, () => void beat())
  }

  function beat(): Promise<void> {
    callOff()
    beating ??= beatOnce().finally(() => {
      beating = undefined
      if (isBeatFailing) plan(settings.retryMs)
      else if (isWantedSoon) beatSoon()
      else plan(settings.beatMs * (0.9 + options.random() * 0.2))
    })
    return beating
  }

  function beatSoon() {
    isWantedSoon = beating !== undefined
    if (!isWantedSoon) plan(Math.max(0, beatBegan + settings.earlyBeatMs - clock.steady()))
  }

  async function beatOnce(): Promise<void> {
    beatBegan = clock.steady()
    isWantedSoon = false
    const before = lastBeat
    try {
      fleet.beginBeat(beatBegan)
      let answer = generation === 0 ? undefined : await leases.beat(place(), options.info(), settings.leaseMs)
      if (answer?.held !== true) {
        await takeLease(before.at)
        answer = await leases.beat(place(), options.info(), settings.leaseMs)
      }
      // The lease was not missed by anybody, but a process that stood still for so long cannot know what it missed.
      else if (!isBeatFailing && beatBegan - before.steady > settings.leaseMs) miss(before.at, 'stalled')
      const now = clock.now()
      lastBeat = { at: now, steady: clock.steady() }
      if (isBeatFailing) logger.info({ place: place() }, 'lease renewed')
      isBeatFailing = false
      isFailureTold = false
      options.onStats('beats')
      takeView(fleet.update(answer, now))
      sendTallies()
      listen()
    } catch (error) {
      if (!isFailureTold) logger.warn({ err: error, place: place() }, 'heartbeat failed; continuing without redis')
      isFailureTold = true
      isBeatFailing = true
      return
    }
    // Not awaited: entering many people may take longer than the lease lasts.
    void settle()
  }

  /** Takes a lease under a new generation. Everything must be entered again under it. */
  async function takeLease(lastBeatAt: number): Promise<void> {
    const before = generation
    generation = await leases.acquire(id, options.info(), generation)
    numbers.reset(clock.now())
    echo = { ...echo, heard: echo.n }
    if (before === 0) return
    formerPlaces.add(placeOf(id, before))
    isFenced = true
    options.onStats('fences')
    miss(lastBeatAt, 'fenced')
    logger.warn({ place: place(), before }, 'lease lost; new generation started')
  }

  function takeView({ died, ended }: ReturnType<Fleet['update']>) {
    for (const death of died) {
      if (formerPlaces.has(death.place)) continue
      logger.warn({ place: death.place }, 'node died')
      // It may have committed something and not have sent it.
      options.suspect(death.lastSeen, 'node_died', 'anybody')
    }
    for (const over of ended) numbers.quiet(over)
    for (const over of fleet.unswept()) if (!formerPlaces.has(over)) void options.sweeper.sweep(over)
  }

  function sendTallies() {
    for (const { to, ...counts } of numbers.tallies()) {
      const text = encodeEnvelope({ v: envelopeVersion, from: place(), to, ...counts, tally: true })
      broker.publish(to.slice(0, to.lastIndexOf(':')), text).then(
        heard => fleet.mark(to, heard === 0, clock.steady()),
        () => {},
      )
    }
  }

  /** Sends an envelope to the own inbox: the only proof that the whole way from a publisher to here is open. */
  function listen() {
    if (broker.state() === 'down') return
    if (echo.heard < echo.n) {
      if (clock.steady() - echo.sentAt < settings.echoMsMax) return
      return beDeaf(echo.heardAt)
    }
    echo = { ...echo, n: echo.n + 1, sentAt: clock.steady() }
    const text = encodeEnvelope({ v: envelopeVersion, from: place(), to: place(), n: echo.n, tally: true })
    const { heardAt } = echo
    broker.publish(id, text).then(
      heard => {
        if (heard === 0 && broker.state() === 'up') beDeaf(heardAt)
      },
      () => {},
    )
  }

  function beDeaf(since: number) {
    logger.warn({ place: place() }, 'inbox deaf; reopening')
    options.onStats('renewals')
    miss(since, 'deaf')
    echo = { ...echo, heard: echo.n }
    broker.renew()
  }

  function settle(): Promise<void> {
    settling ??= settleOnce()
      .catch((error: unknown) => {
        if (isStopped) return
        logger.warn({ err: error, place: place() }, 'registration failed; retrying')
        plan(settings.retryMs)
      })
      .finally(() => {
        settling = undefined
      })
    return settling
  }

  async function settleOnce(): Promise<void> {
    const isUp = () => broker.state() === 'up' && !isStopped
    if (!isUp()) return
    const at = place()
    const began = clock.now()
    if (entered !== at || !registrar.isWhole() || !(await whereabouts.intact(at))) {
      // People who came before the first entry was possible may have missed something too.
      if (entered === at || (entered === undefined && registrar.names('presence').size > 0))
        miss(lastWholeAt, 'entries_lost')
      await registrar.restore(at)
      entered = at
      options.onStats('restores')
    }
    if (at !== place() || !isUp()) return
    lastWholeAt = began
    isFenced = false
    if (missingSince !== undefined) {
      options.suspect(missingSince.at, missingSince.reason, 'anybody')
      missingSince = undefined
    }
    options.onSettled()
    for (const former of formerPlaces) {
      await options.sweeper.sweepOwn(former)
      formerPlaces.delete(former)
    }
    if (unsent !== undefined) {
      const told = unsent
      await options.tellUnsent(told.since, told.missed)
      if (unsent === told) unsent = undefined
    }
    await audit()
  }

  /** Finds, a few at a time, entries that went although the store says that nothing did. */
  async function audit(): Promise<void> {
    const { kind, names, missing } = await registrar.audit(settings.auditNamesMax)
    if (kind !== auditCycles.kind) {
      if (kind === 'presence') auditCycles = { began: clock.now(), before: auditCycles.began, kind }
      else auditCycles = { ...auditCycles, kind }
    }
    if (kind === 'watch') await options.watching.recheck(names)
    else if (missing.length > 0) {
      logger.warn({ kind, missing: missing.length }, 'entries missing; re-registering')
      // No signal goes by interest.
      options.suspect(auditCycles.before, 'entries_lost', kind === 'presence' ? new Set(missing) : nobody)
    }
  }

  broker.onState(state => {
    if (isStopped) return
    if (state === 'down') miss(clock.now(), 'deaf')
    else beatSoon()
  })

  return {
    place,
    isSettled,
    state: () => (isFenced ? 'fenced' : isSettled() && !isBeatFailing ? 'up' : 'down'),
    beatSoon,
    async refresh() {
      if (beating !== undefined) await beating
      await beat()
    },
    async start() {
      const until = clock.steady() + settings.startWaitMs
      const isUp = () => isSettled() && !isBeatFailing
      const goesOn = () => !isUp() && !isStopped && clock.steady() < until
      while (goesOn()) {
        await beat()
        await settling
        if (!isUp()) await new Promise<void>(resolve => clock.after(settings.earlyBeatMs, resolve))
      }
      if (!isUp()) logger.warn({ id }, 'redis does not answer; serving local connections only')
    },
    async stop() {
      isStopped = true
      callOff()
      await beating
      await settling
    },
    heardEcho(n) {
      echo = { ...echo, heard: Math.max(echo.heard, n), heardAt: clock.now() }
    },
    onWriteFailed(error) {
      logger.debug({ err: error }, 'registration failed; re-registering once redis is back')
      plan(settings.retryMs)
    },
    unsent(since, missed) {
      unsent = {
        since: Math.min(unsent?.since ?? since, since),
        missed: joinMissed(unsent?.missed ?? nobody, missed),
      }
    },
  }
}
