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

export interface GatheringOptions {
  /** Works that are done together. */
  readonly batchMax: number
  /** Works under one name that wait. */
  readonly waitingMax: number
  /**
   * After a batch others are waited for as long as that took, up to so long: who was answered just now comes again, and
   * would always miss the next batch.
   */
  readonly pauseMsMax?: number
}

export function createGathering<T, R>({ batchMax, waitingMax, pauseMsMax = 0 }: GatheringOptions): Gathering<T, R> {
  const lines = new Map<string, Line<T, R>>()

  async function run(name: string, line: Line<T, R>, work: (items: readonly T[]) => Promise<readonly R[]>) {
    line.underWay = true
    // What comes in the same turn of the loop goes together.
    if (pauseMsMax > 0) await new Promise(resolve => setImmediate(resolve))
    while (line.waiting.length > 0) {
      const startedAt = performance.now()
      const batch = line.waiting.splice(0, batchMax)
      try {
        const results = await work(batch.map(one => one.item))
        for (const [at, { answer }] of batch.entries()) answer.resolve(results[at]!)
      } catch (error) {
        for (const { answer } of batch) answer.reject(error)
      }
      // Who was alone waits for nobody.
      const pauseMs = batch.length > 1 ? Math.min(performance.now() - startedAt, pauseMsMax) : 0
      if (pauseMs > 0 && line.waiting.length < batchMax) await new Promise(resolve => setTimeout(resolve, pauseMs))
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
