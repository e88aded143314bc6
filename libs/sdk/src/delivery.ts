/**
 * Hands what the sync core has put in order to the application: one thing after the other within a conversation, the
 * conversations side by side. The cursor moves when the application is done with an entry, and not before: what a
 * crash interrupts comes again, what was taken does not.
 */
import { type Entry, isKnownKind } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import type { Cursors } from './cursors.ts'
import type { Effect } from './sync.ts'

/**
 * The application's own store of conversations. Let `apply` write a change together with its cursor in one transaction,
 * and `cursors` read those: then every entry is applied exactly once for ever, whenever the process dies. An archive that
 * tabs share takes only what follows its own cursor, compared in that transaction: the rest is another tab's.
 */
export interface Archive {
  /** Where each conversation stands, once at the start. What is not named here is not held. */
  cursors(): Promise<readonly (LogPosition & { readonly conversation: string })[]>
  /**
   * Takes a change. The next one of the same conversation comes when the promise has resolved; one that was rejected
   * comes again until it is taken.
   */
  apply(change: Change): Promise<void>
}

/** One step of a conversation, as an archive gets it. `cursor` is where the conversation stands when it is taken. */
export type Change =
  | {
      readonly kind: 'entries'
      readonly conversation: string
      readonly entries: readonly Entry[]
      /** They were stored before this connection: the device catches up. */
      readonly replayed: boolean
      readonly cursor: LogPosition
    }
  | {
      readonly kind: 'resync'
      readonly conversation: string
      readonly from: number
      readonly head: number
      readonly cursor: LogPosition
    }
  | { readonly kind: 'left'; readonly conversation: string }

export interface LogPosition {
  readonly epoch: number
  readonly seq: number
}

export type Step = Extract<Effect, { do: 'hand' | 'resync' | 'left' }>

export interface DeliveryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly cursors: Cursors
  readonly archive: Archive | undefined
  /** Tells the listeners and waits for them. */
  readonly tell: (change: Change) => Promise<void>
  /** One entry has been taken. */
  readonly handed: (conversation: string) => void
  /** The cursor of this conversation has moved and is written. */
  readonly saved: (conversation: string) => void
  readonly report: (thrown: unknown) => void
  /** Entries in one change. */
  readonly applyEntriesMax: number
}

const retryPolicy = { baseMs: 250, maxMs: 10_000 }

interface Lane {
  readonly steps: Step[]
  running: Promise<void>
}

export class Delivery {
  readonly #options: DeliveryOptions
  readonly #lanes = new Map<string, Lane>()
  readonly #pauses = new Set<() => void>()
  #closed = false

  constructor(options: DeliveryOptions) {
    this.#options = options
  }

  push(step: Step): void {
    if (this.#closed) return
    const conversation = conversationOf(step)
    const lane = this.#lanes.get(conversation)
    if (lane !== undefined) {
      lane.steps.push(step)
      return
    }
    const fresh: Lane = { steps: [step], running: Promise.resolve() }
    this.#lanes.set(conversation, fresh)
    fresh.running = this.#run(conversation, fresh.steps)
  }

  /** Lets what is under way end and drops the rest: it comes again in the next run. */
  async close(): Promise<void> {
    this.#closed = true
    for (const wake of this.#pauses) wake()
    await Promise.all([...this.#lanes.values()].map(lane => lane.running))
  }

  async #run(conversation: string, steps: Step[]): Promise<void> {
    // Not in the same turn as the frame that brought it: the entries of one frame come as one change.
    await Promise.resolve()
    while (!this.#closed) {
      const change = this.#next(steps)
      if (change === undefined) break
      if (!(await this.#apply(change))) return
      await this.#options.tell(change)
      this.#done(change)
    }
    this.#lanes.delete(conversation)
  }

  /** Without an archive each entry is a change of its own, so that its cursor follows at once. */
  #next(steps: Step[]): Change | undefined {
    const first = steps.shift()
    if (first === undefined) return undefined
    if (first.do === 'left') return { kind: 'left', conversation: first.conversation }
    if (first.do === 'resync') {
      const { conversation, from, head, epoch, cursor } = first
      return { kind: 'resync', conversation, from, head, cursor: { epoch, seq: cursor } }
    }
    const entries = [first.entry]
    const max = this.#options.archive === undefined ? 1 : this.#options.applyEntriesMax
    const { epoch, replayed } = first
    for (let next = steps[0]; next?.do === 'hand' && entries.length < max; next = steps[0]) {
      if (next.replayed !== replayed) break
      entries.push(next.entry)
      steps.shift()
    }
    const { conversation, seq } = entries[entries.length - 1] ?? first.entry
    return { kind: 'entries', conversation, entries, replayed, cursor: { epoch, seq } }
  }

  async #apply(change: Change): Promise<boolean> {
    const { archive, report } = this.#options
    if (archive === undefined) return true
    const kept =
      change.kind === 'entries'
        ? { ...change, entries: change.entries.filter(entry => isKnownKind(entry.event)) }
        : change
    for (let failures = 0; ; failures++) {
      try {
        await archive.apply(kept)
        return true
      } catch (thrown) {
        report(thrown)
        await this.#pause(failures)
        if (this.#closed) return false
      }
    }
  }

  #done(change: Change): void {
    const { cursors, handed, saved } = this.#options
    const { conversation } = change
    if (change.kind === 'left') return cursors.drop(conversation)
    cursors.move(conversation, change.cursor.epoch, change.cursor.seq, () => saved(conversation))
    if (change.kind === 'entries') for (let count = change.entries.length; count > 0; count--) handed(conversation)
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#options
    return new Promise(resolve => {
      const over = () => {
        cancel()
        this.#pauses.delete(over)
        resolve()
      }
      const cancel = clock.after(fullJitterMs(retryPolicy, failures, random), over)
      this.#pauses.add(over)
    })
  }
}

function conversationOf(step: Step): string {
  return step.do === 'hand' ? step.entry.conversation : step.conversation
}
