/**
 * Receipts, up and down. Up: what this device has is told by itself, what the person has read when the application
 * says so; gathered for a moment, the highest only, without waiting for answers. Pings that are
 * answered prove that what went before them arrived; what is not proven is told again after a reconnect. Down: what others have, rising only.
 */
import type { EventOf } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import type { Cursors } from './cursors.ts'
import type { FlotillaError } from './flotilla-error.ts'
import type { Requests } from './requests.ts'
import type { StoredCursor } from './store.ts'

/** Somebody has everything up to `seq` (delivered), or has read it (which implies delivered). */
export interface Receipt {
  readonly conversation: string
  readonly user: string
  readonly kind: 'delivered' | 'read'
  readonly seq: number
}

export interface ReceiptsOptions {
  readonly clock: Clock
  readonly cursors: Cursors
  readonly requests: Requests
  /** How long receipts are gathered. */
  readonly receiptGatherMs: number
}

interface Told {
  delivered: number
  read: number
}

/** What was told counts in its epoch only: a store that was restored has forgotten. */
interface ToldIn extends Told {
  readonly epoch: number
}

/** Pings that must be answered after a receipt: the node may still be at work on it when it answers the first one. */
const provenPings = 2
/** Before a receipt that found no room, or failed, is tried again. */
const retryMs = 1_000

export class Receipts {
  readonly #options: ReceiptsOptions
  /** Conversations whose receipts may have to be told. */
  readonly #dirty = new Set<string>()
  /** What was told on this connection. */
  readonly #told = new Map<string, ToldIn>()
  /** Of that, what is not proven yet, and by how many pings it was outlived. */
  readonly #unproven = new Map<string, number>()
  #failures = 0
  #live = false
  #cancelFlush: (() => void) | undefined

  constructor(options: ReceiptsOptions) {
    this.#options = options
  }

  live(): void {
    this.#live = true
    this.#told.clear()
    this.#unproven.clear()
    for (const { conversation } of this.#options.cursors.all()) this.#dirty.add(conversation)
    this.#flushAfter(this.#options.receiptGatherMs)
  }

  down(): void {
    this.#live = false
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
  }

  /** The device has something more of this conversation. */
  delivered(conversation: string): void {
    this.#dirty.add(conversation)
    this.#flushAfter(this.#options.receiptGatherMs)
  }

  /**
   * The person has read up to `seq`. It is told as far as the device has the entries, and later on for the rest.
   * @returns whether that is news
   */
  read(conversation: string, seq: number): boolean {
    const cursor = this.#options.cursors.get(conversation)
    if (cursor === undefined || seq <= cursor.read) return false
    this.#options.cursors.note(conversation, { read: seq })
    this.delivered(conversation)
    return true
  }

  /** Nothing may run after this: what is gathered is told. */
  leave(): void {
    if (this.#cancelFlush === undefined) return
    this.#cancelFlush()
    this.#cancelFlush = undefined
    this.#flush()
  }

  /** A ping leaves now. Call the answer when it is answered. */
  pinging(): () => void {
    const failures = this.#failures
    const before = [...this.#unproven.keys()].map(conversation => ({ conversation, ...this.#told.get(conversation) }))
    return () => {
      if (failures !== this.#failures || !this.#live) return
      for (const { conversation, epoch, delivered, read } of before) {
        const told = this.#told.get(conversation)
        if (told === undefined || told.epoch !== epoch || told.delivered !== delivered || told.read !== read) continue
        const pings = (this.#unproven.get(conversation) ?? 0) + 1
        this.#unproven.set(conversation, pings)
        if (pings < provenPings) continue
        this.#unproven.delete(conversation)
        if (this.#options.cursors.get(conversation)?.epoch === epoch)
          this.#options.cursors.note(conversation, { toldDelivered: delivered, toldRead: read })
      }
    }
  }

  /** A receipt failed: the node does not say which one, so all that are not proven are told again. */
  failed(error: FlotillaError): void {
    if (!error.retry) return
    this.#failures += 1
    for (const conversation of this.#unproven.keys()) {
      this.#told.delete(conversation)
      this.#dirty.add(conversation)
    }
    this.#unproven.clear()
    this.#flushAfter(Math.max(retryMs, error.retryMs ?? 0))
  }

  #flushAfter(ms: number): void {
    if (!this.#live || this.#cancelFlush !== undefined) return
    this.#cancelFlush = this.#options.clock.after(ms, () => {
      this.#cancelFlush = undefined
      this.#flush()
    })
  }

  #flush(): void {
    const { cursors } = this.#options
    for (const conversation of this.#dirty) {
      const cursor = cursors.get(conversation)
      if (cursor !== undefined) {
        const told = this.#toldOf(cursor)
        const read = Math.min(cursor.read, cursor.seq)
        // What is read is delivered, but only what the device has: never past its cursor.
        if (read > told.read) {
          if (!this.#tell('message.read', conversation, read)) return
          told.read = read
          told.delivered = Math.max(told.delivered, read)
        }
        if (cursor.seq > told.delivered) {
          if (!this.#tell('message.delivered', conversation, cursor.seq)) return
          told.delivered = cursor.seq
        }
      }
      this.#dirty.delete(conversation)
    }
  }

  #toldOf({ conversation, epoch, toldDelivered, toldRead }: StoredCursor): ToldIn {
    const before = this.#told.get(conversation)
    if (before?.epoch === epoch) return before
    const told = { epoch, delivered: toldDelivered, read: toldRead }
    this.#told.set(conversation, told)
    return told
  }

  #tell(op: 'message.read' | 'message.delivered', conversation: string, seq: number): boolean {
    const taken = this.#options.requests.tell(op, { conversation, seq })
    if (taken) this.#unproven.set(conversation, 0)
    else this.#flushAfter(retryMs)
    return taken
  }
}

/** Conversations whose receipts are remembered, so that a late one is not taken for news. */
const rememberedConversationsMax = 500
const rememberedUsersMax = 2_000

/** The receipts of others, without those that say nothing new: events of several nodes can overtake each other. */
export class HeardReceipts {
  readonly #heard = new Map<string, Map<string, Told>>()

  hear(event: EventOf<'message.delivered'> | EventOf<'message.read'>): Receipt | undefined {
    const { conversation, user, seq } = event
    const users = this.#heard.get(conversation) ?? new Map<string, Told>()
    this.#heard.set(conversation, users)
    const told = users.get(user) ?? { delivered: 0, read: 0 }
    users.set(user, told)
    if (this.#heard.size > rememberedConversationsMax) this.#heard.delete(this.#heard.keys().next().value ?? '')
    if (users.size > rememberedUsersMax) users.delete(users.keys().next().value ?? '')
    const kind = event.event === 'message.read' ? 'read' : 'delivered'
    if (seq <= told[kind]) return undefined
    told[kind] = seq
    told.delivered = Math.max(told.delivered, told.read)
    return { conversation, user, kind, seq }
  }

  /** Another epoch, another count. */
  clear(): void {
    this.#heard.clear()
  }
}
