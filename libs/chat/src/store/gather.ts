/**
 * Works that are done together: what comes under a name while something is under way there is taken as one batch when that
 * has ended. So whatever the crowd, it takes one connection, and a round trip serves many.
 */
import { Refusal } from '@flotilla/protocol'

const retryMs = 1_000

interface Line<T, R> {
  underWay: boolean
  waiting: { readonly item: T; readonly answer: PromiseWithResolvers<R> }[]
}

export interface Gathering<T, R> {
  /**
   * @param work does a batch, and says what has become of each
   * @throws Refusal overloaded, when too much waits already; and what `work` throws, which holds for its whole batch
   */
  add(name: string, item: T, work: (items: readonly T[]) => Promise<readonly R[]>): Promise<R>
}

/**
 * @param batchMax works that are done together
 * @param waitingMax works under one name that wait
 */
export function createGathering<T, R>(batchMax: number, waitingMax: number): Gathering<T, R> {
  const lines = new Map<string, Line<T, R>>()

  async function run(name: string, line: Line<T, R>, work: (items: readonly T[]) => Promise<readonly R[]>) {
    line.underWay = true
    while (line.waiting.length > 0) {
      const batch = line.waiting.splice(0, batchMax)
      try {
        const results = await work(batch.map(one => one.item))
        for (const [at, { answer }] of batch.entries()) answer.resolve(results[at]!)
      } catch (error) {
        for (const { answer } of batch) answer.reject(error)
      }
    }
    lines.delete(name)
  }

  return {
    add(name, item, work) {
      const line = lines.get(name) ?? { underWay: false, waiting: [] }
      lines.set(name, line)
      if (line.waiting.length >= waitingMax)
        return Promise.reject(new Refusal('overloaded', 'too many wait for their turn', { retryMs }))
      const answer = Promise.withResolvers<R>()
      line.waiting.push({ item, answer })
      if (!line.underWay) void run(name, line, work)
      return answer.promise
    },
  }
}
