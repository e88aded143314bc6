/**
 * The device's cursors: in memory for everybody to read, in the store as soon as it can. Writes are gathered: one is
 * under way at a time and what changes meanwhile goes into the next. A write that fails is tried again.
 */
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import type { Store, StoredCursor } from './store.ts'

export interface CursorsOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly report: (thrown: unknown) => void
}

const retryPolicy = { baseMs: 250, maxMs: 10_000 }

export class Cursors {
  readonly #options: CursorsOptions
  readonly #cursors = new Map<string, StoredCursor>()
  /** What the store does not have yet: a cursor, or that there is none any more. */
  #unsaved = new Map<string, StoredCursor | undefined>()
  #waiting: (() => void)[] = []
  #saving: Promise<void> | undefined
  #closed = false
  #wake: (() => void) | undefined

  constructor(options: CursorsOptions) {
    this.#options = options
  }

  restore(cursors: readonly StoredCursor[]): void {
    for (const cursor of cursors) this.#cursors.set(cursor.conversation, cursor)
  }

  get(conversation: string): StoredCursor | undefined {
    return this.#cursors.get(conversation)
  }

  all(): Iterable<StoredCursor> {
    return this.#cursors.values()
  }

  /** The application has everything up to `seq`. Calls back when that is written. */
  move(conversation: string, epoch: number, seq: number, saved: () => void): void {
    const before = this.#cursors.get(conversation)
    // What a server of another epoch was told, this one may not know.
    const kept =
      before?.epoch === epoch ? before : { toldDelivered: 0, toldRead: 0, read: Math.min(before?.read ?? 0, seq) }
    this.#waiting.push(saved)
    this.#set(conversation, { ...kept, conversation, epoch, seq })
  }

  /** Something else about a conversation that has a cursor. */
  note(conversation: string, change: Partial<Pick<StoredCursor, 'read' | 'toldDelivered' | 'toldRead'>>): void {
    const before = this.#cursors.get(conversation)
    if (before !== undefined) this.#set(conversation, { ...before, ...change })
  }

  drop(conversation: string): void {
    this.#cursors.delete(conversation)
    this.#set(conversation, undefined)
  }

  /** Resolves when everything is written, or when a last try has failed. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    await this.#saving
  }

  #set(conversation: string, cursor: StoredCursor | undefined): void {
    if (cursor !== undefined) this.#cursors.set(conversation, cursor)
    this.#unsaved.set(conversation, cursor)
    this.#saving ??= this.#save()
  }

  async #save(): Promise<void> {
    let failures = 0
    while (this.#unsaved.size > 0) {
      const [unsaved, waiting] = [this.#unsaved, this.#waiting]
      this.#unsaved = new Map()
      this.#waiting = []
      const put = [...unsaved.values()].filter(cursor => cursor !== undefined)
      const drop = [...unsaved.keys()].filter(conversation => unsaved.get(conversation) === undefined)
      try {
        await this.#options.store.writeCursors(put, drop)
        failures = 0
        for (const saved of waiting) saved()
      } catch (thrown) {
        this.#options.report(thrown)
        this.#unsaved = new Map([...unsaved, ...this.#unsaved])
        this.#waiting = [...waiting, ...this.#waiting]
        if (this.#closed) break
        await this.#pause(failures++)
      }
    }
    // In the same turn as the last look at what is unsaved, so that nothing can slip in between.
    this.#saving = undefined
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#options
    return new Promise(resolve => {
      const cancel = clock.after(fullJitterMs(retryPolicy, failures, random), resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}
