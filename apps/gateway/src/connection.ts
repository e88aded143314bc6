/**
 * One socket: bytes in, value out. It decodes, limits, hands the command to its handler and writes the reply; nothing
 * else writes to the socket but its own queue. A connection that is idle holds little beside its two ids: a node keeps
 * tens of thousands of them.
 */
import { asRefusal } from '@flotilla/chat'
import {
  type CloseName,
  type Command,
  closeCodes,
  commandWeight,
  type DeliveryClass,
  type ErrorBody,
  type Event,
  type Op,
  Refusal,
} from '@flotilla/protocol'
import { decodeCommand, isUndecodable } from '@flotilla/protocol/schemas'
import { type Rate, tokensTaken, tokensWait } from '@flotilla/routing'
import type { LogFields } from '@flotilla/service'
import type { Caller } from './handler.ts'

/** Encoded for the wire: JSON, or its bytes when many get the same. */
export type Frame = string | Uint8Array

/** The part of a uWebSockets.js socket that a connection uses; tests give their own. */
export interface Socket {
  send(frame: Frame): number
  getBufferedAmount(): number
  cork(write: () => void): unknown
  end(code: number, reason: string): void
  /** Ends it at once: what waits is given up. */
  close(): unknown
}

/** What the connections of a node share. */
export interface ConnectionDeps {
  readonly nodeId: string
  /** For durations: of the monotonic clock. */
  readonly steady: () => number
  readonly limits: ConnectionLimits
  handle(caller: Caller, command: Command): Promise<object>
  /** Takes from what all connections of a person share, on whatever node. @returns 0, or the milliseconds to wait */
  spend(user: string, weight: number): number
  /** Asks for `flush` at the end of this turn of the loop, or when it is its turn. */
  markDirty(connection: Connection): void
  /** The client does not take what is written as fast as it is written. @returns whether that is new. May cut it. */
  onBacklog(connection: Connection): boolean
  /** An error that is nobody's fault but ours. */
  onFault(error: unknown, op: Op, connection: Connection): void
  onCommand(op: string, outcome: string, startedAt: number): void
  onClose(connection: Connection, name: CloseName): void
  /** A signal was dropped, for the client reads slowly. */
  onMissed(connection: Connection): void
  /** Counted for metrics. */
  readonly traffic: { received: number; sent: number; readonly dropped: { signal: number; ephemeral: number } }
}

export interface ConnectionNames {
  readonly user: string
  readonly session: string
  /** Of the connections that the node has had. */
  readonly number: number
  readonly requestId: string | undefined
  readonly address: string
  /** Whether it takes what is due to it in one frame, a line each. */
  readonly lines: boolean
}

export interface ConnectionLimits {
  readonly frameBytesMax: number
  readonly commandsInFlightMax: number
  readonly commands: Rate
  readonly sendQueueBytesMax: number
}

/** A frame that is refused costs a token for each so many bytes, besides the one that every frame costs. */
const bytesPerToken = 4_096

/** Operations with replies that are large: of one connection they are answered one after the other. */
const pagedOps: ReadonlySet<string> = new Set(['history.page', 'sync.resume'] satisfies Op[])

/** A large reply that has not left this process wholly. */
interface OwedReply {
  readonly bytes: number
  /** Bytes that wait behind it. */
  behind: number
}

/** How much of the send queue may be in use for frames that can be dropped (P10). */
const droppableShare = 0.25

/**
 * What may wait here for its turn to be written, in characters, beside what waits in the socket: so many times as much. Who
 * reads is not at fault for it, and texts that many get are there but once.
 */
const queuedFactor = 4

/** A close that waits for the client to have taken what stands before it. */
interface Farewell {
  readonly socket: Socket
  readonly code: number
  readonly reason: string
}

export class Connection implements Caller {
  readonly user: string
  readonly session: string
  private readonly number: number
  /** Of the upgrade, as the edge named it. */
  readonly requestId: string | undefined
  /** The network address that it is counted by. */
  readonly address: string
  private readonly lines: boolean
  /** Set by the hub when the first watch is made. */
  watching: Set<string> | undefined = undefined
  /**
   * When `hello` was said, by the monotonic clock, or 0. In whole milliseconds: V8 keeps a fraction in an object of its own,
   * of 16 bytes.
   */
  since = 0
  /** Conversations of the person that go by interest; most have none. */
  interests: readonly string[] | undefined = undefined
  private readonly deps: ConnectionDeps
  private socket: Socket | undefined
  private queued: Frame | Frame[] | undefined = undefined
  private queuedChars = 0
  private farewell: Farewell | undefined = undefined
  /** Paged commands that wait for the reply before theirs to leave; missing when none is under way. */
  private paging: (() => void)[] | undefined = undefined
  private owed: OwedReply | undefined = undefined
  /** When the client last took something of what waits for it, or when that began to wait; in whole milliseconds, too. */
  private tookAt = 0
  private inFlight = 0
  private refused = 0
  /** The bucket of its commands: when it is full again. */
  private tokensFullAt = Number.NEGATIVE_INFINITY

  constructor(deps: ConnectionDeps, socket: Socket, who: ConnectionNames) {
    this.deps = deps
    this.socket = socket
    this.user = who.user
    this.session = who.session
    this.number = who.number
    this.requestId = who.requestId
    this.address = who.address
    this.lines = who.lines
  }

  get origin(): object {
    return this
  }

  /** Names it in the log and in `hello`. */
  get id(): string {
    return `${this.deps.nodeId}-${this.number.toString(36)}`
  }

  /** What a line of the log says about it. */
  get names(): LogFields {
    return { connectionId: this.id, ...(this.requestId === undefined ? {} : { requestId: this.requestId }) }
  }

  /** Whether `hello` was said; before it no command is taken. */
  get greeted(): boolean {
    return this.since > 0
  }

  get open(): boolean {
    return this.socket !== undefined
  }

  /** Whether a command is under way, or a frame that has not left. */
  get busy(): boolean {
    return this.inFlight > 0 || this.queued !== undefined || (this.socket?.getBufferedAmount() ?? 0) > 0
  }

  /** One frame from the client. Never throws: whatever it holds ends in a reply, an error event or a close. */
  async receive(text: string, bytes: number): Promise<void> {
    this.deps.traffic.received++
    const startedAt = this.deps.steady()
    if (!this.greeted) {
      const refusal = new Refusal('unauthenticated', 'wait for hello')
      return this.refuseFrame({ refusal }, bytes, startedAt)
    }
    if (bytes > this.deps.limits.frameBytesMax) {
      const rule = `maxBytes ${this.deps.limits.frameBytesMax}`
      return this.refuseFrame({ refusal: new Refusal('frame_too_large', undefined, { rule }) }, bytes, startedAt)
    }
    const command = decodeCommand(text)
    if (isUndecodable(command)) {
      this.refuseFrame(command, bytes, startedAt)
      if (command.refusal.code === 'frame_malformed') this.close('frame_malformed')
      return
    }
    try {
      const retryMs = this.spend(commandWeight(command.op, command), startedAt)
      if (retryMs > 0) throw new Refusal('rate_limited', undefined, { retryMs })
      if (this.inFlight >= this.deps.limits.commandsInFlightMax)
        throw new Refusal('overloaded', 'too many commands in flight on this connection', { retryMs: 500 })
      this.inFlight++
      try {
        if (pagedOps.has(command.op)) await this.page(command)
        else {
          const ok = await this.deps.handle(this, command)
          if (command.id !== undefined) this.push(JSON.stringify({ id: command.id, ok }))
        }
      } finally {
        this.inFlight--
      }
      this.deps.onCommand(command.op, 'ok', startedAt)
    } catch (error) {
      const refusal = asRefusal(error) ?? new Refusal('internal')
      if (refusal.code === 'internal') this.deps.onFault(error, command.op, this)
      this.refuse(command.id, command.op, refusal, startedAt)
    }
  }

  /**
   * Begins when the reply before has left this process: a client gets as many pages as it reads, however many it has asked
   * for, and is never closed for one of them.
   */
  private async page(command: Command): Promise<void> {
    const { paging } = this
    if (paging === undefined) this.paging = []
    else await new Promise<void>(resolve => paging.push(resolve))
    try {
      if (!this.open) return
      const ok = await this.deps.handle(this, command)
      if (command.id !== undefined) this.owe(JSON.stringify({ id: command.id, ok }))
    } finally {
      this.nextPage()
    }
  }

  /** Writes a large reply, behind what is queued. */
  private owe(reply: string): void {
    this.flush()
    const { socket } = this
    if (socket === undefined) return
    this.deps.traffic.sent++
    if (socket.send(reply) === sent) return
    this.owed = { bytes: frameBytes(reply), behind: 0 }
    this.backlog(false)
  }

  private nextPage(): void {
    if (this.owed !== undefined && this.open) return
    const next = this.paging?.shift()
    if (next === undefined) this.paging = undefined
    else next()
  }

  /** The client has taken something of what waited for it. */
  drained(): void {
    this.tookAt = Math.floor(this.deps.steady())
    if (this.farewell !== undefined && this.bufferedBytes() === 0) {
      const { socket: leaving, code, reason } = this.farewell
      leaving.end(code, reason)
      return
    }
    const { owed, socket } = this
    if (owed === undefined || socket === undefined || socket.getBufferedAmount() > owed.behind) return
    this.owed = undefined
    this.nextPage()
  }

  /** How long the client has taken nothing, though something waits for it. */
  stalledMs(): number {
    return this.bufferedBytes() === 0 ? 0 : this.deps.steady() - this.tookAt
  }

  /** Takes a command's tokens. A client that goes on after it was told so a whole burst of times is flooding. */
  private spend(weight: number, nowMs: number): number {
    const { commands } = this.deps.limits
    let retryMs = tokensWait(commands, this.tokensFullAt, weight, nowMs)
    if (retryMs === 0) {
      this.tokensFullAt = tokensTaken(commands, this.tokensFullAt, weight, nowMs)
      retryMs = this.deps.spend(this.user, weight)
    }
    if (retryMs === 0) this.refused = Math.max(0, this.refused - 1)
    else if (++this.refused > commands.burst) this.close('flooding', 10_000)
    return retryMs
  }

  /** Tokens are spent on it as well: a flood of frames that fail must not be cheaper than one of frames that work. */
  private refuseFrame(
    { id, op, refusal }: { id?: number; op?: string; refusal: Refusal },
    bytes: number,
    startedAt: number,
  ): void {
    this.refuse(id, op, refusal, startedAt)
    this.spend(1 + Math.floor(bytes / bytesPerToken), startedAt)
  }

  private refuse(id: number | undefined, op: string | undefined, refusal: Refusal, startedAt: number): void {
    this.deps.onCommand(op ?? 'unknown', refusal.code, startedAt)
    const error: ErrorBody = refusal.toBody()
    this.queue(
      JSON.stringify(
        id === undefined
          ? ({ event: 'error', ...(op === undefined ? {} : { op }), error } satisfies Event)
          : { id, error },
      ),
    )
  }

  /** Says hello: the first frame, and the beginning of everything else. */
  greet(hello: string, nowMs: number): void {
    this.since = Math.max(1, Math.ceil(nowMs))
    this.push(hello)
  }

  /** Queues an encoded frame, unless hello was not said yet: what is told before that, the client reads after it. */
  push(frame: Frame, as: DeliveryClass = 'control'): void {
    if (this.greeted) this.queue(frame, as)
  }

  /** Whether so much waits for the client that what can be dropped is. */
  get congested(): boolean {
    return this.queuedChars + this.bufferedBytes() > this.deps.limits.sendQueueBytesMax * droppableShare
  }

  private drop(as: 'signal' | 'ephemeral'): void {
    this.deps.traffic.dropped[as]++
    if (as === 'signal') this.deps.onMissed(this)
  }

  /**
   * A frame leaves at the end of this turn of the loop together with the others. Gathering a turn's
   * frames under one cork doubles the fan-out to groups.
   */
  private queue(frame: Frame, as: DeliveryClass = 'control'): void {
    if (this.socket === undefined || this.isOverfull) return
    if ((as === 'signal' || as === 'ephemeral') && this.congested) return this.drop(as)
    this.queuedChars += frame.length
    if (this.queued === undefined) {
      this.queued = frame
      this.deps.markDirty(this)
    } else if (Array.isArray(this.queued)) this.queued.push(frame)
    else this.queued = [this.queued, frame]
  }

  /** Whether frames are queued. */
  get waits(): boolean {
    return this.queued !== undefined
  }

  /** More than may be queued was: it takes no more, and is closed when it is its turn. */
  private get isOverfull(): boolean {
    return this.queuedChars > this.deps.limits.sendQueueBytesMax * queuedFactor
  }

  /**
   * Writes what is queued, or the frames of it that fit, one at the least. A client whose backlog passes the limit is closed:
   * it catches up from its cursor. A large reply that it has asked for does not count.
   * @returns how many characters it wrote
   */
  flush(charsMax = Number.POSITIVE_INFINITY): number {
    const { socket, queued, queuedChars } = this
    if (socket === undefined || queued === undefined) return 0
    if (this.isOverfull) {
      this.close('slow_consumer')
      return 0
    }
    this.queued = undefined
    this.queuedChars = 0
    const frames = this.lines && Array.isArray(queued) ? this.gather(queued, charsMax) : queued
    if (!Array.isArray(frames)) {
      if (!this.write(socket, frames)) this.backlog(this.isTooMuch(socket))
      return queuedChars
    }
    let [written, chars, waits, slow] = [0, 0, false, false]
    socket.cork(() => {
      while (written < frames.length && !slow && (chars === 0 || chars + frames[written]!.length <= charsMax)) {
        const frame = frames[written++]!
        chars += frame.length
        if (this.write(socket, frame)) continue
        waits = true
        slow = this.isTooMuch(socket)
      }
    })
    if (written < frames.length) {
      this.queued = frames.slice(written)
      this.queuedChars = this.queued.reduce((sum, frame) => sum + frame.length, 0)
    }
    if (waits) this.backlog(slow)
    return chars
  }

  /** Puts what is queued into as few frames as may be, a line each. */
  private gather(queued: readonly Frame[], charsMax: number): Frame | Frame[] {
    const frames = framesOf(queued, Math.min(charsMax, linesCharsMax))
    this.deps.traffic.sent += queued.length - frames.length
    return frames.length === 1 ? frames[0]! : frames
  }

  /** @returns whether the kernel took all of it */
  private write(socket: Socket, frame: Frame): boolean {
    this.deps.traffic.sent++
    if (this.owed !== undefined) this.owed.behind += frameBytes(frame)
    return socket.send(frame) === sent
  }

  private isTooMuch(socket: Socket): boolean {
    const { owed } = this
    const buffered = socket.getBufferedAmount()
    const ofReply = owed === undefined ? 0 : Math.min(owed.bytes, Math.max(0, buffered - owed.behind))
    return buffered - ofReply > this.deps.limits.sendQueueBytesMax
  }

  private backlog(isTooMuch: boolean): void {
    if (isTooMuch) return this.close('slow_consumer')
    if (this.deps.onBacklog(this)) this.tookAt = Math.floor(this.deps.steady())
  }

  /** What waits in this process because the client does not take it, also when it is closed already. */
  bufferedBytes(): number {
    return (this.socket ?? this.farewell?.socket)?.getBufferedAmount() ?? 0
  }

  /**
   * Closes with a code of the table. What is queued goes first, unless the client is slow. The code goes when all that stands
   * before it was taken: uWebSockets.js would keep that for whoever never reads, where nobody can count it or give it back.
   */
  close(name: CloseName, retryMs?: number): void {
    if (name !== 'slow_consumer') this.flush()
    const { socket } = this
    if (socket === undefined) return
    this.leave(name)
    const { code } = closeCodes[name]
    const reason = JSON.stringify({ code: name, ...(retryMs === undefined ? {} : { retryMs }) })
    if (socket.getBufferedAmount() === 0) return socket.end(code, reason)
    this.farewell = { socket, code, reason }
    this.tookAt = Math.floor(this.deps.steady())
    this.deps.onBacklog(this)
  }

  /** Gives up what waits, for want of room: the client sees a connection that was lost. */
  cut(): void {
    const socket = this.socket ?? this.farewell?.socket
    if (this.socket !== undefined) this.leave('slow_consumer')
    this.farewell = undefined
    socket?.close()
  }

  /** From here on the connection is over for everybody but its socket. */
  private leave(name: CloseName): void {
    this.forget()
    this.deps.onClose(this, name)
  }

  private forget(): void {
    this.socket = undefined
    this.queued = undefined
    this.queuedChars = 0
    this.nextPage()
  }

  /** The socket is gone; it must never be touched again. */
  closed(): void {
    this.farewell = undefined
    this.forget()
  }
}

/** A frame of lines is no longer than that, in characters, but for a single one. */
const linesCharsMax = 65_536

function framesOf(lines: readonly Frame[], charsMax: number): Frame[] {
  const frames: Frame[] = []
  for (let from = 0; from < lines.length; ) {
    let chars = lines[from]!.length
    let end = from + 1
    while (end < lines.length && (chars += lines[end]!.length) <= charsMax) end++
    frames.push(end === from + 1 ? lines[from]! : frameOf(lines.slice(from, end)))
    from = end
  }
  return frames
}

/** What was put together last, and the frame that it became. */
let [lastLines, lastFrame]: [readonly Frame[], Frame] = [[], '']

/**
 * Several in one frame. The members of a group mostly get the same in a turn of the loop: then it is put together once, and
 * encoded once from the second of them on. A delivery to a group of 1,000 costs 0.87 of what it did with a frame for each
 * (five pairs), a message between two with eight in flight 0.93 (14 pairs).
 */
function frameOf(lines: readonly Frame[]): Frame {
  if (lines.length === lastLines.length && lines.every((line, at) => line === lastLines[at])) {
    if (typeof lastFrame === 'string') lastFrame = Buffer.from(lastFrame)
    return lastFrame
  }
  lastLines = lines
  lastFrame = lines.every(line => typeof line === 'string') ? lines.join('\n') : bytesOf(lines)
  return lastFrame
}

const lineBreak = Buffer.from('\n')
const bytesOf = (lines: readonly Frame[]) =>
  Buffer.concat(lines.flatMap((line, at) => [...(at === 0 ? [] : [lineBreak]), Buffer.from(line)]))

/** What a text frame takes on its way to a client, with its header. */
function frameBytes(frame: Frame): number {
  const bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
  return bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)
}

/** What send() answers when everything went to the kernel. Other answers mean that it waits or was dropped. */
const sent = 1
