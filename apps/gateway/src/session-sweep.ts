/**
 * A net under revocations: sessions expire without anybody saying so, and what the pulse said may have been missed. All
 * connections are looked at in turn, slowly.
 */
import type { CloseName } from '@flotilla/protocol'
import type { Connection } from './connection.ts'

/** In so many looks every connection was looked at once. */
const looksPerRound = 300
/** Between two looks. */
export const sweepLookMs = 1_000

export type Swept = Pick<Connection, 'open' | 'session' | 'close'>

/** @returns what looks at the next few connections; to be called every `sweepLookMs` */
export function createSessionSweep<T extends Swept>(options: {
  all(): T[]
  /** Undefined while it is good. @throws when it cannot be said now: the next round asks again */
  whyEnded(session: string): Promise<CloseName | undefined>
}): () => Promise<void> {
  let waiting: T[] = []
  let share = 0

  return async () => {
    if (waiting.length === 0) {
      waiting = options.all()
      share = Math.ceil(waiting.length / looksPerRound)
    }
    const looked = waiting.splice(-share, share).filter(connection => connection.open)
    const answers = await Promise.allSettled(looked.map(({ session }) => options.whyEnded(session)))
    for (const [nth, answer] of answers.entries())
      if (answer.status === 'fulfilled' && answer.value !== undefined) looked[nth]!.close(answer.value)
  }
}
