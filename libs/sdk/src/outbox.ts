/**
 * The queue of sends. A message is in the store before it is on its way, and out of it only when the server has
 * answered for good; its clientId makes every repetition the same message (P2). So a send survives whatever happens to
 * the connection or to this process, and becomes exactly one entry.
 *
 * Order: within a conversation one send is under way at a time, because a server that refuses one (too fast, too busy)
 * may take the next; conversations do not wait for each other.
 */
import { limits, refuseBody, type ReplyOf, type TextBody } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import { asFlotillaError, FlotillaError } from './flotilla-error.ts'
import { fitsBytes } from './requests.ts'
import type { Store, StoredSend } from './store.ts'

export interface Message {
  readonly conversation: string
  readonly body: TextBody
  /** The seq of the message that this one answers. */
  readonly replyTo?: number
}

export type Ack = ReplyOf<'message.send'>

/** What has become of a send. It only moves forward. */
export type SendState =
  | { readonly name: 'sending' }
  | { readonly name: 'sent'; readonly seq: number; readonly at: number; readonly epoch: number }
  | { readonly name: 'failed'; readonly error: FlotillaError }

/** A send that was taken. */
export interface Send extends Message {
  readonly clientId: string
  readonly state: SendState
  /** Resolves with the acknowledgement, rejects when the send is refused for good. Not before either, however long. */
  readonly acknowledged: Promise<Ack>
}

export interface OutboxOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly uuid: () => string
  readonly send: (message: Message & { clientId: string }) => Promise<Ack>
  readonly changed: (send: Send) => void
  readonly report: (thrown: unknown) => void
  /** Sends that may wait, over all conversations. */
  readonly outboxEntriesMax: number
  /** Sends under way, each of another conversation. */
  readonly inFlightMax: number
  readonly retryPolicy: { readonly baseMs: number; readonly maxMs: number }
}

class Item implements Send {
  readonly clientId: string
  readonly order: number
  readonly conversation: string
  readonly body: TextBody
  readonly replyTo?: number
  readonly acknowledged: Promise<Ack>
  state: SendState = { name: 'sending' }
  stored = false
  failures = 0
  resolve: (ack: Ack) => void = () => {}
  reject: (error: FlotillaError) => void = () => {}

  constructor(send: StoredSend) {
    this.clientId = send.clientId
    this.order = send.order
    this.conversation = send.conversation
    this.body = send.body
    if (send.replyTo !== undefined) this.replyTo = send.replyTo
    this.acknowledged = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever does not look at the promise has the event; that is no unhandled rejection.
    this.acknowledged.catch(() => {})
  }
}

interface Lane {
  readonly items: Item[]
  busy: boolean
  /** Waits for the time to try again. */
  cancelWait: (() => void) | undefined
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #lanes = new Map<string, Lane>()
  #size = 0
  #order = 0
  #inFlight = 0
  #live = false
  readonly #writes = new Set<Promise<void>>()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** What the last run left behind, or another tab. What is here already, is here. */
  restore(sends: readonly StoredSend[]): void {
    const here = new Set(this.pending().map(send => send.clientId))
    for (const send of sends) {
      if (here.has(send.clientId)) continue
      const item = new Item(send)
      item.stored = true
      this.#enqueue(item)
    }
    this.#pump()
  }

  /** Takes a message. Throws when it can never be sent as it is, or when the outbox is full. */
  add(message: Message): Send {
    refuse(message, this.#size, this.#options.outboxEntriesMax)
    const clientId = this.#options.uuid()
    const { conversation, replyTo } = message
    // A copy: what is sent, again and again if need be, is what was handed in, whatever becomes of the caller's object.
    const body = structuredClone(message.body)
    const stored = {
      clientId,
      order: this.#order + 1,
      conversation,
      body,
      ...(replyTo === undefined ? {} : { replyTo }),
    }
    if (!fitsBytes(JSON.stringify(stored), limits.frameBytesMax - frameSlackBytes))
      throw new FlotillaError('frame_too_large', 'unable to send: the message is too large')
    const item = new Item(stored)
    this.#enqueue(item)
    this.#write(this.#store(item, stored))
    return item
  }

  /** Everything that is not acknowledged yet, in the order of the sends. */
  pending(): readonly Send[] {
    return [...this.#lanes.values()].flatMap(lane => lane.items).sort((one, other) => one.order - other.order)
  }

  live(): void {
    this.#live = true
    this.#pump()
  }

  down(): void {
    this.#live = false
    for (const lane of this.#lanes.values()) {
      lane.cancelWait?.()
      lane.cancelWait = undefined
    }
  }

  /** Resolves when the store has everything that was decided. */
  async close(): Promise<void> {
    this.down()
    while (this.#writes.size > 0) await Promise.all(this.#writes)
  }

  #enqueue(item: Item): void {
    const lane = this.#lanes.get(item.conversation) ?? { items: [], busy: false, cancelWait: undefined }
    this.#lanes.set(item.conversation, lane)
    lane.items.push(item)
    this.#order = Math.max(this.#order, item.order)
    this.#size += 1
    this.#options.changed(item)
  }

  async #store(item: Item, stored: StoredSend): Promise<void> {
    try {
      await this.#options.store.addSend(stored)
      item.stored = true
      this.#pump()
    } catch (thrown) {
      this.#end(item, { name: 'failed', error: asFlotillaError(thrown, 'store_failed', 'keep the message') })
    }
  }

  #pump(): void {
    for (const [conversation, lane] of this.#lanes) {
      if (!this.#live || this.#inFlight >= this.#options.inFlightMax) return
      const item = lane.items[0]
      if (item === undefined || !item.stored || lane.busy || lane.cancelWait !== undefined) continue
      // Round robin: whose turn it was goes to the end.
      this.#lanes.delete(conversation)
      this.#lanes.set(conversation, lane)
      void this.#fly(lane, item)
    }
  }

  async #fly(lane: Lane, item: Item): Promise<void> {
    lane.busy = true
    this.#inFlight += 1
    const { clientId, conversation, body, replyTo } = item
    try {
      const ack = await this.#options.send({
        conversation,
        clientId,
        body,
        ...(replyTo === undefined ? {} : { replyTo }),
      })
      this.#end(item, { name: 'sent', ...ack })
    } catch (thrown) {
      const error = asFlotillaError(thrown, 'internal', 'send the message')
      if (error.retry) this.#later(lane, item, error)
      else this.#end(item, { name: 'failed', error })
    } finally {
      lane.busy = false
      this.#inFlight -= 1
      this.#pump()
    }
  }

  #later(lane: Lane, item: Item, error: FlotillaError): void {
    // Without a connection it is the reconnect that says when.
    if (error.code === 'disconnected' || !this.#live) return
    const { clock, random, retryPolicy } = this.#options
    const waitMs = (error.retryMs ?? 0) + fullJitterMs(retryPolicy, item.failures, random)
    item.failures += 1
    lane.cancelWait = clock.after(waitMs, () => {
      lane.cancelWait = undefined
      this.#pump()
    })
  }

  #end(item: Item, state: SendState): void {
    const lane = this.#lanes.get(item.conversation)
    const at = lane?.items.indexOf(item) ?? -1
    if (lane === undefined || at < 0) return
    lane.items.splice(at, 1)
    if (lane.items.length === 0) {
      lane.cancelWait?.()
      this.#lanes.delete(item.conversation)
    }
    this.#size -= 1
    item.state = state
    if (state.name === 'sent') item.resolve({ seq: state.seq, at: state.at, epoch: state.epoch })
    else if (state.name === 'failed') item.reject(state.error)
    this.#options.changed(item)
    // Should this fail, the next run sends it once more and is told the same seq.
    this.#write(this.#options.store.removeSend(item.clientId).catch(this.#options.report))
  }

  #write(write: Promise<void>): void {
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
  }
}

/** Room for the id and the operation in the frame of a send. */
const frameSlackBytes = 256

function refuse({ body }: Message, size: number, entriesMax: number): void {
  if (size >= entriesMax)
    throw new FlotillaError('outbox_full', `unable to send: ${entriesMax} messages wait already`, {
      rule: `maxItems ${entriesMax}`,
    })
  const refusal = refuseBody(body)
  if (refusal !== undefined) throw new FlotillaError(refusal.code, `unable to send: ${refusal.message}`, refusal.detail)
}
