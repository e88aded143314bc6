/** Writes to the archive what has changed, gathered; and says of an archive that fails only that there is nothing in it. */
import type { Clock } from '../clock.ts'
import type { ChatArchive, Kept, KeptChange } from './archive.ts'
import type { KeptLog } from './log.ts'

/** What the archive does not have yet. */
export interface Noted {
  readonly parts: ReadonlySet<string>
  readonly conversations: ReadonlySet<string>
  readonly logs: ReadonlySet<string>
}

export interface KeeperOptions {
  readonly archive: ChatArchive
  readonly clock: Clock
  readonly collect: (noted: Noted) => KeptChange
}

/** So long after the first change all are written. */
const writeMs = 1_000

export class Keeper {
  readonly #options: KeeperOptions
  #parts = new Set<string>()
  #conversations = new Set<string>()
  #logs = new Set<string>()
  #cancel: (() => void) | undefined
  #work: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  load(): Promise<Kept | undefined> {
    return this.#options.archive.load().catch(() => undefined)
  }

  log(conversation: string): Promise<KeptLog | undefined> {
    return this.#options.archive.log(conversation).catch(() => undefined)
  }

  note(what: 'conversation' | 'log' | keyof Kept, id = ''): void {
    if (this.#isClosed) return
    if (what === 'conversation') this.#conversations.add(id)
    else if (what === 'log') this.#logs.add(id)
    else this.#parts.add(what)
    this.#cancel ??= this.#options.clock.after(writeMs, () => this.#write())
  }

  wipe(): Promise<void> {
    this.#forget()
    // One write after the other: none that was begun before may come after it.
    const wiped = this.#work.then(() => this.#options.archive.wipe())
    this.#work = wiped.catch(() => {})
    return wiped
  }

  async close(): Promise<void> {
    if (this.#cancel !== undefined) this.#write()
    this.#isClosed = true
    await this.#work
    await this.#options.archive.close()
  }

  #write(): void {
    const { archive, collect } = this.#options
    const change = collect({ parts: this.#parts, conversations: this.#conversations, logs: this.#logs })
    this.#forget()
    // It is a copy: what was not written is read from the server the next time.
    this.#work = this.#work.then(() => archive.write(change)).catch(() => {})
  }

  #forget(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#parts = new Set()
    this.#conversations = new Set()
    this.#logs = new Set()
  }
}
