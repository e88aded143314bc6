/**
 * What goes up the socket: numbers the commands, keeps the rate that the node allows, and hands each reply to whoever
 * waits for it. When the connection goes, everybody who waits hears `disconnected`; a reply that comes too late finds
 * nobody and is passed over.
 */
import {
  type CommandOf,
  commandWeight,
  type EventOf,
  limits,
  type Op,
  type Reply,
  type ReplyOf,
} from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import { FlotillaError, readError } from './flotilla-error.ts'

/** What a command carries besides its id and its operation. */
export type Fields<O extends Op> = Omit<CommandOf<O>, 'id' | 'op'>
type NodeLimits = Pick<EventOf<'hello'>['limits'], 'frameBytesMax' | 'commandsPerSecond' | 'commandsBurst'>

export interface RequestsOptions {
  readonly clock: Clock
  readonly write: (text: string) => void
  /** How long an answer may take, counted from the moment that the command left. */
  readonly timeoutMs: number
  /** Commands that may wait for the rate. */
  readonly queueMax: number
}

interface Pending {
  settle(ok: unknown): void
  fail(error: FlotillaError): void
}

interface Queued {
  readonly text: string
  readonly weight: number
  readonly written: () => void
  readonly refused: (error: FlotillaError) => void
}

/** Which part of the node's rate this client uses, so that two clocks that differ a little never make it too fast. */
const rateShare = 0.9

export class Requests {
  readonly #options: RequestsOptions
  readonly #pending = new Map<number, Pending>()
  #queue: Queued[] = []
  #limits: NodeLimits | undefined
  #nextId = 1
  #tokens = 0
  #filledAt = 0
  #cancelPump: (() => void) | undefined

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** The connection is live; these are its limits. */
  open(nodeLimits: NodeLimits): void {
    this.#limits = nodeLimits
    this.#tokens = nodeLimits.commandsBurst * rateShare
    this.#filledAt = this.#options.clock.steady()
  }

  /** The connection is gone. */
  close(): void {
    this.#limits = undefined
    this.#cancelPump?.()
    this.#cancelPump = undefined
    const gone = new FlotillaError('disconnected', 'unable to wait for the answer: the connection is gone')
    const [queue, pending] = [this.#queue, [...this.#pending.values()]]
    this.#queue = []
    for (const queued of queue) queued.refused(gone)
    for (const one of pending) one.fail(gone)
  }

  /** Asks and waits. An urgent request goes before the queue. */
  request<O extends Op>(
    op: O,
    fields: Fields<O>,
    how: { timeoutMs?: number; urgent?: boolean } = {},
  ): Promise<ReplyOf<O>> {
    return new Promise((resolve, reject) => {
      const id = this.#takeId()
      const timeoutMs = how.timeoutMs ?? this.#options.timeoutMs
      let cancelTimeout = () => {}
      const over = () => {
        this.#pending.delete(id)
        cancelTimeout()
      }
      const fail = (error: FlotillaError) => {
        over()
        reject(error)
      }
      const written = () => {
        cancelTimeout = this.#options.clock.after(timeoutMs, () =>
          fail(new FlotillaError('timed_out', `unable to ${op}: no answer within ${timeoutMs} ms`)),
        )
      }
      this.#pending.set(id, {
        settle(ok) {
          over()
          resolve(ok as ReplyOf<O>)
        },
        fail,
      })
      const text = JSON.stringify({ id, op, ...fields })
      this.#push({ text, weight: commandWeight(op, fields), written, refused: fail }, how.urgent ?? false)
    })
  }

  /** Says something that is not answered. False when it could not be taken. What is ephemeral waits behind nothing. */
  tell<O extends Op>(op: O, fields: Fields<O>, how: { ephemeral?: boolean } = {}): boolean {
    if (how.ephemeral && this.#queue.length > 0) return false
    let taken = true
    const text = JSON.stringify({ op, ...fields })
    this.#push({ text, weight: commandWeight(op, fields), written() {}, refused: () => (taken = false) }, false)
    return taken
  }

  /** Whether everything that was asked or told has left. */
  get flushed(): boolean {
    return this.#queue.length === 0
  }

  /** Takes a reply from the socket. */
  answer(reply: Reply): void {
    const pending = this.#pending.get(reply.id)
    if (pending === undefined) return
    if ('ok' in reply) pending.settle(reply.ok)
    else pending.fail(readError(reply.error, new FlotillaError('internal', 'the answer made no sense')))
  }

  #push(queued: Queued, urgent: boolean): void {
    if (this.#limits === undefined)
      return queued.refused(new FlotillaError('disconnected', 'unable to ask: there is no connection'))
    const bytesMax = this.#limits.frameBytesMax
    if (!fitsBytes(queued.text, bytesMax))
      return queued.refused(
        new FlotillaError('frame_too_large', 'unable to send: the frame is too large', {
          rule: `maxBytes ${bytesMax}`,
        }),
      )
    if (urgent) return this.#write(queued)
    if (this.#queue.length >= this.#options.queueMax)
      return queued.refused(new FlotillaError('queue_full', 'unable to ask: too many commands wait already'))
    this.#queue.push(queued)
    this.#pump()
  }

  #write(queued: Queued): void {
    this.#tokens -= queued.weight
    queued.written()
    this.#options.write(queued.text)
  }

  #pump(): void {
    if (this.#limits === undefined || this.#cancelPump !== undefined) return
    const { commandsPerSecond, commandsBurst } = this.#limits
    const perMs = (commandsPerSecond * rateShare) / 1_000
    const most = Math.max(1, commandsBurst * rateShare)
    const now = this.#options.clock.steady()
    const filled = this.#tokens + Math.max(0, now - this.#filledAt) * perMs
    // A node that names no rate has none.
    this.#tokens = commandsPerSecond === 0 ? Number.POSITIVE_INFINITY : Math.min(most, filled)
    this.#filledAt = now
    let lacking = 0
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      lacking = Math.min(next.weight, most) - this.#tokens
      if (lacking > 0) break
      this.#queue.shift()
      this.#write(next)
    }
    if (this.#queue.length === 0) return
    this.#cancelPump = this.#options.clock.after(Math.ceil(lacking / perMs), () => {
      this.#cancelPump = undefined
      this.#pump()
    })
  }

  #takeId(): number {
    for (;;) {
      const id = this.#nextId
      this.#nextId = id >= limits.commandIdMax ? 1 : id + 1
      if (!this.#pending.has(id)) return id
    }
  }
}

/** Whether a text is at most so large in UTF-8. Most are far below, and then an upper bound will do. */
export function fitsBytes(text: string, bytesMax: number): boolean {
  return text.length * 3 <= bytesMax || new TextEncoder().encode(text).length <= bytesMax
}
