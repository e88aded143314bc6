/**
 * The queue of sends: of messages, and of every other command that makes an entry. A send is in the store before it is on
 * its way, and out of it only when the server has answered for good; its clientId makes every repetition the same entry (P2).
 * So it survives whatever happens to the connection or to this process, and becomes exactly one entry.
 *
 * Order: within a conversation one send is under way at a time, because a server that refuses one (too fast, too busy)
 * may take the next; conversations do not wait for each other.
 */
import {
  type CommandOf,
  emojiRule,
  type EntryOp,
  limits,
  type PollBody,
  qualifyEmoji,
  refuseBody,
  type ReplyOf,
} from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import { asFlotillaError, FlotillaError } from './flotilla-error.ts'
import { fitsBytes } from './requests.ts'
import type { Store, StoredSend } from './store.ts'

/** What a command that makes an entry says; the outbox gives it its `clientId`. */
export type Draft = { [O in EntryOp]: DraftOf<O> }[EntryOp]
type DraftOf<O extends EntryOp> = { readonly op: O } & Readonly<Omit<CommandOf<O>, 'id' | 'op' | 'clientId'>>

/** A message as it is handed in; `replyTo` is the seq of the message that it answers. */
export type Message = Omit<DraftOf<'message.send'>, 'op'>
/** Another body for a message that one has sent; `target` is its seq. */
export type Edit = Omit<DraftOf<'message.edit'>, 'op'>

/** A message that is posted once more, in `conversation`; `source` says which. */
export type Forward = Omit<DraftOf<'message.forward'>, 'op'>

/** A poll as it is handed in. What it says to those who do not know polls is made of it. */
export type Question = Omit<PollBody, 'type' | 'fallback' | 'options'> & {
  readonly conversation: string
  readonly thread?: number
  readonly options: readonly string[]
}

export type Ack = ReplyOf<EntryOp>

/** What has become of a send. It only moves forward. */
export type SendState =
  | { readonly name: 'sending' }
  | { readonly name: 'sent'; readonly seq: number; readonly at: number; readonly epoch: number }
  | { readonly name: 'failed'; readonly error: FlotillaError }

/** A send that was taken. */
export type Send = Draft & {
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
  readonly send: (draft: Draft & { readonly clientId: string }) => Promise<Ack>
  readonly changed: (send: Send) => void
  readonly report: (thrown: unknown) => void
  /** Sends that may wait, over all conversations. */
  readonly outboxEntriesMax: number
  /** Sends under way, each of another conversation. */
  readonly inFlightMax: number
  readonly retryPolicy: { readonly baseMs: number; readonly maxMs: number }
}

class Item {
  readonly draft: Draft & { readonly clientId: string }
  readonly order: number
  /** What the application sees of it. */
  readonly send: Send & { state: SendState }
  stored = false
  failures = 0
  resolve: (ack: Ack) => void = () => {}
  reject: (error: FlotillaError) => void = () => {}

  constructor({ order, ...draft }: StoredSend) {
    // A store of the version before knows messages alone.
    this.draft = { ...draft, op: draft.op ?? 'message.send' } as Item['draft']
    this.order = order
    const acknowledged = new Promise<Ack>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Whoever does not look at the promise has the event; that is no unhandled rejection.
    acknowledged.catch(() => {})
    this.send = { ...this.draft, state: { name: 'sending' }, acknowledged }
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

  /** Takes a draft. Throws when it can never be sent as it is, or when the outbox is full. */
  add(draft: Draft): Send {
    refuse(draft, this.#size, this.#options.outboxEntriesMax)
    // A copy: what is sent, again and again if need be, is what was handed in, whatever becomes of the caller's object.
    const stored = { ...structuredClone(draft), clientId: this.#options.uuid(), order: this.#order + 1 }
    if (!fitsBytes(JSON.stringify(stored), limits.frameBytesMax - frameSlackBytes))
      throw new FlotillaError('frame_too_large', 'unable to send: the message is too large')
    const item = new Item(stored)
    this.#enqueue(item)
    this.#write(this.#store(item, stored))
    return item.send
  }

  /** Everything that is not acknowledged yet, in the order of the sends. */
  pending(): readonly Send[] {
    const items = [...this.#lanes.values()].flatMap(lane => lane.items)
    return items.sort((one, other) => one.order - other.order).map(item => item.send)
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
    const { conversation } = item.draft
    const lane = this.#lanes.get(conversation) ?? { items: [], busy: false, cancelWait: undefined }
    this.#lanes.set(conversation, lane)
    lane.items.push(item)
    this.#order = Math.max(this.#order, item.order)
    this.#size += 1
    this.#options.changed(item.send)
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
    try {
      const ack = await this.#options.send(item.draft)
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
    const { clientId, conversation } = item.draft
    const lane = this.#lanes.get(conversation)
    const at = lane?.items.indexOf(item) ?? -1
    if (lane === undefined || at < 0) return
    lane.items.splice(at, 1)
    if (lane.items.length === 0) {
      lane.cancelWait?.()
      this.#lanes.delete(conversation)
    }
    this.#size -= 1
    item.send.state = state
    if (state.name === 'sent') item.resolve({ seq: state.seq, at: state.at, epoch: state.epoch })
    else if (state.name === 'failed') item.reject(state.error)
    this.#options.changed(item.send)
    // Should this fail, the next run sends it once more and is told the same seq.
    this.#write(this.#options.store.removeSend(clientId).catch(this.#options.report))
  }

  #write(write: Promise<void>): void {
    this.#writes.add(write)
    void write.finally(() => this.#writes.delete(write))
  }
}

/** Room for the id and the operation in the frame of a send. */
const frameSlackBytes = 256

function refuse(draft: Draft, size: number, entriesMax: number): void {
  if (size >= entriesMax)
    throw new FlotillaError('outbox_full', `unable to send: ${entriesMax} messages wait already`, {
      rule: `maxItems ${entriesMax}`,
    })
  if ('emoji' in draft && qualifyEmoji(draft.emoji) === undefined)
    throw new FlotillaError('field_invalid', `unable to react: emoji must be ${emojiRule}`, {
      field: 'emoji',
      rule: emojiRule,
    })
  const refusal = 'body' in draft ? refuseBody(draft.body) : undefined
  if (refusal !== undefined) throw new FlotillaError(refusal.code, `unable to send: ${refusal.message}`, refusal.detail)
}
