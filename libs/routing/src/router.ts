/**
 * The way of a frame from the node where it was made to the nodes where its people are.
 *
 * Sockets here get it at once. For everybody else the calls of one loop turn, and of the time in which a look-up is
 * under way, become one look-up and one envelope per node. The look-up is never answered from a cache: a client enters
 * its presence and then reads the head of its conversations, a sender commits and then looks up, so whichever comes
 * second sees the other, and nobody is missed. An old answer would break that.
 */
import { type Absence, type Absences, isToBeReported } from './absences.ts'
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import {
  type Delivery,
  type RoutedEntry,
  encodeEnvelope,
  envelopeVersion,
  type Header,
  type Interest,
  type Item,
  itemOf,
} from './envelope.ts'
import type { Fleet } from './fleet.ts'
import type { Hints } from './hints.ts'
import { splitPlace } from './leases.ts'
import { joinMissed, type Missed, nobody } from './missed.ts'
import type { Numbers } from './numbers.ts'
import { nowhere, type Places, type Whereabouts } from './whereabouts.ts'

/**
 * A frame and what it is. Of an entry, who cannot be reached is reported as absent, and that it may be lost as suspected;
 * of a signal, whose it was with it; what is ephemeral is dropped when in doubt.
 */
export type RoutedFrame = (
  | (Extract<Delivery, { class: 'entry' }> & {
      /** Whom: people, or whoever is here of a conversation at this version of its membership. */
      readonly to: readonly string[] | Interest
      /** Of what goes by interest: its people, where those who are away are to be reported. */
      readonly people?: readonly string[]
      /** Those who have their row in the offline index already: they are not reported. */
      readonly owed?: readonly string[]
    })
  | (Exclude<Delivery, { class: 'entry' }> & { readonly to: readonly string[] })
) & {
  /** Encoded once. It holds no line break, as JSON does not. */
  readonly frame: string
  /** A connection of this node that has the frame already. It is handed to `deliver` and goes no further. */
  readonly origin?: object | undefined
}

/** The sockets of this node. */
export interface DeliveryPorts {
  /** @returns those of the people who have no socket here */
  deliver(users: readonly string[], frame: string, delivery: Delivery, origin: object | undefined): readonly string[]
  deliverByInterest(interest: Interest, frame: string, entry: RoutedEntry, origin: object | undefined): void
  /** Nobody is live for them. */
  absent(absences: readonly Absence[]): void
}

/** Hears where an entry's time went. `startedAt` is of performance.now(); the part ends with the call. */
export type TraceEntry = (
  entry: RoutedEntry,
  part: {
    readonly name: string
    readonly startedAt: number
    readonly attributes?: Readonly<Record<string, string | number>>
  },
) => void

export interface RouterStats {
  frames: number
  lookups: number
  publishes: number
  publishedBytes: number
  /** Publishes that nobody heard. */
  unheard: number
  /** Frames that could not be sent on, because the store was away or too much was waiting. */
  unsent: number
}

export interface RouterOptions {
  readonly broker: Broker
  readonly whereabouts: Whereabouts
  readonly fleet: Fleet
  readonly numbers: Numbers
  readonly hints: Hints
  readonly absences: Absences
  /** Of ages: `now` is comparable within this process only. */
  readonly clock: Clock
  readonly ports: DeliveryPorts
  readonly stats: RouterStats
  /** Frames that wait or are under way, in characters. */
  readonly waitingCharsMax: number
  /** One envelope, in characters. */
  readonly envelopeCharsMax: number
  /** After a look-up that failed, none is tried for so long. */
  readonly pauseMs: number
  place(): string
  isHere(user: string): boolean
  readonly trace?: TraceEntry
  /** Entries, or signals of these people, could not be sent on, since then: whoever missed them must be told later. */
  unsent(since: number, missed: Missed): void
}

export interface Router {
  /** Resolves when every envelope was sent or given up. Never rejects. */
  route(frames: readonly RoutedFrame[]): Promise<void>
  /** The store answers again: no need to wait with the next look-up. */
  resume(): void
  /** Sends one envelope that is not a frame's. @throws when the broker cannot be reached */
  send(place: string, content: Pick<Header, 'suspect' | 'lostMs' | 'signalsOf' | 'presence'>): Promise<void>
}

/** A frame on its way, with those of its people who have no socket here. */
interface Waiting {
  readonly routed: RoutedFrame
  readonly missing: readonly string[]
}

/** What goes to one place. */
interface Outgoing {
  readonly place: string
  items: Item[]
  frames: string[]
  chars: number
  hasSignals: boolean
  /** The frame that was added last. */
  last: Waiting | undefined
}

function targetOf(outgoing: Map<string, Outgoing>, place: string): Outgoing {
  let target = outgoing.get(place)
  if (target === undefined) {
    target = { place, items: [], frames: [], chars: 0, hasSignals: false, last: undefined }
    outgoing.set(place, target)
  }
  return target
}

// oxlint-disable-next-line max-lines-per-function -- a frame passes all of it in one turn of the loop, over the same few lists
export function createRouter(options: RouterOptions): Router {
  const { broker, whereabouts, fleet, numbers, hints, absences, clock, ports, stats } = options
  let queue: Waiting[] = []
  /** Resolves for the calls whose frames are in the queue. */
  let turn: { readonly done: Promise<void>; readonly resolve: () => void } | undefined
  let isRunning = false
  let waitingChars = 0
  let pausedUntil = Number.NEGATIVE_INFINITY

  function giveUp(batch: readonly Waiting[], since: number): void {
    stats.unsent += batch.length
    tellUnsent(
      batch.map(({ routed }) => routed),
      since,
    )
  }

  /** What was not sent is told later; what is ephemeral is not. */
  function tellUnsent(
    lost: readonly { readonly class?: string | undefined; readonly to: Item['to'] | readonly string[] }[],
    since: number,
  ): void {
    const missed = new Set<string>()
    let isTold = false
    for (const { class: of, to } of lost) {
      if (of === 'ephemeral') continue
      isTold = true
      if (of === 'signal' && !('conversation' in to)) for (const user of to) missed.add(user)
    }
    if (isTold) options.unsent(since, joinMissed(nobody, missed))
  }

  /** Finds the places of everybody in the batch: one look-up for the people, one for the conversations. */
  async function lookUp(
    batch: readonly Waiting[],
  ): Promise<[Map<string, Places | undefined>, Map<string, Places | undefined>]> {
    const people = new Map<string, Places | undefined>()
    const conversations = new Map<string, Places | undefined>()
    for (const { routed } of batch) {
      if ('conversation' in routed.to) conversations.set(routed.to.conversation, undefined)
      else for (const user of routed.to) people.set(user, undefined)
    }
    const fill = async (kind: 'presence' | 'interest', names: Map<string, Places | undefined>) => {
      if (names.size === 0) return
      stats.lookups++
      const list = [...names.keys()]
      const found = await whereabouts.find(kind, list)
      for (let i = 0; i < list.length; i++) names.set(list[i]!, found[i])
    }
    await Promise.all([fill('presence', people), fill('interest', conversations)])
    return [people, conversations]
  }

  async function run(): Promise<void> {
    isRunning = true
    while (queue.length > 0) {
      const batch = queue
      const { resolve } = turn!
      queue = []
      turn = undefined
      const began = clock.now()
      let sending: Promise<void> | undefined
      try {
        if (clock.steady() < pausedUntil) giveUp(batch, began)
        else sending = address(batch, await lookUp(batch), began)
      } catch {
        pausedUntil = clock.steady() + options.pauseMs
        giveUp(batch, began)
      }
      const chars = batch.reduce((sum, { routed }) => sum + routed.frame.length, 0)
      const finish = () => {
        waitingChars -= chars
        lookForPeople(batch)
        resolve()
      }
      // The next look-up does not wait for the answers: the order to one place is that of the connection.
      if (sending === undefined) finish()
      else void sending.then(finish)
    }
    isRunning = false
  }

  /** After the envelopes: where nobody heard one, nobody is counted on by now. */
  function lookForPeople(batch: readonly Waiting[]): void {
    for (const { routed } of batch) {
      if (routed.class !== 'entry' || routed.people === undefined) continue
      // Not the frame itself: what waits for the look is not counted among the characters that may wait.
      const { people, entry, owed } = routed
      if (!absences.lookLater(people, { entry, owed })) stats.unsent++
    }
  }

  /** Gathers the batch by place and sends it. */
  function address(
    batch: readonly Waiting[],
    [people, conversations]: readonly [Map<string, Places | undefined>, Map<string, Places | undefined>],
    began: number,
  ): Promise<void> {
    const outgoing = new Map<string, Outgoing>()
    const sending: Promise<void>[] = []
    const reachable = new Map<Places, readonly Outgoing[]>()
    const self = options.place()
    const now = clock.steady()
    const reach = (places: Places): readonly Outgoing[] => {
      let targets = reachable.get(places)
      if (targets === undefined) {
        targets = places.filter(place => place !== self && !fleet.isOver(place)).map(place => targetOf(outgoing, place))
        reachable.set(places, targets)
      }
      return targets
    }
    const add = (target: Outgoing, waiting: Waiting, to: Item['to']) => {
      const { routed } = waiting
      const { frame } = routed
      if (target.items.length > 0 && target.chars + frame.length > options.envelopeCharsMax)
        sending.push(publish(target, began))
      target.items.push(itemOf(to, routed))
      if (routed.class === 'signal') target.hasSignals = true
      target.frames.push(frame)
      target.chars += frame.length
      target.last = waiting
    }

    for (const [user, places] of people)
      if (places !== undefined)
        hints.note(user, options.isHere(user) || reach(places).some(({ place }) => fleet.isReachable(place)), now)
    const absent: Absence[] = []
    let lost: Waiting[] | undefined
    for (const waiting of batch) {
      const { routed } = waiting
      const { to } = routed
      if ('conversation' in to) {
        const places = conversations.get(to.conversation)
        if (places === undefined) (lost ??= []).push(waiting)
        for (const target of reach(places ?? nowhere)) add(target, waiting, to)
        continue
      }
      const missing = waiting.missing.length > 8 ? new Set(waiting.missing) : waiting.missing
      const isMissing = (user: string) => (missing instanceof Set ? missing.has(user) : missing.includes(user))
      const isUnknown = routed.class === 'entry' ? isToBeReported(routed) : undefined
      let isLost = false
      for (const user of to) {
        const places = people.get(user)
        if (places === undefined) {
          isLost = true
          continue
        }
        const targets = reach(places)
        for (const target of targets) {
          if (target.last === waiting) (target.items.at(-1)!.to as string[]).push(user)
          else add(target, waiting, [user])
        }
        if (routed.class === 'entry' && targets.length === 0 && isMissing(user) && isUnknown!(user))
          absent.push({ user, conversation: routed.entry.conversation, seq: routed.entry.seq })
      }
      if (isLost) (lost ??= []).push(waiting)
    }
    if (lost !== undefined) giveUp(lost, began)
    absences.report(absent)
    for (const target of outgoing.values()) if (target.items.length > 0) sending.push(publish(target, began))
    return Promise.all(sending).then(() => {})
  }

  /** Sends what was gathered for a place, and empties it. Never rejects. */
  async function publish(target: Outgoing, began: number): Promise<void> {
    const { place, items, frames, hasSignals } = target
    target.items = []
    target.frames = []
    target.chars = 0
    target.hasSignals = false
    target.last = undefined
    const text = encodeEnvelope(
      { v: envelopeVersion, from: options.place(), to: place, ...numbers.next(place, hasSignals), items },
      frames,
    )
    stats.publishes++
    stats.publishedBytes += text.length
    const startedAt = options.trace === undefined ? 0 : performance.now()
    try {
      const heard = await broker.publish(splitPlace(place).node, text)
      if (options.trace !== undefined) tracePublish(options.trace, items, place, startedAt)
      fleet.mark(place, heard === 0, clock.steady())
      if (heard > 0) return
      stats.unheard++
      absences.reportAfterLook(
        place,
        items.flatMap(absencesOf).filter(({ user }) => !options.isHere(user)),
      )
    } catch {
      stats.unsent += items.length
      tellUnsent(items, began)
    }
  }

  return {
    route(frames) {
      for (const routed of frames) {
        const { to, frame, origin } = routed
        stats.frames++
        let missing: readonly string[] = []
        if (!('conversation' in to)) missing = ports.deliver(to, frame, routed, origin)
        else if (routed.class === 'entry') ports.deliverByInterest(to, frame, routed.entry, origin)
        if (waitingChars + frame.length > options.waitingCharsMax) {
          giveUp([{ routed, missing }], clock.now())
          continue
        }
        waitingChars += frame.length
        queue.push({ routed, missing })
      }
      if (queue.length === 0) return Promise.resolve()
      if (turn === undefined) {
        let resolve = () => {}
        const done = new Promise<void>(settle => {
          resolve = settle
        })
        turn = { done, resolve }
        if (!isRunning) {
          isRunning = true
          setImmediate(() => void run())
        }
      }
      return turn.done
    },
    resume() {
      pausedUntil = Number.NEGATIVE_INFINITY
    },
    async send(place, content) {
      const header = {
        v: envelopeVersion,
        from: options.place(),
        to: place,
        ...numbers.next(place, false),
        ...content,
      } as const
      stats.publishes++
      const heard = await broker.publish(splitPlace(place).node, encodeEnvelope(header))
      fleet.mark(place, heard === 0, clock.steady())
    },
  }
}

/** An envelope's way through Redis, told for each entry in it. */
function tracePublish(trace: TraceEntry, items: readonly Item[], place: string, startedAt: number): void {
  const attributes = { 'flotilla.to': splitPlace(place).node, 'flotilla.envelope_frames': items.length }
  for (const { entry } of items) if (entry !== undefined) trace(entry, { name: 'publish', startedAt, attributes })
}

/** The people of an item, if it is an entry's: those for whom it must be remembered when nobody has it. */
export function absencesOf({ to, entry }: Item): Absence[] {
  if (entry === undefined || 'conversation' in to) return []
  return to.map(user => ({ user, conversation: entry.conversation, seq: entry.seq }))
}
