/** Gathers look-ups that are asked for one by one into one query: what is asked in one turn of the loop goes together. */

interface Waiting<V> {
  resolve(value: V | undefined): void
  reject(error: unknown): void
}

/**
 * @param load answers many keys at once; a key that it leaves out is answered undefined
 * @param batchMax how many keys one call of `load` gets at the most
 */
export function createLoader<V>(
  load: (keys: string[]) => Promise<Map<string, V>>,
  batchMax: number,
): (key: string) => Promise<V | undefined> {
  let waiting = new Map<string, { promise: Promise<V | undefined>; settle: Waiting<V> }>()

  const run = (batch: typeof waiting) => {
    load([...batch.keys()]).then(
      found => {
        for (const [key, one] of batch) one.settle.resolve(found.get(key))
      },
      (error: unknown) => {
        for (const one of batch.values()) one.settle.reject(error)
      },
    )
  }
  const flush = () => {
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    run(batch)
  }
  return key => {
    const asked = waiting.get(key)
    if (asked !== undefined) return asked.promise
    if (waiting.size === 0) setImmediate(flush)
    const { promise, resolve, reject } = Promise.withResolvers<V | undefined>()
    waiting.set(key, { promise, settle: { resolve, reject } })
    if (waiting.size >= batchMax) flush()
    return promise
  }
}
