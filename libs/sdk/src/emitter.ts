/** Typed events. A listener that fails is reported and never disturbs its neighbours. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => unknown>>()
  readonly #report: (thrown: unknown, event: keyof Events) => void

  constructor(report: (thrown: unknown, event: keyof Events) => void) {
    this.#report = report
  }

  /** Listens. The answer ends it. */
  on<N extends keyof Events>(name: N, listener: (event: Events[N]) => unknown): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A wrapper of its own, so that a function that listens twice is called twice and ended once at a time.
    const own = (event: Events[N]) => listener(event)
    listeners.add(own)
    return () => listeners.delete(own)
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  /** Tells everybody now and waits for nobody. */
  emit<N extends keyof Events>(name: N, event: Events[N]): void {
    void this.deliver(name, event)
  }

  /** Tells everybody now and resolves when the last of them is done. */
  async deliver<N extends keyof Events>(name: N, event: Events[N]): Promise<void> {
    const pending: PromiseLike<unknown>[] = []
    const listeners = Array.from(this.#listeners.get(name) ?? [])
    for (const listener of listeners) {
      try {
        const answer = (listener as (event: Events[N]) => unknown)(event)
        if (isPromise(answer)) pending.push(answer)
      } catch (thrown) {
        this.#report(thrown, name)
      }
    }
    if (pending.length === 0) return
    for (const outcome of await Promise.allSettled(pending))
      if (outcome.status === 'rejected') this.#report(outcome.reason, name)
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
