/**
 * A net under revocations: sessions expire without anybody saying so, and what the pulse said may have been missed. All
 * connections are looked at in turn, slowly.
 */
import type { Connection } from './connection.ts'

/** In so many looks every connection was looked at once. */
const looksPerRound = 300
/** Between two looks. */
export const sweepLookMs = 1_000

export type Swept = Pick<Connection, 'open' | 'session' | 'close'>

/** @returns what looks at the next few connections; to be called every `sweepLookMs` */
export function createSessionSweep<T extends Swept>(options: {
  all(): T[]
  /** @throws when it cannot be said now: the next round asks again */
  isGood(session: string): Promise<boolean>
}): () => Promise<void> {
  let waiting: T[] = []
  let share = 0

  return async () => {
    if (waiting.length === 0) {
      waiting = options.all()
      share = Math.ceil(waiting.length / looksPerRound)
    }
    const looked = waiting.splice(-share, share).filter(connection => connection.open)
    const good = await Promise.allSettled(looked.map(({ session }) => options.isGood(session)))
    for (const [nth, answer] of good.entries())
      if (answer.status === 'fulfilled' && !answer.value) looked[nth]!.close('session_ended')
  }
}
