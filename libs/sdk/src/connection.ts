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
import { asFlotillaError, FlotillaError, isRefused, reasonOf } from './flotilla-error.ts'
import type { ConnectAnswer } from '@flotilla/protocol'

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
  /** What went wrong, where the implementation tells. */
  readonly error?: unknown
}
export type SocketConstructor = new (url: string) => Socket

export type Hello = EventOf<'hello'>

export type ConnectionState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'live' }
  /** `until` by this device's clock, for showing. `reason` for programs: a code; `error` says it in words, with its causes. */
  | { readonly name: 'waiting'; readonly until: number; readonly reason: string; readonly error: FlotillaError }
  | ({ readonly name: 'stopped' } & Stop)

/** Why a client does not come back by itself. */
export type StopReason =
  /** One's own `stop`. */
  | 'stopped'
  /** The session was signed out or revoked, or its tokens are not good any longer. */
  | 'session_ended'
  /** An operator has suspended the account: signing in says until when. */
  | 'account_suspended'
  | 'unauthenticated'
  | 'refresh_token_invalid'
  | 'refresh_token_reused'
  | 'invalid_credentials'
  /** The store belongs to another person. */
  | 'other_user'
  /** This build is too old, or broken; so says any code of tomorrow that ends a client. */
  | 'protocol_unsupported'
  | 'frame_malformed'
  | `closed_${number}`

export interface Stop {
  readonly reason: StopReason
  /** What helps: that the person signs in again, that the application is loaded again, or nothing has to be done. */
  readonly advice: 'sign_in' | 'reload' | 'nothing'
}

export interface ConnectionPorts {
  /** `GET /v1/connect`. A FlotillaError that is not worth a retry ends it. */
  locate(): Promise<ConnectAnswer>
  live(hello: Hello): void
  /** @param reason a code, as in the state that follows */
  down(reason: string): void
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
  /** The same after a wake, when a dead connection is likely; and how long an attempt from before the wake may take. */
  readonly wakeTimeoutMs: number
  /** A connection that lasted this long wipes out the failures before it. */
  readonly stableMs: number
  /** How to come back as long as no hello has said it. */
  readonly retryPolicy: { readonly baseMs: number; readonly maxMs: number }
}

/** Wakes (the network is back, the page is looked at) closer together than this count as one. */
const wakeSpacingMs = 1_000
/** How often it is looked whether the device slept. */
const sleepLookMs = 4_750
/** A timer that is later by this stood still, or the program was busy: awake again, the next one is on time. */
const sleptMsMin = 2_000
const awakeMs = 250
/** How soon a socket that reported an error must close by itself. */
const errorGraceMs = 1_000
/** Fresh tokens that a server may refuse in a row: keys that are being rotated pass, a wrong deployment does not. */
const refusalsMax = 3
/** Without a new sign-in these stay. Anything else may pass. */
const signInNeeded: readonly string[] = [
  'session_ended',
  'account_suspended',
  'unauthenticated',
  'refresh_token_invalid',
  'refresh_token_reused',
  'invalid_credentials',
] satisfies StopReason[]

/** How a connection, or an attempt, came to its end. */
interface End {
  /** A close code's name, or one of our own. */
  readonly code: string
  readonly advice: 'now' | 'after' | 'never'
  readonly retryMs: number | undefined
  readonly message: string
  readonly cause?: unknown
}

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
  /** When the next attempt is due. */
  #dueAt = 0
  /** What the socket said before it closed. */
  #socketError: unknown

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

  stop(reason: StopReason): void {
    if (this.#state.name === 'stopped') return
    this.#letGo(reason)
    const advice = reason === 'stopped' ? 'nothing' : signInNeeded.includes(reason) ? 'sign_in' : 'reload'
    this.#enter({ name: 'stopped', reason, advice })
  }

  send(text: string): void {
    this.#socket?.send(text)
  }

  /** Something says that the network may be back: do not wait longer than the server asked for, and trust no silence. */
  wake(): void {
    const now = this.#options.clock.steady()
    const { state } = this
    const { wakeTimeoutMs } = this.#options
    if (state.name === 'live') {
      if (now - this.#heardAt >= wakeSpacingMs) void this.#ping(wakeTimeoutMs)
    } else if (state.name === 'waiting' && now >= this.#notBefore) {
      // What failed before says nothing about the network that is there now.
      this.#failures = 0
      const waitMs = this.#startedAt + wakeSpacingMs - now
      if (waitMs <= 0) void this.#connect()
      else if (now + waitMs < this.#dueAt) this.#comeBack(waitMs, state.reason, state.error)
    } else if (state.name === 'connecting' && now - this.#startedAt >= wakeTimeoutMs) {
      this.#letGo('timed_out')
      void this.#connect()
    }
  }

  /** The device says that it has no network: that is believed, whatever the socket looks like. Tries go on at their times. */
  offline(): void {
    if (this.#state.name !== 'live' && this.#state.name !== 'connecting') return
    this.#letGo('offline')
    this.#wait(
      undefined,
      'offline',
      new FlotillaError('disconnected', 'unable to stay connected: this device is offline'),
    )
  }

  // ---- connecting ---------------------------------------------------------------------------------------------------

  async #connect(): Promise<void> {
    const { ports, clock, connectTimeoutMs } = this.#options
    this.#startedAt = clock.steady()
    const turn = this.#enter({ name: 'connecting' })
    if (turn !== this.#turn) return
    this.#after(connectTimeoutMs, () =>
      this.#ended(silence(`unable to connect${this.#where()}: no hello within ${connectTimeoutMs} ms`)),
    )
    try {
      const answer = await ports.locate()
      if (turn === this.#turn) this.#open(answer)
    } catch (thrown) {
      if (turn !== this.#turn) return
      const error = asFlotillaError(thrown, 'unreachable', 'connect')
      this.#refusals = error.code === 'unauthenticated' ? this.#refusals + 1 : 0
      const { code, retryMs } = error
      const mayPass = code === 'unauthenticated' ? this.#refusals < refusalsMax : !signInNeeded.includes(code)
      if (mayPass) this.#wait(retryMs, code, error)
      else this.stop(code as StopReason)
    }
  }

  #open(answer: ConnectAnswer): void {
    const urls = answer.urls.map(({ url }) => url)
    // The best one that has not failed since the last live connection.
    const url = urls.find(one => !this.#failedUrls.has(one)) ?? urls[0]
    if (url === undefined) throw new FlotillaError('unavailable', 'unable to connect: there is no node to connect to')
    this.#tried = { url, another: urls.some(one => one !== url && !this.#failedUrls.has(one)) }
    const query = `ticket=${encodeURIComponent(answer.ticket)}&v=${protocolVersion}&lines=1`
    const socket = new this.#options.WebSocket(`${url}${url.includes('?') ? '&' : '?'}${query}`)
    this.#socket = socket
    this.#socketError = undefined
    const mine = () => this.#socket === socket
    socket.addEventListener('message', event => {
      if (typeof event.data !== 'string') return
      // What each of them leads to may end the connection.
      for (const line of event.data.split('\n')) {
        if (!mine()) return
        if (this.#state.name === 'live') this.#frame(line)
        else this.#greeted(line)
      }
    })
    socket.addEventListener('close', event => {
      if (mine()) this.#closed(event)
    })
    // Not every implementation lets a close follow an error.
    socket.addEventListener('error', event => {
      if (!mine()) return
      this.#socketError = event.error
      this.#after(errorGraceMs, () => this.#closed({}))
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
      void this.#ping(this.#options.pingTimeoutMs)
      this.#beat(intervalMs)
    })
  }

  async #ping(timeoutMs: number): Promise<void> {
    const turn = this.#turn
    const heard = this.#heard
    try {
      await this.#options.ports.ping(timeoutMs)
    } catch (thrown) {
      const timedOut = isRefused(thrown, 'timed_out')
      if (turn === this.#turn && timedOut && this.#heard === heard)
        this.#ended(silence(`unable to stay connected${this.#where()}: no answer within ${timeoutMs} ms`))
    }
  }

  /**
   * Timers stand still while the device sleeps, and in many places nothing else says that it woke. A busy program is late
   * too, but again and again: if that counted as a wake, thousands of clients in one process would give up what they wait
   * for and begin anew, which keeps it busy.
   */
  #watchSleep(mayHaveSlept = false): void {
    const { clock } = this.#options
    const turn = this.#turn
    const at = clock.steady()
    const lookMs = mayHaveSlept ? awakeMs : sleepLookMs
    this.#after(lookMs, () => {
      const isLate = clock.steady() - at >= lookMs + sleptMsMin
      if (mayHaveSlept && !isLate) this.wake()
      if (turn === this.#turn) this.#watchSleep(isLate)
    })
  }

  // ---- coming back --------------------------------------------------------------------------------------------------

  #closed(close: { code?: number; reason?: string }): void {
    const { meaning, ...end } = readClose(close)
    const isLive = this.#state.name === 'live'
    const cause = this.#socketError
    // Few implementations tell why a socket did not open, and no browser does.
    const likely = isLive
      ? []
      : ['nothing answers there, its certificate is not trusted, or a proxy passes no WebSockets on']
    const why = meaning ?? [cause === undefined ? end.code : reasonOf(cause), ...likely].join('; ')
    this.#ended({
      ...end,
      message: `unable to ${isLive ? 'stay connected' : 'connect'}${this.#where()}: ${why}`,
      cause,
    })
  }

  #ended({ code, advice, retryMs, message, cause }: End): void {
    if (advice === 'never') return this.stop(code as StopReason)
    const wasLive = this.#state.name === 'live'
    const tried = this.#tried
    const error = new FlotillaError(wasLive ? 'disconnected' : 'unreachable', message, { retryMs, cause })
    this.#letGo(code)
    if (wasLive) {
      if (this.#options.clock.steady() - this.#liveAt >= this.#options.stableMs) this.#failures = 0
      // The list may be older than its wish to be left: it drains, or holds too many.
      if (advice === 'now' && tried !== undefined) this.#failedUrls.add(tried.url)
      if (advice === 'now' && this.#failures === 0) return this.#comeBack(0, code, error)
    } else if (tried !== undefined) {
      this.#failedUrls.add(tried.url)
      // There is another address: try it before waiting.
      if (tried.another && retryMs === undefined) return this.#comeBack(0, code, error)
      if (!tried.another) this.#failedUrls.clear()
    }
    this.#wait(retryMs, code, error)
  }

  #wait(retryMs: number | undefined, reason: string, error: FlotillaError): void {
    this.#notBefore = this.#options.clock.steady() + (retryMs ?? 0)
    this.#comeBack((retryMs ?? 0) + fullJitterMs(this.#policy, this.#failures, this.#options.random), reason, error)
  }

  #comeBack(waitMs: number, reason: string, error: FlotillaError): void {
    this.#failures += 1
    this.#dueAt = this.#options.clock.steady() + waitMs
    const turn = this.#enter({ name: 'waiting', until: this.#options.clock.now() + waitMs, reason, error })
    if (turn !== this.#turn) return
    this.#after(waitMs, () => void this.#connect())
    this.#watchSleep()
  }

  /** The address that it is about, as soon as there is one. */
  #where(): string {
    return this.#tried === undefined ? '' : ` to ${this.#tried.url}`
  }

  /** Lets go of the socket. Nothing that it still says is heard. */
  #letGo(reason: string): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#tried = undefined
    socket?.close(1000)
    if (this.#state.name === 'live') this.#options.ports.down(reason)
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

/** What an end comes to that nobody announced. */
function silence(message: string): End {
  return { code: 'timed_out', advice: 'after', retryMs: undefined, message }
}

/** What the end of a connection says: the range of its code what to do, its reason why and when. */
export function readClose(close: { code?: number; reason?: string }): Omit<End, 'message'> & { meaning?: string } {
  const number = close.code ?? 1006
  const advice = closeAdvice(number)
  const named = Object.entries(closeCodes).find(([, row]) => row.code === number)
  let code = named?.[0] ?? `closed_${number}`
  let retryMs: number | undefined
  try {
    const reason = JSON.parse(close.reason ?? '') as { code?: unknown; retryMs?: unknown }
    // What ends a client is one of a few, whatever names tomorrow has.
    if (typeof reason.code === 'string' && advice !== 'never') code = reason.code
    if (typeof reason.retryMs === 'number' && reason.retryMs >= 0) retryMs = reason.retryMs
  } catch {
    // No reason, or one of a proxy: the number says enough.
  }
  return { code, advice, retryMs, ...(named === undefined ? {} : { meaning: named[1].meaning }) }
}
