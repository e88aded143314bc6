/**
 * Direct messages: pairs of people, one on each node, who write to each other. Either each connection has so many
 * messages under way (closed loop), or messages come at a rate of their own (open loop, as arrivals at random).
 * A person alone in a group has nobody who receives: then only storing and acknowledging is measured.
 *
 * With a mix, what a connection does is by turns: of twenty, fourteen send a message, three react to the latest of the other's,
 * two edit the latest of one's own, and one pins it or takes the pin away.
 */
import { idOf } from '../ids.ts'
import { Lane, noViolations } from './lane.ts'
import { type Action, type Messenger, type Received, writeStamp } from './messenger.ts'
import { connectAll, createMessenger, type Fleet, keepPinging } from './messengers.ts'
import { type Ending, Meter, settle, type WindowCounts } from './window.ts'

export interface DirectPlan {
  readonly fleet: Fleet
  readonly connections: number
  /** Nobody receives: each connection writes to a group of its own. */
  readonly alone: boolean
  /** The length of a message's text. */
  readonly textLength: number
  /** Not only messages. */
  readonly mix?: boolean
  /** The number of the first person and of the first conversation. */
  readonly first?: number
}

export type Pace =
  | { readonly kind: 'closed'; readonly inFlight: number }
  | { readonly kind: 'open'; readonly perSecond: number }

/** Numbers of what is no message begin here, so that messages keep numbers without a gap. */
const actionNumberMin = 1_000_000_000
const emojis = ['👍', '❤️', '😂', '🎉', '😮', '😢'] as const

/** One end of a pair. */
class Endpoint {
  readonly number: number
  readonly conversation: string
  readonly peer: string | undefined
  /** What comes from the other end. */
  readonly lane = new Lane()
  messenger: Messenger | undefined
  sent = 0
  acked = 0
  /** By the number of one's own message: its place, told by the acknowledgement or the delivery, whichever came first. */
  readonly places: number[] = []
  readonly sentAtMs: number[] = []
  /** All up to here is known, one's own messages among them. */
  cursor = 0
  private readonly ahead = new Set<number>()
  receivedHigh = 0
  told = 0
  /** Things done, messages too, and those that are no messages. */
  turn = 0
  actions = 0
  actionsAcked = 0
  readonly actedAtMs: number[] = []
  /** As the server calls them: the latest message of the other's and of one's own. */
  latest = { theirs: 0, reacted: 0, own: 0, pinned: 0 }

  constructor(number: number, alone: boolean) {
    this.number = number
    this.conversation = alone ? idOf('group', number) : idOf('direct', number >> 1)
    this.peer = alone ? undefined : idOf('user', number ^ 1)
  }

  advance(seq: number): void {
    this.ahead.add(seq)
    while (this.ahead.delete(this.cursor + 1)) this.cursor++
  }
}

export class DirectFlow {
  private readonly plan: DirectPlan
  private readonly endpoints: readonly Endpoint[]
  private readonly byNumber: ReadonlyMap<number, Endpoint>
  private readonly meter = new Meter()
  private readonly violations = noViolations()
  private readonly ordered: boolean
  private pace: Pace | undefined
  private acked = 0
  private received = 0
  private acted = 0

  constructor(plan: DirectPlan) {
    this.plan = plan
    const { connections, alone, first = 0 } = plan
    this.endpoints = Array.from({ length: connections }, (_, at) => new Endpoint(first + at, alone))
    this.byNumber = new Map(this.endpoints.map(one => [one.number, one]))
    this.ordered = plan.fleet.side === 'flotilla'
  }

  async connect(): Promise<void> {
    await connectAll(this.endpoints.length, 50, async at => {
      const endpoint = this.endpoints[at]!
      const events = {
        acked: (number: number, seq: number) => this.noteAck(endpoint, number, seq),
        received: (message: Received) => this.noteReceived(endpoint, message),
        acted: (conversation: string, seq: number) => this.noteActed(endpoint, conversation, seq),
        refused: () => void this.violations.refused++,
        closed: () => void this.violations.closed++,
      }
      endpoint.messenger = createMessenger(this.plan.fleet, at, { number: endpoint.number }, events)
      await endpoint.messenger.connect()
    })
    keepPinging(this.endpoints.map(one => one.messenger!))
  }

  start(pace: Pace): void {
    this.pace = pace
    if (pace.kind === 'open') this.arrive(pace.perSecond, performance.now(), 0)
    else
      for (const endpoint of this.endpoints)
        for (let depth = 0; depth < pace.inFlight; depth++) this.send(endpoint, performance.now())
  }

  window(seconds: number): Promise<WindowCounts> {
    return this.meter.window(seconds)
  }

  /** A window whose end is not known yet. */
  beginWindow(): void {
    this.meter.begin()
  }

  endWindow(): WindowCounts {
    return this.meter.end()
  }

  /** Sends no more, and waits for what is under way. `start` goes on. */
  async pause(): Promise<void> {
    this.pace = undefined
    const expected = () => (this.plan.alone ? 0 : this.sent())
    await settle(() => this.sent() - this.acked + expected() - this.received)
  }

  async finish(): Promise<Ending> {
    await this.pause()
    for (const endpoint of this.endpoints) this.judge(endpoint)
    const { acked, received, acted, violations } = this
    return { sent: this.sent(), acked, received, acted, violations }
  }

  private sent(): number {
    return this.endpoints.reduce((sum, one) => sum + one.sent + one.actions, 0)
  }

  /** Arrivals at random, by a rate: the time until the next one is exponential. Late ones count from when they were due. */
  private arrive(perSecond: number, dueAt: number, turn: number): void {
    if (this.pace?.kind !== 'open') return
    const now = performance.now()
    let due = dueAt
    let next = turn
    for (; due <= now; next++) {
      this.send(this.endpoints[next % this.endpoints.length]!, due)
      due += (-Math.log(1 - Math.random()) * 1_000) / perSecond
    }
    setTimeout(() => this.arrive(perSecond, due, next), due - now)
  }

  private send(endpoint: Endpoint, atMs: number): void {
    const action = this.plan.mix === true ? this.chooseAction(endpoint) : undefined
    if (action !== undefined) return this.act(endpoint, action, atMs)
    const number = ++endpoint.sent
    endpoint.sentAtMs[number] = atMs
    const text = writeStamp(endpoint.number, number, atMs, this.plan.textLength)
    endpoint.messenger!.send({ conversation: endpoint.conversation, user: endpoint.peer }, number, text)
  }

  private act(endpoint: Endpoint, action: Action, atMs: number): void {
    const number = endpoint.actions++
    endpoint.actedAtMs[number] = atMs
    const target = { conversation: endpoint.conversation, user: endpoint.peer }
    endpoint.messenger!.act!(target, actionNumberMin + number, action)
  }

  /** Nothing while there is no message yet that it could be done with. */
  private chooseAction(endpoint: Endpoint): Action | undefined {
    const { latest } = endpoint
    const turn = endpoint.turn++ % 20
    if (turn % 7 === 3 && latest.theirs > latest.reacted) {
      latest.reacted = latest.theirs
      return { do: 'react', message: latest.theirs, emoji: emojis[latest.theirs % emojis.length]! }
    }
    if (latest.own === 0) return undefined
    if (turn === 6 || turn === 16) {
      const text = writeStamp(endpoint.number, 0, 0, this.plan.textLength)
      return { do: 'edit', message: latest.own, text }
    }
    if (turn !== 19) return undefined
    const { pinned } = latest
    latest.pinned = pinned === 0 ? latest.own : 0
    return pinned === 0 ? { do: 'pin', message: latest.own } : { do: 'unpin', message: pinned }
  }

  private noteActed(endpoint: Endpoint, conversation: string, seq: number): void {
    this.received++
    this.acted++
    this.meter.arrived()
    if (conversation !== endpoint.conversation) this.violations.misplaced++
    this.advance(endpoint, seq)
  }

  private noteActionAck(endpoint: Endpoint, number: number, seq: number): void {
    const now = performance.now()
    this.acked++
    endpoint.actionsAcked++
    this.meter.ack(now - endpoint.actedAtMs[number]!)
    this.advance(endpoint, seq)
    if (this.pace?.kind === 'closed') this.send(endpoint, now)
  }

  private noteAck(endpoint: Endpoint, number: number, seq: number): void {
    if (number >= actionNumberMin) return this.noteActionAck(endpoint, number - actionNumberMin, seq)
    const now = performance.now()
    endpoint.latest.own = seq
    this.acked++
    endpoint.acked++
    this.meter.ack(now - endpoint.sentAtMs[number]!)
    this.place(endpoint, number, seq)
    this.advance(endpoint, seq)
    if (this.pace?.kind === 'closed') this.send(endpoint, now)
  }

  private noteReceived(endpoint: Endpoint, message: Received): void {
    this.received++
    endpoint.latest.theirs = message.seq
    this.meter.delivery(performance.now() - message.sentAtMs)
    endpoint.lane.arrive(message.number)
    const sender = this.byNumber.get(message.sender)
    if (sender?.conversation === message.conversation) this.place(sender, message.number, message.seq)
    else this.violations.misplaced++
    if (!this.ordered) return endpoint.messenger!.delivered(message.conversation, message.seq)
    endpoint.advance(message.seq)
    endpoint.receivedHigh = Math.max(endpoint.receivedHigh, message.seq)
    this.tell(endpoint)
  }

  private advance(endpoint: Endpoint, seq: number): void {
    if (!this.ordered) return
    endpoint.advance(seq)
    if (endpoint.told < endpoint.receivedHigh && endpoint.cursor >= endpoint.receivedHigh) this.tell(endpoint)
  }

  /** Each delivery is acknowledged. A gap that something else fills later is told once more then. */
  private tell(endpoint: Endpoint): void {
    endpoint.told = endpoint.cursor
    endpoint.messenger!.delivered(endpoint.conversation, endpoint.cursor)
  }

  private place(sender: Endpoint, number: number, seq: number): void {
    const known = sender.places[number]
    if (known === undefined) sender.places[number] = seq
    else if (known !== seq) this.violations.misplaced++
  }

  private judge(endpoint: Endpoint): void {
    const { violations } = this
    violations.lost += endpoint.sent - endpoint.acked + endpoint.actions - endpoint.actionsAcked
    if (this.plan.alone) {
      if (endpoint.cursor !== endpoint.sent) violations.misplaced++
      return
    }
    const peer = this.byNumber.get(endpoint.number ^ 1)!
    violations.lost += endpoint.lane.missing(peer.sent)
    violations.repeated += endpoint.lane.repeated
    violations.reordered += endpoint.lane.early
    // Both ends together know every place: the numbers from 1 to the head, each once.
    if (this.ordered && endpoint.cursor !== endpoint.sent + endpoint.actions + peer.sent + peer.actions)
      violations.misplaced++
  }
}
