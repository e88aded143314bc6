/**
 * What the person has begun to write, the same on all their devices: the one written last stays, by its time. A draft is
 * being typed in while its last keystroke is younger than `draftRestMs`, or not saved yet; nothing from elsewhere takes its
 * place until then. What is written offline is kept in the store, and saved with the next connection.
 */
import type { Draft, DraftContent, EntryOf } from '@flotilla/protocol'
import { type Clock, fullJitterMs, type Random } from './clock.ts'
import { asFlotillaError } from './flotilla-error.ts'
import { whole } from './rest/ask.ts'
import type { Rest } from './rest.ts'
import type { Store, StoredDraft } from './store.ts'

/** A draft has changed on another device, or its message was sent; null: it is empty now. */
export interface DraftChange {
  readonly conversation: string
  readonly content: DraftContent | null
}

export interface DraftsOptions {
  readonly rest: Rest['drafts']
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly changed: (change: DraftChange) => void
  readonly report: (thrown: unknown) => void
  /** Between two times that what is typed is saved. */
  readonly draftGatherMs: number
  /** Without a keystroke for so long, a draft is not being typed in. */
  readonly draftRestMs: number
}

interface Known extends Draft {
  /** The server does not have it yet. */
  unsaved: boolean
  /** By the steady clock. */
  typedAt: number
  /** What came from elsewhere while it was being typed in. */
  held?: Draft
}

const retryPolicy = { baseMs: 2_000, maxMs: 60_000 }

export class Drafts {
  readonly #options: DraftsOptions
  readonly #known = new Map<string, Known>()
  /** What waits to be saved, or to be taken up when nobody types any more. */
  readonly #timers = new Map<string, () => void>()
  #live = false
  #failures = 0
  #writes: Promise<unknown> = Promise.resolve()

  constructor(options: DraftsOptions) {
    this.#options = options
  }

  /** A keystroke. Null, or nothing written, empties it. */
  set(conversation: string, content: DraftContent | null): void {
    const { clock } = this.#options
    const before = this.#known.get(conversation)
    const empty = content === null || (content.text === '' && content.replyTo === undefined)
    if (empty && (before?.content ?? null) === null) return
    // Later than whatever it was typed over, though this device's clock may be behind.
    const at = Math.max(clock.now(), (before?.at ?? 0) + 1, (before?.held?.at ?? 0) + 1)
    const typedAt = empty ? Number.NEGATIVE_INFINITY : clock.steady()
    this.#keep({ conversation, at, content: empty ? null : content, unsaved: true, typedAt })
    this.#wait(conversation, empty ? 0 : this.#options.draftGatherMs, empty)
  }

  get(conversation: string): DraftContent | undefined {
    return this.#known.get(conversation)?.content ?? undefined
  }

  /** The person sends this: if it was the draft, that is empty now. */
  sent(conversation: string, text: string): void {
    if (this.get(conversation)?.text.trim() === text.trim()) this.set(conversation, null)
  }

  /** The person has sent this on some device, and every device empties the draft that it was. */
  posted({ conversation, at, body }: EntryOf<'message.new'>): void {
    const known = this.#known.get(conversation)
    if (known === undefined || known.unsaved || known.at > at || !('text' in body)) return
    if (known.content?.text.trim() === body.text.trim()) this.#take({ conversation, at, content: null })
  }

  /** What the server says of one. */
  heard({ conversation, at, content }: Draft): void {
    const known = this.#known.get(conversation)
    if (known !== undefined && at <= Math.max(known.at, known.held?.at ?? 0)) return
    const draft = { conversation, at, content }
    if (known === undefined || !this.#isTyped(known)) return this.#take(draft)
    known.held = draft
    this.#wait(conversation, this.#options.draftRestMs)
  }

  restore(drafts: readonly StoredDraft[]): void {
    for (const draft of drafts) this.#known.set(draft.conversation, { ...draft, typedAt: Number.NEGATIVE_INFINITY })
  }

  live(): void {
    this.#live = true
    for (const { conversation, unsaved } of this.#known.values()) if (unsaved) this.#wait(conversation, 0, true)
  }

  down(): void {
    this.#live = false
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  /** Reads all anew: signals may have been lost. */
  async read(): Promise<void> {
    const before = new Map(this.#known)
    const { items, isWhole } = await whole(this.#options.rest.list, answer => answer.drafts)
    for (const draft of items) this.heard(draft)
    if (!isWhole) return
    const found = new Set(items.map(({ conversation }) => conversation))
    // What is not there any more, and was not touched meanwhile, was emptied elsewhere.
    for (const [conversation, known] of before) {
      const isSame = this.#known.get(conversation) === known
      if (isSame && known.content !== null && !found.has(conversation) && !this.#isTyped(known))
        this.#take({ conversation, at: known.at, content: null })
    }
  }

  /** Resolves when the store has everything. */
  async close(): Promise<void> {
    this.down()
    await this.#writes
  }

  #isTyped({ unsaved, typedAt }: Known): boolean {
    return unsaved || this.#options.clock.steady() - typedAt < this.#options.draftRestMs
  }

  /** From elsewhere. */
  #take(draft: Draft): void {
    const before = this.#known.get(draft.conversation)?.content ?? null
    this.#keep({ ...draft, unsaved: false, typedAt: Number.NEGATIVE_INFINITY })
    if (before !== null || draft.content !== null)
      this.#options.changed({ conversation: draft.conversation, content: draft.content })
  }

  #keep(known: Known): void {
    const { store, report } = this.#options
    const { conversation, at, content, unsaved } = known
    this.#known.set(conversation, known)
    const kept = content === null && !unsaved ? undefined : { conversation, at, content, unsaved }
    const written = store.putDraft?.(conversation, kept)
    if (written !== undefined) this.#writes = Promise.all([this.#writes, written]).catch(report)
  }

  #wait(conversation: string, ms: number, anew = false): void {
    if (anew) {
      this.#timers.get(conversation)?.()
      this.#timers.delete(conversation)
    }
    if (!this.#live || this.#timers.has(conversation)) return
    const cancel = this.#options.clock.after(ms, () => {
      this.#timers.delete(conversation)
      void this.#settle(conversation)
    })
    this.#timers.set(conversation, cancel)
  }

  async #settle(conversation: string): Promise<void> {
    const known = this.#known.get(conversation)
    if (known === undefined) return
    if (known.unsaved) await this.#save(known)
    const now = this.#known.get(conversation)
    if (now?.held === undefined || this.#timers.has(conversation)) return
    if (this.#isTyped(now)) return this.#wait(conversation, this.#options.draftRestMs)
    if (now.held.at > now.at) this.#take(now.held)
    else delete now.held
  }

  async #save(known: Known): Promise<void> {
    const { rest, clock, random, report } = this.#options
    const { conversation, at, content } = known
    try {
      const stands = await rest.put(conversation, { at, content })
      this.#failures = 0
      const now = this.#known.get(conversation)
      if (now !== known) return
      // The server bounds times, so its own counts from here on; what stands instead of ours is later than it.
      const isOurs = JSON.stringify(stands.content) === JSON.stringify(content)
      this.#keep({ ...known, at: isOurs ? stands.at : stands.at - 1, unsaved: false })
      if (!isOurs) this.heard(stands)
    } catch (thrown) {
      const error = asFlotillaError(thrown, 'internal', 'save a draft')
      if (error.retry) {
        this.#wait(conversation, (error.retryMs ?? 0) + fullJitterMs(retryPolicy, this.#failures++, random))
        return
      }
      report(error)
      if (this.#known.get(conversation) === known) this.#keep({ ...known, unsaved: false, typedAt: clock.steady() })
    }
  }
}
