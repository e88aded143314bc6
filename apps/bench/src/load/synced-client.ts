/**
 * A client that keeps one conversation whole across cuts, with the logic of the SDK and nothing else of it: live entries
 * in order at once, a gap after a short wait by a page, a reconnect by `sync.resume`. What it hands over is each entry
 * once and in order.
 */
import { type Entry, type EntryOf, textOf } from '@flotilla/protocol'
import type { SecretKey } from '@flotilla/service'
import { Closed, FlotillaMessenger } from './flotilla-messenger.ts'
import { type Address, readStamp } from './messenger.ts'
import { comeBack, type ReconnectPolicy } from './reconnecting.ts'

const gapWaitMs = 200

/** An entry on its way to the application. */
export interface Held {
  readonly seq: number
  readonly number: number
  readonly sentAtMs: number
  /** It did not come live: a resume or a page brought it. */
  readonly replayed: boolean
}

export interface SyncedClientOptions {
  readonly address: Address
  readonly ticketKeys: readonly SecretKey[]
  readonly number: number
  readonly conversation: string
  readonly policy: ReconnectPolicy
  /** The next entry of the conversation. */
  handed(entry: Held): void
  /** The server said something that it should not say here. */
  onWrong(what: string): void
}

export class SyncedClient {
  private readonly options: SyncedClientOptions
  private readonly messenger: FlotillaMessenger
  private readonly ahead = new Map<number, Held>()
  private gapTimer: NodeJS.Timeout | undefined
  private resuming = false
  online = false
  cursor = 0

  constructor(options: SyncedClientOptions) {
    this.options = options
    this.messenger = new FlotillaMessenger(
      options.address,
      options.ticketKeys,
      { number: options.number },
      {
        acked: () => {},
        received: ({ seq, number, sentAtMs }) => this.take({ seq, number, sentAtMs, replayed: false }),
        refused: (_number, reason) => options.onWrong(`refused: ${reason}`),
        closed: (code, reason) => options.onWrong(`closed: ${code} ${reason}`),
        heads: heads => {
          if (heads.some(one => one.conversation === options.conversation && one.head > this.cursor)) this.fillGap()
        },
      },
    )
  }

  /** @param firstWaitMs how long the network stays away; without it the wait is that of the policy */
  async comeOnline(firstWaitMs?: number): Promise<void> {
    this.resuming = true
    await comeBack(this.messenger, this.options.policy, firstWaitMs)
    this.online = true
    await this.catchUp(() => this.resume())
    this.resuming = false
    this.watchGap()
  }

  cut(): void {
    this.online = false
    clearTimeout(this.gapTimer)
    this.gapTimer = undefined
    // What had come too early is forgotten, as after a restart: the answer to the resume holds it again.
    this.ahead.clear()
    this.messenger.cut()
  }

  private async resume(): Promise<void> {
    const { conversation } = this.options
    const { verdicts } = await this.messenger.resume([{ conversation, seq: this.cursor }])
    for (const verdict of verdicts) {
      if (verdict.conversation !== conversation) this.options.onWrong('a verdict on another conversation')
      else if (verdict.verdict === 'replayed') for (const entry of verdict.entries) this.takeEntry(entry)
      else if (verdict.verdict === 'behind') await this.page()
      else this.options.onWrong(`the verdict ${verdict.verdict}`)
    }
  }

  private async page(): Promise<void> {
    for (;;) {
      const { entries, head } = await this.messenger.history(this.options.conversation, { after: this.cursor })
      for (const entry of entries) this.takeEntry(entry)
      if (this.cursor >= head) return
    }
  }

  private fillGap(): void {
    this.gapTimer = undefined
    if (this.online && !this.resuming) void this.catchUp(() => this.page())
  }

  /** Whatever it was that did not come because of a cut comes with the next resume. */
  private async catchUp(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Closed)) throw error
    }
  }

  private takeEntry(entry: Entry): void {
    if (entry.event !== 'message.new') return this.options.onWrong(`an entry ${entry.event}`)
    this.take({ seq: entry.seq, replayed: true, ...stampOf(entry) })
  }

  private take(held: Held): void {
    if (held.seq <= this.cursor) return
    this.ahead.set(held.seq, held)
    const before = this.cursor
    for (let next = this.ahead.get(before + 1); next !== undefined; next = this.ahead.get(this.cursor + 1)) {
      this.ahead.delete(next.seq)
      this.cursor = next.seq
      this.options.handed(next)
    }
    if (this.cursor > before) this.messenger.delivered(this.options.conversation, this.cursor)
    this.watchGap()
  }

  private watchGap(): void {
    if (this.ahead.size > 0 && !this.resuming) this.gapTimer ??= setTimeout(() => this.fillGap(), gapWaitMs)
  }
}

function stampOf(entry: EntryOf<'message.new'>): { number: number; sentAtMs: number } {
  const { number, sentAtMs } = readStamp(textOf(entry.body))
  return { number, sentAtMs }
}
