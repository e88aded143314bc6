/** Who is typing: ours, told now and then while it lasts; the others', fading by itself when nothing more is heard. */
import type { EventOf } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import type { Requests } from './requests.ts'

/** Somebody has begun or ceased to type. */
export interface Typing {
  readonly conversation: string
  readonly user: string
  readonly typing: boolean
}

export interface TypingOptions {
  readonly clock: Clock
  readonly requests: Requests
  readonly changed: (typing: Typing) => void
  /** Our own is told again at most this often. */
  readonly typingRepeatMs: number
  /** Without a further keystroke our own is over. */
  readonly typingRestMs: number
  /** Another's is over when it was not repeated. */
  readonly typingFadeMs: number
}

/** Others who type at the same time, of whom we keep account. */
const othersMax = 1_000

export class TypingNotices {
  readonly #options: TypingOptions
  readonly #own = new Map<string, { toldAt: number; cancelRest: () => void }>()
  readonly #others = new Map<string, { typing: Typing; cancelFade: () => void }>()

  constructor(options: TypingOptions) {
    this.#options = options
  }

  /** A keystroke. */
  type(conversation: string): void {
    const { clock, requests, typingRepeatMs, typingRestMs } = this.#options
    const before = this.#own.get(conversation)
    before?.cancelRest()
    const now = clock.steady()
    let toldAt = before?.toldAt ?? Number.NEGATIVE_INFINITY
    if (now - toldAt >= typingRepeatMs && requests.tell('typing.start', { conversation }, { ephemeral: true }))
      toldAt = now
    const cancelRest = clock.after(typingRestMs, () => this.stop(conversation))
    this.#own.set(conversation, { toldAt, cancelRest })
  }

  stop(conversation: string): void {
    const before = this.#own.get(conversation)
    if (before === undefined) return
    before.cancelRest()
    this.#own.delete(conversation)
    if (before.toldAt > Number.NEGATIVE_INFINITY)
      this.#options.requests.tell('typing.stop', { conversation }, { ephemeral: true })
  }

  /** The message is on its way, and shows by itself that the typing is over. */
  sent(conversation: string): void {
    this.#own.get(conversation)?.cancelRest()
    this.#own.delete(conversation)
  }

  heard(event: EventOf<'typing.start'> | EventOf<'typing.stop'>): void {
    const { conversation, user } = event
    if (event.event === 'typing.stop') return this.over(conversation, user)
    const key = `${conversation} ${user}`
    const before = this.#others.get(key)
    if (before === undefined && this.#others.size >= othersMax) return
    before?.cancelFade()
    const cancelFade = this.#options.clock.after(this.#options.typingFadeMs, () => this.over(conversation, user))
    const typing: Typing = { conversation, user, typing: true }
    this.#others.set(key, { typing, cancelFade })
    if (before === undefined) this.#options.changed(typing)
  }

  /** Somebody else has stopped, or posted. */
  over(conversation: string, user: string): void {
    const key = `${conversation} ${user}`
    const before = this.#others.get(key)
    if (before === undefined) return
    before.cancelFade()
    this.#others.delete(key)
    this.#options.changed({ conversation, user, typing: false })
  }

  /** The connection is gone: nothing more will be heard. */
  down(): void {
    for (const { cancelRest } of this.#own.values()) cancelRest()
    this.#own.clear()
    for (const { typing } of this.#others.values()) this.over(typing.conversation, typing.user)
  }
}
