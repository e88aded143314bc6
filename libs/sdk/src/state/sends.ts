/**
 * What one has sent and the log does not show yet: the sends of the outbox from when they are taken until their entries
 * come, and messages that were refused until they are tried again or dropped.
 */
import type { Entry } from '@flotilla/protocol'
import type { Client } from '../client.ts'
import type { Clock } from '../clock.ts'
import { FlotillaError, type FlotillaErrorCode } from '../flotilla-error.ts'
import type { Draft, Forward, Message, Send } from '../outbox.ts'
import { given } from './same.ts'
import type { SendStateName } from './views.ts'

export type Posting = Extract<Draft, { op: 'message.send' | 'message.forward' }>
export type Alteration = Exclude<Draft, Posting>

export interface Pending<D extends Draft = Draft> {
  readonly clientId: string
  readonly draft: D
  readonly at: number
  readonly state: SendStateName
  readonly seq?: number
  /** Of the store that acknowledged it. */
  readonly epoch?: number
  readonly error?: FlotillaError
}

/** A refused message as an archive keeps it. */
export interface KeptFailure {
  readonly clientId: string
  readonly draft: Posting
  readonly at: number
  readonly code: FlotillaErrorCode
  readonly message: string
}

/** Refused messages that are kept. */
const failedMax = 100
/** What makes no entry of its own is told by other ways, soon after its acknowledgement. */
const reflectedMs = 3_000

export interface SendsOptions {
  readonly client: Client
  readonly clock: Clock
  readonly changed: (conversation: string) => void
}

export class Sends {
  readonly #options: SendsOptions
  readonly #pending = new Map<string, Pending>()
  readonly #timers = new Set<() => void>()
  #epoch = 0

  constructor(options: SendsOptions) {
    this.#options = options
  }

  /** What the outbox holds already. */
  begin(): void {
    for (const send of this.#options.client.pending()) this.heard(send)
  }

  heard(send: Send): void {
    const { state, acknowledged: _, clientId, ...draft } = send
    const { clock } = this.#options
    const before = this.#pending.get(clientId)
    const isPosting = postings.has(draft.op)
    // A change that was refused is taken back.
    if (state.name === 'failed' && !isPosting) return this.#drop(clientId)
    // Its entry came before its acknowledgement.
    if (state.name === 'sent' && before === undefined) return
    const at = before?.at ?? clock.now()
    const { name, seq, epoch, error } = state as Pick<Pending, 'seq' | 'epoch' | 'error'> & { name: SendStateName }
    this.#set({ clientId, draft, at, state: name, ...given({ seq, epoch, error }) })
    this.inEpoch(epoch ?? 0)
    if (state.name === 'sent' && !isPosting) this.#dropSoon(clientId)
    if (state.name === 'failed') this.#bound()
  }

  /** Its entry is there. */
  entry(entry: Entry, self: string | undefined): void {
    this.inEpoch(entry.epoch)
    if ('clientId' in entry && entry.by === self) this.#drop(entry.clientId)
  }

  /** The store is in this epoch, or a later one: what an earlier one acknowledged and did not tell yet is lost. */
  inEpoch(epoch: number): void {
    this.#epoch = Math.max(this.#epoch, epoch)
    for (const one of this.#pending.values())
      if (one.epoch !== undefined && one.epoch < this.#epoch) this.#drop(one.clientId)
  }

  /** Everything up to `head` was heard, so what was acknowledged before it is there, or will not come. */
  reached(conversation: string, head: number): void {
    for (const { clientId, seq, draft } of this.of(conversation))
      if (seq !== undefined && seq <= head && !silent.has(draft.op)) this.#drop(clientId)
  }

  *of(conversation: string): Iterable<Pending> {
    for (const one of this.#pending.values()) if (one.draft.conversation === conversation) yield one
  }

  /** Under a clientId of its own: the one before may have been used by the time. */
  retry(key: string): void {
    const { draft, state } = this.#pending.get(key) ?? {}
    if (draft === undefined || state !== 'failed') return
    const { client } = this.#options
    const { op, ...fields } = draft
    if (op === 'message.forward') client.forward(fields as Forward)
    else client.send(fields as Message)
    this.#drop(key)
  }

  discard(key: string): void {
    if (this.#pending.get(key)?.state === 'failed') this.#drop(key)
  }

  left(conversation: string): void {
    for (const { clientId, state } of this.of(conversation)) if (state !== 'sending') this.#drop(clientId)
  }

  keep(): KeptFailure[] {
    return [...this.#pending.values()].flatMap(({ clientId, draft, at, error }) =>
      error === undefined ? [] : [{ clientId, draft: draft as Posting, at, code: error.code, message: error.message }],
    )
  }

  restore(failures: readonly KeptFailure[]): void {
    for (const { code, message, ...one } of failures)
      if (!this.#pending.has(one.clientId))
        this.#set({ ...one, state: 'failed', error: new FlotillaError(code, message) })
  }

  close(): void {
    for (const cancel of this.#timers) cancel()
  }

  #set(pending: Pending): void {
    this.#pending.set(pending.clientId, pending)
    this.#options.changed(pending.draft.conversation)
  }

  #drop(clientId: string): void {
    const one = this.#pending.get(clientId)
    if (one === undefined) return
    this.#pending.delete(clientId)
    this.#options.changed(one.draft.conversation)
  }

  #dropSoon(clientId: string): void {
    const cancel = this.#options.clock.after(reflectedMs, () => {
      this.#timers.delete(cancel)
      this.#drop(clientId)
    })
    this.#timers.add(cancel)
  }

  #bound(): void {
    const failed = [...this.#pending.values()].filter(({ state }) => state === 'failed')
    for (const { clientId } of failed.slice(0, Math.max(0, failed.length - failedMax))) this.#drop(clientId)
  }
}

const postings: ReadonlySet<string> = new Set<Posting['op']>(['message.send', 'message.forward'])
/** Their acknowledgement may name the head of the log, and a signal tells what came of them. */
const silent: ReadonlySet<string> = new Set<Draft['op']>(['message.react', 'poll.vote'])

export const isPosting = (one: Pending): one is Pending<Posting> => postings.has(one.draft.op)
export const isAlteration = (one: Pending): one is Pending<Alteration> => !postings.has(one.draft.op)
