/**
 * What this node has entered in the whereabouts: its people, the people it watches, the conversations it has an
 * interest in. The sets here are the truth; the store is made to agree with them.
 *
 * Changes of one loop turn are written together, and one write is under way at a time, so the last word on a name is
 * also the last one written. After a write that failed, nothing is written until `restore`.
 */
import { type Kind, kinds, type Places, type Whereabouts } from './whereabouts.ts'

export interface RegistrarOptions {
  readonly whereabouts: Whereabouts
  /** Names in one write. */
  readonly chunkMax: number
  /** A person came to this node or left it; `others` are the further places that have them. */
  onPerson(user: string, others: Places): void
  /** The store could not be written. */
  onFailure(error: unknown): void
}

export interface Registrar {
  has(kind: Kind, name: string): boolean
  names(kind: Kind): ReadonlySet<string>
  /**
   * Resolves when the entry is in force, or at once while the store is away: `restore` makes it good. May be called
   * again for what is entered already, and then waits for the write that is under way.
   */
  set(kind: Kind, names: readonly string[], isHere: boolean): Promise<void>
  /**
   * Looks up the next few names, in turn, and enters again what the store has lost.
   * @returns what was looked up, and what was missing
   */
  audit(namesMax: number): Promise<Audit>
  /** Enters everything for a place, and takes away what the store has for it and the sets have not. @throws on failure */
  restore(place: string): Promise<void>
  /** Takes everything away. @throws on failure */
  clear(): Promise<void>
  /** Whether the store agrees with the sets, but for what is being written now. */
  isWhole(): boolean
}

export interface Audit {
  readonly kind: Kind
  readonly names: readonly string[]
  readonly missing: readonly string[]
}

/** A name's next word, and who waits for it. */
interface Change {
  isHere: boolean
  readonly waiting: (() => void)[]
}

interface Batch {
  readonly kind: Kind
  readonly isHere: boolean
  readonly names: string[]
}

const noNames = (): Record<Kind, Set<string>> => ({ presence: new Set(), watch: new Set(), interest: new Set() })

// oxlint-disable-next-line max-lines-per-function -- what is entered, waits and is under way are one state
export function createRegistrar(options: RegistrarOptions): Registrar {
  const { whereabouts } = options
  const local = noNames()
  const pending: Record<Kind, Map<string, Change>> = { presence: new Map(), watch: new Map(), interest: new Map() }
  let underWay = noNames()
  /** Undefined while writing is held up. */
  let place: string | undefined
  let whole = false
  let restoring = false
  let failures = 0
  let flushing: Promise<void> | undefined
  let scheduled = false

  /** Where the audit has come to. */
  let audits = { at: 0, names: local[kinds[0]!].values() }

  const isPending = (kind: Kind, name: string) => pending[kind].has(name) || underWay[kind].has(name)

  /** Takes the oldest changes, as many as one write may carry. */
  function take(): { batches: Batch[]; waiting: (() => void)[] } {
    const batches: Batch[] = []
    const waiting: (() => void)[] = []
    let left = options.chunkMax
    for (const kind of kinds) {
      const enter: Batch = { kind, isHere: true, names: [] }
      const leave: Batch = { kind, isHere: false, names: [] }
      for (const [name, change] of pending[kind]) {
        if (left-- <= 0) break
        pending[kind].delete(name)
        underWay[kind].add(name)
        ;(change.isHere ? enter : leave).names.push(name)
        for (const done of change.waiting) waiting.push(done)
      }
      if (enter.names.length > 0) batches.push(enter)
      if (leave.names.length > 0) batches.push(leave)
    }
    return { batches, waiting }
  }

  async function write({ kind, isHere, names }: Batch, at: string): Promise<void> {
    if (isHere) {
      const entered = await whereabouts.enter(kind, names, at)
      if (kind !== 'presence') return
      entered.forEach(({ already, others }, i) => {
        if (!already) options.onPerson(names[i]!, others)
      })
    } else {
      const left = await whereabouts.leave(kind, names, at)
      if (kind !== 'presence') return
      left.forEach((others, i) => {
        if (others !== undefined) options.onPerson(names[i]!, others)
      })
    }
  }

  async function drain(): Promise<void> {
    const hasPending = () => kinds.some(kind => pending[kind].size > 0)
    for (let at = place; at !== undefined && hasPending(); at = place) {
      const { batches, waiting } = take()
      const results = await Promise.allSettled(batches.map(batch => write(batch, at)))
      underWay = noNames()
      for (const done of waiting) done()
      const failed = results.find(result => result.status === 'rejected')
      if (failed === undefined) continue
      fail()
      throw failed.reason
    }
  }

  /** What is pending need not be kept: `restore` starts from the sets. */
  function fail() {
    failures++
    whole = false
    for (const kind of kinds) {
      for (const change of pending[kind].values()) for (const done of change.waiting) done()
      pending[kind].clear()
    }
  }

  function flush(): Promise<void> {
    flushing ??= drain().finally(() => {
      flushing = undefined
    })
    return flushing
  }

  function queue(kind: Kind, name: string, isHere: boolean): Change {
    const change = pending[kind].get(name) ?? { isHere, waiting: [] }
    change.isHere = isHere
    // To the end: a call is in force when its last name is.
    pending[kind].delete(name)
    pending[kind].set(name, change)
    return change
  }

  function queueAll(kind: Kind, names: readonly string[], isHere: boolean): Promise<void> {
    let last: Change | undefined
    for (const name of names) last = queue(kind, name, isHere)
    if (last === undefined) return Promise.resolve()
    if (!scheduled) {
      scheduled = true
      setImmediate(() => {
        scheduled = false
        void flush().catch((error: unknown) => options.onFailure(error))
      })
    }
    const { waiting } = last
    return new Promise(resolve => waiting.push(resolve))
  }

  return {
    has: (kind, name) => local[kind].has(name),
    names: kind => local[kind],
    set(kind, names, isHere) {
      const changed: string[] = []
      for (const name of names) {
        const isKnown = local[kind].has(name) === isHere
        if (isHere) local[kind].add(name)
        else local[kind].delete(name)
        if (!isKnown || isPending(kind, name)) changed.push(name)
      }
      return whole || restoring ? queueAll(kind, changed, isHere) : Promise.resolve()
    },
    async audit(namesMax) {
      const kind = kinds[audits.at]!
      const names: string[] = []
      for (let next = audits.names.next(); names.length < namesMax; next = audits.names.next()) {
        if (next.done === true) {
          const at = (audits.at + 1) % kinds.length
          audits = { at, names: local[kinds[at]!].values() }
          break
        }
        if (!isPending(kind, next.value)) names.push(next.value)
      }
      const at = place
      if (!whole || at === undefined || names.length === 0) return { kind, names: [], missing: [] }
      const found = await whereabouts.find(kind, names)
      const missing = names.filter(
        (name, i) => found[i]?.includes(at) === false && local[kind].has(name) && !isPending(kind, name),
      )
      if (missing.length > 0 && whole && place === at) await queueAll(kind, missing, true)
      return { kind, names, missing }
    },
    async restore(next) {
      const failuresBefore = failures
      whole = false
      restoring = true
      try {
        place = undefined
        await flushing?.catch(() => {})
        await whereabouts.mend(next)
        place = next
        for (const kind of kinds) for (const name of local[kind]) queue(kind, name, true)
        await flush()
        for await (const chunk of whereabouts.entries(next)) {
          for (const { kind, name } of chunk) if (!local[kind].has(name)) queue(kind, name, false)
          await flush()
        }
        if (failures > failuresBefore) throw new Error('unable to register: a write failed meanwhile')
        whole = true
      } catch (error) {
        if (failures === failuresBefore) fail()
        throw error
      } finally {
        restoring = false
      }
    },
    async clear() {
      if (!whole) throw new Error('unable to take everything away: it is not known what is there')
      for (const kind of kinds) {
        for (const name of local[kind]) queue(kind, name, false)
        local[kind].clear()
      }
      await flush()
    },
    isWhole: () => whole,
  }
}
