/**
 * One connection after the other: asks where to go, opens the socket, waits for `hello`, keeps it alive, and knows
 * when and whether to come back. A state machine of five states; whatever belongs to a state that is over (a timer, a
 * late frame of an old socket) finds its turn gone and does nothing.
 *
 *   idle ──start──► connecting ──hello──► live
 *                    ▲      │ failed        │ closed
 *                    └──── waiting ◄────────┘            any ──stop, or told never to come back──► stopped
 */
import { closeAdvice, closeCodes, type EventOf, protocolVersion } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import { asFlotillaError, FlotillaError } from './flotilla-error.ts'
import type { ConnectAnswer } from './rest.ts'

/** As much of a WebSocket as the SDK uses. */
export interface Socket {
  send(text: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void
}
export interface SocketEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: number
  readonly reason?: string
}
export type SocketConstructor = new (url: string) => Socket

export type Hello = EventOf<'hello'>

export type ConnectionState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  /** `until` by this device's clock, for showing. */
  | { readonly name: 'waiting'; readonly until: number; readonly reason: string }
  | { readonly name: 'stopped'; readonly reason: string }

export interface ConnectionPorts {
  /** `GET /v1/connect`. A FlotillaError that is not worth a retry ends it. */
  locate(): Promise<ConnectAnswer>
  live(hello: Hello): void
  down(): void
  /** A frame after hello, as it came. */
  frame(text: string): void
  /** Resolves when the node has answered anything at all. */
  ping(timeoutMs: number): Promise<void>
  changed(state: ConnectionState): void
}

export interface ConnectionOptions {
  readonly ports: ConnectionPorts
  readonly WebSocket: SocketConstructor
  readonly clock: Clock
  readonly random: Random
  /** From the first step to hello. */
  readonly connectTimeoutMs: number
  readonly pingTimeoutMs: number
  /** A connection that lasted this long wipes out the failures before it. */
  readonly stableMs: number
  /** How to come back as long as no hello has said it. */
  readonly retryPolicy: { readonly baseMs: number; readonly maxMs: number }
}

/** Wakes (the network is back, the page is looked at) closer together than this count as one. */
const wakeSpacingMs = 1_000
/** How often it is looked whether the device slept. */
const sleepLookMs = 5_000
/** A timer that is later by this stood still. */
const sleptMsMin = 2_000
/** How soon a socket that reported an error must close by itself. */
const errorGraceMs = 1_000
/** Fresh tokens that a server may refuse in a row: keys that are being rotated pass, a wrong deployment does not. */
const refusalsMax = 3
/** What a connection that went silent comes to. */
const silence = { code: 1006, reason: '' }

export class Connection {
  readonly #options: ConnectionOptions
  #state: ConnectionState = { name: 'idle' }
  /** Counts the states, so that an answer that was asked for in a former one can tell. */
  #turn = 0
  /** The timers of the present state: they end with it. */
  readonly #timers = new Set<() => void>()
  #socket: Socket | undefined
  /** The address under way or in use, and whether there is one that has not failed yet. */
  #tried: { url: string; another: boolean } | undefined
  /** Since the last live connection; with the one that it was on, if that node sent us away. */
  readonly #failedUrls = new Set<string>()
  #policy: ConnectionOptions['retryPolicy']
  /** Failures in a row. */
  #failures = 0
  /** Access tokens refused in a row. */
  #refusals = 0
  #startedAt = Number.NEGATIVE_INFINITY
  #liveAt = 0
  #heardAt = 0
  /** Counts the frames of a connection: whether anything came since is asked of no clock. */
  #heard = 0
  /** The server asked not to be bothered before. */
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#policy = options.retryPolicy
  }

  get state(): ConnectionState {
    return this.#state
  }

  start(): void {
    if (this.#state.name !== 'idle' && this.#state.name !== 'stopped') return
    this.#failures = 0
    this.#refusals = 0
    void this.#connect()
  }

  stop(reason: string): void {
    if (this.#state.name === 'stopped') return
    this.#letGo()
    this.#enter({ name: 'stopped', reason })
  }

  send(text: string): void {
    this.#socket?.send(text)
  }

  /** Something says that the network may be back: do not wait longer than the server asked for, and trust no silence. */
  wake(): void {
    const now = this.#options.clock.steady()
    if (this.#state.name === 'live') {
      if (now - this.#heardAt >= wakeSpacingMs) void this.#ping()
    } else if (this.#state.name === 'waiting') {
      if (now >= this.#notBefore && now - this.#startedAt >= wakeSpacingMs) void this.#connect()
    }
  }

  // ---- connecting ---------------------------------------------------------------------------------------------------

  async #connect(): Promise<void> {
    const { ports, clock, connectTimeoutMs } = this.#options
    this.#startedAt = clock.steady()
    const turn = this.#enter({ name: 'connecting' })
    if (turn !== this.#turn) return
    this.#after(connectTimeoutMs, () => this.#closed(silence))
    try {
      const answer = await ports.locate()
      if (turn === this.#turn) this.#open(answer)
    } catch (thrown) {
      if (turn !== this.#turn) return
      const error = asFlotillaError(thrown, 'unreachable', 'connect')
      this.#refusals = error.code === 'unauthenticated' ? this.#refusals + 1 : 0
      if (isFinal(error) || this.#refusals >= refusalsMax) this.stop(error.code)
      else this.#wait(error.retryMs, error.code)
    }
  }

  #open(answer: ConnectAnswer): void {
    const urls = answer.urls.map(({ url }) => url)
    // The best one that has not failed since the last live connection.
    const url = urls.find(one => !this.#failedUrls.has(one)) ?? urls[0]
    if (url === undefined) throw new FlotillaError('unavailable', 'unable to connect: there is no node to connect to')
    this.#tried = { url, another: urls.some(one => one !== url && !this.#failedUrls.has(one)) }
    const query = `ticket=${encodeURIComponent(answer.ticket)}&v=${protocolVersion}`
    const socket = new this.#options.WebSocket(`${url}${url.includes('?') ? '&' : '?'}${query}`)
    this.#socket = socket
    const mine = () => this.#socket === socket
    socket.addEventListener('message', event => {
      if (!mine() || typeof event.data !== 'string') return
      if (this.#state.name === 'live') this.#frame(event.data)
      else this.#greeted(event.data)
    })
    socket.addEventListener('close', event => {
      if (mine()) this.#closed(event)
    })
    // Not every implementation lets a close follow an error.
    socket.addEventListener('error', () => {
      if (mine()) this.#after(errorGraceMs, () => this.#closed(silence))
    })
  }

  #greeted(text: string): void {
    const { ports, clock } = this.#options
    const hello = parseHello(text)
    if (hello === undefined) return
    this.#policy = hello.reconnect
    this.#failedUrls.clear()
    this.#refusals = 0
    this.#liveAt = clock.steady()
    this.#heardAt = this.#liveAt
    const turn = this.#enter({ name: 'live' })
    if (turn !== this.#turn) return
    this.#beat(hello.pingIntervalMs)
    this.#watchSleep()
    ports.live(hello)
  }

  // ---- live ---------------------------------------------------------------------------------------------------------

  #frame(text: string): void {
    this.#heardAt = this.#options.clock.steady()
    this.#heard += 1
    this.#options.ports.frame(text)
  }

  /** Never later than the interval, and not at the same time as all the others. */
  #beat(intervalMs: number): void {
    this.#after(Math.ceil(intervalMs * (0.75 + 0.25 * this.#options.random())), () => {
      void this.#ping()
      this.#beat(intervalMs)
    })
  }

  async #ping(): Promise<void> {
    const turn = this.#turn
    const heard = this.#heard
    try {
      await this.#options.ports.ping(this.#options.pingTimeoutMs)
    } catch (thrown) {
      const timedOut = thrown instanceof FlotillaError && thrown.code === 'timed_out'
      if (turn === this.#turn && timedOut && this.#heard === heard) this.#closed(silence)
    }
  }

  /** Timers stand still while the device sleeps, and in many places nothing else says that it woke. */
  #watchSleep(): void {
    const { clock } = this.#options
    const turn = this.#turn
    const at = clock.steady()
    this.#after(sleepLookMs, () => {
      if (clock.steady() - at >= sleepLookMs + sleptMsMin) this.wake()
      if (turn === this.#turn) this.#watchSleep()
    })
  }

  // ---- coming back --------------------------------------------------------------------------------------------------

  #closed(close: { code?: number; reason?: string }): void {
    const { code, advice, retryMs } = readClose(close)
    if (advice === 'never') return this.stop(code)
    const wasLive = this.#state.name === 'live'
    const tried = this.#tried
    this.#letGo()
    if (wasLive) {
      if (this.#options.clock.steady() - this.#liveAt >= this.#options.stableMs) this.#failures = 0
      // The list may be older than its wish to be left: it drains, or holds too many.
      if (advice === 'now' && tried !== undefined) this.#failedUrls.add(tried.url)
      if (advice === 'now' && this.#failures === 0) return this.#comeBack(0, code)
    } else if (tried !== undefined) {
      this.#failedUrls.add(tried.url)
      // There is another address: try it before waiting.
      if (tried.another && retryMs === undefined) return this.#comeBack(0, code)
      if (!tried.another) this.#failedUrls.clear()
    }
    this.#wait(retryMs, code)
  }

  #wait(retryMs: number | undefined, reason: string): void {
    this.#notBefore = this.#options.clock.steady() + (retryMs ?? 0)
    this.#comeBack((retryMs ?? 0) + fullJitterMs(this.#policy, this.#failures, this.#options.random), reason)
  }

  #comeBack(waitMs: number, reason: string): void {
    this.#failures += 1
    const turn = this.#enter({ name: 'waiting', until: this.#options.clock.now() + waitMs, reason })
    if (turn !== this.#turn) return
    this.#after(waitMs, () => void this.#connect())
    this.#watchSleep()
  }

  /** Lets go of the socket. Nothing that it still says is heard. */
  #letGo(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#tried = undefined
    socket?.close(1000)
    if (this.#state.name === 'live') this.#options.ports.down()
  }

  /** Answers the turn. Whoever hears of the new state may have ended it at once: then the turn is another one already. */
  #enter(state: ConnectionState): number {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#state = state
    this.#turn += 1
    const turn = this.#turn
    this.#options.ports.changed(state)
    return turn
  }

  #after(ms: number, call: () => void): void {
    const cancel = this.#options.clock.after(ms, () => {
      this.#timers.delete(cancel)
      call()
    })
    this.#timers.add(cancel)
  }
}

function parseHello(text: string): Hello | undefined {
  try {
    const frame = JSON.parse(text) as Hello
    return frame.event === 'hello' ? frame : undefined
  } catch {
    return undefined
  }
}

/** What the end of a connection says: the range of its code what to do, its reason why and when. */
export function readClose(close: { code?: number; reason?: string }): {
  code: string
  advice: 'now' | 'after' | 'never'
  retryMs: number | undefined
} {
  const number = close.code ?? 1006
  const named = Object.entries(closeCodes).find(([, row]) => row.code === number)
  let code = named?.[0] ?? `closed_${number}`
  let retryMs: number | undefined
  try {
    const reason = JSON.parse(close.reason ?? '') as { code?: unknown; retryMs?: unknown }
    if (typeof reason.code === 'string') code = reason.code
    if (typeof reason.retryMs === 'number' && reason.retryMs >= 0) retryMs = reason.retryMs
  } catch {
    // No reason, or one of a proxy: the number says enough.
  }
  return { code, advice: closeAdvice(number), retryMs }
}

/** Without a new sign-in these stay. Anything else may pass. */
function isFinal(error: FlotillaError): boolean {
  return ['refresh_invalid', 'refresh_reused', 'credentials_wrong'].includes(error.code)
}
