/** What others do: who types, who is here, how far they have got. Watched and read while somebody looks. */
import type { Client } from '../client.ts'
import type { Clock } from '../clock.ts'
import type { Presence } from '../presence.ts'
import type { Receipt } from '../receipts.ts'
import type { Typing } from '../typing.ts'
import type { Changes } from './changes.ts'
import type { People } from './people.ts'
import type { Readable, ReceiptsOf } from './views.ts'

export interface CompanyOptions {
  readonly client: Client
  readonly clock: Clock
  readonly changes: Changes
  readonly people: People
  /** Something could not be read. */
  readonly failed: (thrown: unknown) => void
}

/** Somebody who scrolls looks away and back: so long they are still watched. */
const lingerMs = 5_000
/** Members whose receipts are read; of a larger group, those who are heard of. */
const membersMax = 200
const nobody: readonly string[] = []
const nothing: ReadonlyMap<string, ReceiptsOf> = new Map()

export class Company {
  readonly #options: CompanyOptions
  readonly #typing = new Map<string, readonly string[]>()
  readonly #receipts = new Map<string, ReadonlyMap<string, ReceiptsOf>>()
  /** People who are watched, and those who begin to be or cease. */
  readonly #watched = new Set<string>()
  readonly #added = new Set<string>()
  readonly #timers = new Map<string, () => void>()

  constructor(options: CompanyOptions) {
    this.#options = options
  }

  typing(conversation: string): Readable<readonly string[]> {
    return this.#options.changes.readable(`typing/${conversation}`, () => this.#typing.get(conversation) ?? nobody)
  }

  typed({ conversation, user, typing }: Typing): void {
    const others = (this.#typing.get(conversation) ?? nobody).filter(one => one !== user)
    const now = typing ? [...others, user] : others
    if (now.length > 0) this.#typing.set(conversation, now)
    else this.#typing.delete(conversation)
    if (typing) this.#options.people.want(user)
    this.#options.changes.tell(`typing/${conversation}`)
  }

  presence(user: string): Readable<boolean | undefined> {
    const { client, changes } = this.#options
    const get = () => (this.#watched.has(user) ? client.presence().get(user) : undefined)
    return changes.readable(`presence/${user}`, get, {
      begin: () => this.#watch(user),
      end: () => this.#later(`presence/${user}`, () => this.#watched.delete(user) && client.unwatch([user])),
    })
  }

  present({ user }: Presence): void {
    this.#options.changes.tell(`presence/${user}`)
  }

  receipts(conversation: string): Readable<ReadonlyMap<string, ReceiptsOf>> {
    const key = `receipts/${conversation}`
    return this.#options.changes.readable(key, () => this.#receipts.get(conversation) ?? nothing, {
      begin: () => {
        this.#stay(key)
        if (this.#receipts.has(conversation)) return
        this.#receipts.set(conversation, nothing)
        void this.#readReceipts(conversation)
      },
      end: () => this.#later(key, () => this.#receipts.delete(conversation)),
    })
  }

  received({ conversation, user, kind, seq }: Receipt): void {
    if (!this.#receipts.has(conversation)) return
    this.#rise(conversation, [[user, kind === 'read' ? { delivered: seq, read: seq } : { delivered: seq, read: 0 }]])
  }

  /** Signals may have been lost. */
  refresh(): void {
    for (const conversation of this.#receipts.keys()) void this.#readReceipts(conversation)
  }

  /** Another count begins. */
  forget(conversation: string): void {
    if (!this.#receipts.has(conversation)) return
    this.#receipts.set(conversation, nothing)
    void this.#readReceipts(conversation)
  }

  close(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#options.client.unwatch([...this.#watched])
    this.#watched.clear()
  }

  async #readReceipts(conversation: string): Promise<void> {
    try {
      const { members } = await this.#options.client.rest.members(conversation, { limit: membersMax })
      for (const { user } of members) this.#options.people.learn(user)
      const read = members.map(
        ({ user, deliveredSeq = 0, readSeq = 0 }) =>
          [user.id, { delivered: Math.max(deliveredSeq, readSeq), read: readSeq }] as const,
      )
      if (this.#receipts.has(conversation)) this.#rise(conversation, read)
    } catch (thrown) {
      // Until they are read, those that are heard are shown.
      this.#options.failed(thrown)
    }
  }

  /** Receipts only rise. */
  #rise(conversation: string, risen: readonly (readonly [user: string, to: ReceiptsOf])[]): void {
    const before = this.#receipts.get(conversation) ?? nothing
    const now = new Map(before)
    let isNews = false
    for (const [user, to] of risen) {
      const { delivered, read } = before.get(user) ?? { delivered: -1, read: -1 }
      if (to.delivered <= delivered && to.read <= read) continue
      now.set(user, { delivered: Math.max(delivered, to.delivered), read: Math.max(read, to.read) })
      isNews = true
    }
    if (!isNews) return
    this.#receipts.set(conversation, now)
    this.#options.changes.tell(`receipts/${conversation}`)
  }

  #watch(user: string): void {
    this.#stay(`presence/${user}`)
    if (this.#watched.has(user)) return
    this.#watched.add(user)
    this.#added.add(user)
    // Those of one turn are one question.
    queueMicrotask(() => {
      const added = [...this.#added]
      this.#added.clear()
      if (added.length === 0) return
      void this.#begin(added)
    })
  }

  /** Whom one may not watch is not known to be here, and costs nobody else. */
  async #begin(users: readonly string[]): Promise<void> {
    try {
      await this.#options.client.watch(users)
    } catch {
      for (const user of users) {
        if (users.length === 1) this.#watched.delete(user)
        else await this.#begin([user])
      }
    }
  }

  #later(key: string, call: () => unknown): void {
    this.#stay(key)
    const cancel = this.#options.clock.after(lingerMs, () => {
      this.#timers.delete(key)
      call()
    })
    this.#timers.set(key, cancel)
  }

  #stay(key: string): void {
    this.#timers.get(key)?.()
    this.#timers.delete(key)
  }
}
