/**
 * A client of the socket that is not the SDK: it orders nothing, heals nothing and hides nothing, so that a test sees
 * what a node really says. Light enough for hundreds in one process.
 */
import {
  type CommandOf,
  type ErrorBody,
  type ErrorCode,
  type Event,
  type EventName,
  type EventOf,
  type Op,
  protocolVersion,
  type Reply,
  type ReplyOf,
} from '@flotilla/protocol'
import { WebSocket } from 'ws'

/** What a node may say. */
export type Frame = Event | Reply

export interface SocketOptions {
  /** As GET /v1/connect gives it: `ws://…/v1/socket`. */
  readonly url: string
  readonly ticket: string
  readonly protocol?: number
  /** Of the upgrade. */
  readonly headers?: Readonly<Record<string, string>>
  /** Called with every frame at once, for recording. */
  onFrame?(frame: Frame): void
  /** Whether frames are kept, for `received` and `nextEvent`; a long run under load records them by `onFrame` instead. */
  readonly keep?: boolean
}

export interface Closed {
  readonly code: number
  /** As it came; a node's own reasons are JSON. */
  readonly reason: string
}

export interface TestSocket {
  readonly hello: EventOf<'hello'>
  /** Every frame in the order in which it came. */
  readonly received: readonly Frame[]
  readonly closed: Promise<Closed>
  readonly open: boolean
  /** Sends a command and waits for its `ok`; an `error` is thrown as RequestError. */
  request<O extends Op>(op: O, fields: Fields<O>, withinMs?: number): Promise<ReplyOf<O>>
  /** Sends a command without an id: only its failure is answered, by an `error` event. */
  tell<O extends Op>(op: O, fields: Fields<O>): void
  /** Sends anything: text as a text frame, bytes as a binary one unless `binary` says otherwise. Resolves when it is handed to the kernel. */
  sendRaw(data: string | Buffer, options?: { readonly binary: boolean }): Promise<void>
  /** Takes the first event that fits from those not taken yet, or waits for one. */
  nextEvent<N extends EventName>(name: N, withinMs?: number): Promise<EventOf<N>>
  nextEvent<E extends Event = Event>(fits: (event: Event) => boolean, withinMs?: number): Promise<E>
  /** The answer to a command that was sent raw. */
  nextReply(id: number, withinMs?: number): Promise<Reply>
  /** Stops and goes on reading from the network: a slow reader. */
  pause(): void
  resume(): void
  /** Closes in an orderly way. */
  close(code?: number): Promise<Closed>
  /** Breaks off without a closing handshake. */
  terminate(): Promise<Closed>
}

/** What a command carries beyond its id and op. */
export type Fields<O extends Op> = Omit<CommandOf<O>, 'id' | 'op'>

/** The node answered a command with an error. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: ErrorCode
  readonly body: ErrorBody

  constructor(op: string, body: ErrorBody) {
    super(`${op} was refused: ${body.code}: ${body.message}`)
    this.code = body.code
    this.body = body
  }
}

/** The connection is over, or never came to its hello. */
export class SocketClosedError extends Error {
  override readonly name = 'SocketClosedError'
  readonly code: number
  readonly reason: string

  constructor(closed: Closed) {
    super(`the socket is closed: ${closed.code} ${closed.reason}`)
    this.code = closed.code
    this.reason = closed.reason
  }
}

const withinMsDefault = 10_000

/**
 * Connects and waits for the hello.
 * @throws SocketClosedError with the node's code when it closes first; Error when there is no connection at all
 */
export async function connectSocket(options: SocketOptions): Promise<TestSocket> {
  const url = `${options.url}?ticket=${encodeURIComponent(options.ticket)}&v=${options.protocol ?? protocolVersion}&lines=1`
  const raw = new WebSocket(url, { perMessageDeflate: false, headers: { ...options.headers } })
  const mailbox = createMailbox(options)
  const closed = new Promise<Closed>(resolve => {
    raw.on('close', (code, reason) => {
      const how = { code, reason: reason.toString() }
      mailbox.fail(new SocketClosedError(how))
      resolve(how)
    })
  })
  raw.on('error', error => mailbox.fail(error))
  raw.on('message', (data: Buffer, isBinary) => {
    try {
      if (isBinary) throw new Error('it is binary')
      for (const line of data.toString().split('\n')) mailbox.take(JSON.parse(line) as Frame)
    } catch (error) {
      mailbox.fail(new Error(`unable to read a frame of the node: ${String(error)}`, { cause: error }))
      raw.terminate()
    }
  })
  const hello = await mailbox.event(isEvent('hello'), 'hello', withinMsDefault).catch((error: unknown) => {
    raw.terminate()
    throw error
  })
  return control(raw, mailbox, hello as EventOf<'hello'>, closed)
}

function control(raw: WebSocket, mailbox: Mailbox, hello: EventOf<'hello'>, closed: Promise<Closed>): TestSocket {
  let lastId = 0
  const nextReply = (id: number, withinMs = withinMsDefault) => mailbox.reply(id, withinMs)
  return {
    hello,
    received: mailbox.received,
    closed,
    get open() {
      return raw.readyState === WebSocket.OPEN
    },
    async request<O extends Op>(op: O, fields: Fields<O>, withinMs?: number) {
      const id = ++lastId
      raw.send(JSON.stringify({ id, op, ...fields }))
      const reply = await nextReply(id, withinMs)
      if ('error' in reply) throw new RequestError(op, reply.error)
      return reply.ok as ReplyOf<O>
    },
    tell(op, fields) {
      raw.send(JSON.stringify({ op, ...fields }))
    },
    sendRaw: (data, sendOptions = { binary: typeof data !== 'string' }) =>
      new Promise((resolve, reject) => {
        raw.send(data, sendOptions, error => (error ? reject(error) : resolve()))
      }),
    async nextEvent(wanted: EventName | ((event: Event) => boolean), withinMs = withinMsDefault) {
      const [fits, what] =
        typeof wanted === 'string' ? ([isEvent(wanted), wanted] as const) : ([wanted, 'an event'] as const)
      return (await mailbox.event(fits, what, withinMs)) as never
    },
    nextReply,
    pause: () => raw.pause(),
    resume: () => raw.resume(),
    close(code = 1000) {
      raw.close(code)
      return closed
    },
    terminate() {
      raw.terminate()
      return closed
    },
  }
}

const isEvent = (name: EventName) => (event: Event) => event.event === name

interface Mailbox {
  readonly received: Frame[]
  take(frame: Frame): void
  /** Fails everybody who waits, now and later. The first failure counts. */
  fail(error: Error): void
  event(fits: (event: Event) => boolean, what: string, withinMs: number): Promise<Event>
  reply(id: number, withinMs: number): Promise<Reply>
}

interface Waiter<F> {
  resolve(frame: F): void
  reject(error: Error): void
}

/** Hands each frame to the first who waits for it, or keeps it for the first who will ask. */
function createMailbox(options: Pick<SocketOptions, 'onFrame' | 'keep'>): Mailbox {
  const keep = options.keep !== false
  const received: Frame[] = []
  const events: Event[] = []
  const replies = new Map<number, Reply>()
  const awaitedEvents = new Map<Waiter<Event>, (event: Event) => boolean>()
  const awaitedReplies = new Map<number, Waiter<Reply>>()
  let failure: Error | undefined

  function wait<F>(
    what: string,
    withinMs: number,
    enter: (waiter: Waiter<F>) => void,
    leave: (waiter: Waiter<F>) => void,
  ): Promise<F> {
    if (failure !== undefined) return Promise.reject(failure)
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiter.reject(new Error(`unable to wait any longer: not within ${withinMs} ms: ${what}`))
      }, withinMs)
      const finish = () => {
        clearTimeout(late)
        leave(waiter)
      }
      const waiter: Waiter<F> = {
        resolve(frame) {
          finish()
          resolve(frame)
        },
        reject(error) {
          finish()
          reject(error)
        },
      }
      enter(waiter)
    })
  }

  return {
    received,
    take(frame) {
      options.onFrame?.(frame)
      if (keep) received.push(frame)
      if ('id' in frame) {
        const waiter = awaitedReplies.get(frame.id)
        if (waiter !== undefined) waiter.resolve(frame)
        else if (keep) replies.set(frame.id, frame)
        return
      }
      for (const [waiter, fits] of awaitedEvents)
        if (fits(frame)) {
          waiter.resolve(frame)
          return
        }
      if (keep) events.push(frame)
    },
    fail(error) {
      failure ??= error
      for (const waiter of [...awaitedEvents.keys(), ...awaitedReplies.values()]) waiter.reject(failure)
    },
    event(fits, what, withinMs) {
      const at = events.findIndex(fits)
      if (at >= 0) return Promise.resolve(events.splice(at, 1)[0] as Event)
      return wait<Event>(
        what,
        withinMs,
        waiter => awaitedEvents.set(waiter, fits),
        waiter => awaitedEvents.delete(waiter),
      )
    },
    reply(id, withinMs) {
      const reply = replies.get(id)
      if (reply === undefined)
        return wait<Reply>(
          `the reply to ${id}`,
          withinMs,
          waiter => awaitedReplies.set(id, waiter),
          () => awaitedReplies.delete(id),
        )
      replies.delete(id)
      return Promise.resolve(reply)
    },
  }
}
