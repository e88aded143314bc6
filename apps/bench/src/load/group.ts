/**
 * A group whose members are spread over the nodes. A few of them write; a message is under way until every other member
 * has it, and then its sender writes the next one. Members are not asked to acknowledge: in a crowd nobody looks at it,
 * and bare publish has no such thing.
 */
import { idOf } from '../ids.ts'
import { FrameMemory } from './frame-memory.ts'
import { Lane, noViolations } from './lane.ts'
import { type Messenger, type Received, writeStamp } from './messenger.ts'
import { connectAll, createMessenger, type Fleet, keepPinging } from './messengers.ts'
import { type Ending, Meter, settle, type WindowCounts } from './window.ts'

export interface GroupPlan {
  readonly fleet: Fleet
  readonly members: number
  /** So many of the members write. */
  readonly senders: number
  readonly textLength: number
}

/** A message under way. */
interface Flight {
  readonly sentAtMs: number
  /** Members who do not have it yet. */
  left: number
  acked: boolean
  /** What the acknowledgement and the deliveries call it. */
  seq: number | undefined
}

interface Sender {
  readonly member: number
  messenger: Messenger
  sent: number
  acked: number
  /** By the number of the message. Those that are done are gone. */
  readonly flights: Map<number, Flight>
}

export class GroupFlow {
  private readonly plan: GroupPlan
  private readonly target = { conversation: idOf('group', 0), user: undefined }
  private readonly senders: Sender[] = []
  /** By member, then by sender. */
  private readonly lanes: readonly (readonly Lane[])[]
  private readonly memory = new FrameMemory()
  private readonly meter = new Meter()
  private readonly violations = noViolations()
  private readonly messengers: Messenger[] = []
  private readonly seqs = new Set<number>()
  private flowing = false
  private received = 0

  constructor(plan: GroupPlan) {
    this.plan = plan
    this.lanes = Array.from({ length: plan.members }, () => Array.from({ length: plan.senders }, () => new Lane()))
  }

  async connect(): Promise<void> {
    await connectAll(this.plan.members, 50, async member => {
      const messenger = createMessenger(
        this.plan.fleet,
        member,
        { number: member },
        {
          acked: (number, seq) => this.noteAck(member, number, seq),
          received: message => this.noteReceived(member, message),
          refused: () => void this.violations.refused++,
          closed: () => void this.violations.closed++,
        },
        this.memory,
      )
      this.messengers[member] = messenger
      await messenger.connect()
    })
    keepPinging(this.messengers)
    for (let member = 0; member < this.plan.senders; member++)
      this.senders.push({ member, messenger: this.messengers[member]!, sent: 0, acked: 0, flights: new Map() })
  }

  start(pace: { inFlight: number }): void {
    this.flowing = true
    for (const sender of this.senders) for (let depth = 0; depth < pace.inFlight; depth++) this.send(sender)
  }

  window(seconds: number): Promise<WindowCounts> {
    return this.meter.window(seconds)
  }

  /** Sends no more, and waits for what is under way. `start` goes on. */
  async pause(): Promise<void> {
    this.flowing = false
    await settle(() => this.sum(one => one.flights.size + one.sent - one.acked))
  }

  async finish(): Promise<Ending> {
    await this.pause()
    const sent = this.sum(one => one.sent)
    const { violations } = this
    this.lanes.forEach((lanes, member) => {
      lanes.forEach((lane, from) => {
        if (from !== member) violations.lost += lane.missing(this.senders[from]!.sent)
        violations.repeated += lane.repeated
        violations.reordered += lane.early
      })
    })
    const acked = this.sum(one => one.acked)
    violations.lost += sent - acked
    if (this.plan.fleet.side === 'flotilla' && (this.seqs.size !== sent || Math.max(0, ...this.seqs) !== sent))
      violations.misplaced++
    return { sent, acked, received: this.received, violations }
  }

  private sum(count: (sender: Sender) => number): number {
    return this.senders.reduce((total, one) => total + count(one), 0)
  }

  private send(sender: Sender): void {
    const number = ++sender.sent
    const sentAtMs = performance.now()
    sender.flights.set(number, { sentAtMs, left: this.plan.members - 1, acked: false, seq: undefined })
    const text = writeStamp(sender.member, number, sentAtMs, this.plan.textLength)
    sender.messenger.send(this.target, number, text)
  }

  private noteAck(member: number, number: number, seq: number): void {
    const sender = this.senders[member]!
    const flight = sender.flights.get(number)
    sender.acked++
    if (flight === undefined) return
    flight.acked = true
    this.meter.ack(performance.now() - flight.sentAtMs)
    this.place(flight, seq)
    this.land(sender, number, flight)
  }

  private noteReceived(member: number, message: Received): void {
    this.received++
    this.meter.delivery(performance.now() - message.sentAtMs)
    this.lanes[member]![message.sender]!.arrive(message.number)
    const sender = this.senders[message.sender]!
    const flight = sender.flights.get(message.number)
    if (flight === undefined) return
    flight.left--
    this.place(flight, message.seq)
    this.land(sender, message.number, flight)
  }

  private place(flight: Flight, seq: number): void {
    if (flight.seq === undefined) {
      flight.seq = seq
      this.seqs.add(seq)
    } else if (flight.seq !== seq) this.violations.misplaced++
  }

  /** The message has arrived everywhere, and its acknowledgement too. */
  private land(sender: Sender, number: number, flight: Flight): void {
    if (flight.left > 0 || !flight.acked) return
    sender.flights.delete(number)
    if (this.flowing) this.send(sender)
  }
}
