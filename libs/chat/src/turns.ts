/** One after the other: what is done under one name, in the order in which it came. */

export type Turns = <T>(name: string, work: () => Promise<T>) => Promise<T>

export function createTurns(): Turns {
  /** By name, what the next one waits for; never rejected. */
  const last = new Map<string, Promise<unknown>>()
  return (name, work) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(work)
    const done = mine
      .catch(() => {})
      .finally(() => {
        if (last.get(name) === done) last.delete(name)
      })
    last.set(name, done)
    return mine
  }
}
