/**
 * How much is under way at once. Whoever has no slot claims nothing, so that work waits in the store, not in memory: the
 * opposite of p-limit and p-queue, which take everything and let it wait.
 */

export interface Slots {
  readonly free: number
  readonly taken: number
  /** Takes a slot until the work has ended. The work must not throw. */
  run(work: () => Promise<void>): void
  /** Answers when one is free, or after so long. */
  whenFree(withinMs: number): Promise<void>
  /** Answers when none is taken, or after so long. @returns whether none is taken */
  drained(withinMs: number): Promise<boolean>
}

export function createSlots(max: number): Slots {
  const underWay = new Set<Promise<void>>()

  async function within(withinMs: number, waited: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, withinMs)))
    await Promise.race([waited, late])
    clearTimeout(timer)
  }

  return {
    get free() {
      return max - underWay.size
    },
    get taken() {
      return underWay.size
    },
    run(work) {
      const running: Promise<void> = work().finally(() => underWay.delete(running))
      underWay.add(running)
    },
    async whenFree(withinMs) {
      if (underWay.size >= max) await within(withinMs, Promise.race(underWay))
    },
    async drained(withinMs) {
      await within(withinMs, Promise.allSettled(underWay))
      return underWay.size === 0
    },
  }
}
