/** People by id: what was heard of them, and read where nothing was. Those who were not asked for longest are let go. */
import type { User } from '@flotilla/protocol'
import type { Rest } from '../rest.ts'
import type { Changes } from './changes.ts'
import { same } from './same.ts'
import type { Readable } from './views.ts'

/** People who are held, beside those whom somebody looks at. */
const peopleMax = 500
/** Reads of people at the same time. */
const readsMax = 4

export interface PeopleOptions {
  readonly rest: Rest
  readonly changes: Changes
  readonly changed: (user: User) => void
  /** Somebody could not be read. */
  readonly failed: (thrown: unknown) => void
}

export class People {
  readonly #options: PeopleOptions
  readonly #people = new Map<string, User>()
  readonly #wanted = new Set<string>()
  /** Of whom nothing could be read. */
  readonly #unknown = new Set<string>()
  #reads = 0

  constructor(options: PeopleOptions) {
    this.#options = options
  }

  get(id: string): User | undefined {
    const user = this.#people.get(id)
    if (user === undefined) return undefined
    this.#people.delete(id)
    this.#people.set(id, user)
    return user
  }

  readable(id: string): Readable<User | undefined> {
    return this.#options.changes.readable(keyOf(id), () => this.get(id), { begin: () => this.want(id) })
  }

  want(id: string): void {
    if (this.#people.has(id) || this.#unknown.has(id)) return
    this.#wanted.add(id)
    // Those of one turn are wanted together.
    queueMicrotask(() => this.#read())
  }

  learn({ id, username, displayName, avatar }: User): void {
    const user = { id, username, displayName, avatar }
    const before = this.#people.get(id)
    this.#wanted.delete(id)
    if (before !== undefined && same(before, user)) return
    this.#people.set(id, user)
    this.#options.changes.tell(keyOf(id))
    this.#options.changed(user)
    if (this.#people.size > peopleMax) this.#letGo()
  }

  /** What failed may be read now, for those who wait for it. */
  refresh(): void {
    for (const id of this.#unknown) if (this.#options.changes.has(keyOf(id))) this.#wanted.add(id)
    this.#unknown.clear()
    this.#read()
  }

  all(): User[] {
    return [...this.#people.values()]
  }

  clear(): void {
    this.#people.clear()
    this.#wanted.clear()
  }

  #letGo(): void {
    for (const id of this.#people.keys()) {
      if (this.#people.size <= peopleMax) return
      if (!this.#options.changes.has(keyOf(id))) this.#people.delete(id)
    }
  }

  #read(): void {
    for (const id of this.#wanted) {
      if (this.#reads >= readsMax) return
      this.#wanted.delete(id)
      this.#reads += 1
      void this.#readOne(id)
    }
  }

  async #readOne(id: string): Promise<void> {
    try {
      this.learn(await this.#options.rest.user(id))
    } catch (thrown) {
      this.#unknown.add(id)
      this.#options.failed(thrown)
    }
    this.#reads -= 1
    this.#read()
  }
}

const keyOf = (id: string) => `user/${id}`
