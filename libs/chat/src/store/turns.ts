/**
 * Turns: of one person so much is under way at a time, and the rest waits in its order. Whoever asks from twenty devices
 * at once waits for themselves, not everybody else for them. p-limit has one line, not one for each name that is gone when
 * it is empty, and starts a work that nobody waits for any longer; and this is on the message path.
 */
import { Refusal } from '@flotilla/protocol'
import type { Pool } from 'pg'

/** Works of one person that wait for their turn. One more is told when to come back. */
export const turnsWaitingMax = 256
const retryMs = 1_000

interface Line {
  underWay: number
  readonly waiting: (() => void)[]
}

/** Lines by name, of which each has so much under way at a time. */
export class Lines {
  private readonly atOnceMax: number
  private readonly waitingMax: number
  private readonly lines = new Map<string, Line>()

  /** @param atOnceMax works under one name that are under way at a time */
  constructor(atOnceMax: number, waitingMax = turnsWaitingMax) {
    this.atOnceMax = atOnceMax
    this.waitingMax = waitingMax
  }

  /**
   * Does the work when its turn comes.
   * @param isWanted asked then: what nobody waits for any longer takes nobody's time
   * @throws Refusal overloaded, when too much waits already
   */
  async run<T>(name: string, work: () => Promise<T>, isWanted: () => boolean = () => true): Promise<T> {
    const line = this.lines.get(name) ?? { underWay: 0, waiting: [] }
    this.lines.set(name, line)
    if (line.underWay < this.atOnceMax) line.underWay++
    else await this.wait(line)
    try {
      if (!isWanted()) throw new Refusal('unavailable', 'the client is gone')
      return await work()
    } finally {
      // A place that gets free goes straight to the first who waits.
      const next = line.waiting.shift()
      if (next !== undefined) next()
      else if (--line.underWay === 0) this.lines.delete(name)
    }
  }

  private wait({ waiting }: Line): Promise<void> {
    if (waiting.length >= this.waitingMax)
      throw new Refusal('overloaded', 'too many requests in the queue', { retryMs })
    return new Promise(resolve => waiting.push(resolve))
  }

  /** How many names have something under way. */
  get size(): number {
    return this.lines.size
  }
}

/** Who asks. Somebody who is not `open` any longer when their turn comes takes nobody's time. */
export interface Asker {
  readonly user: string
  readonly open?: boolean
}

/** The store is never busy with one person alone. */
export interface Turns {
  /** Works with the store, in the share of the pool that one person may hold. */
  read<T>(who: Asker, work: () => Promise<T>): Promise<T>
  /** The same, and one after the other: each looks at all conversations of the person. */
  resume<T>(who: Asker, work: () => Promise<T>): Promise<T>
  /** What is said in a conversation that is not accepted yet, in the order in which it came. */
  inOrder<T>(conversation: string, work: () => Promise<T>): Promise<T>
}

/** @param sharePercent how much of the pool one person may hold; one connection at the least */
export function createTurns(pool: Pick<Pool, 'options'>, sharePercent: number): Turns {
  const reads = new Lines(Math.max(1, Math.floor((pool.options.max * sharePercent) / 100)))
  const resumes = new Lines(1)
  const pending = new Lines(1)
  const runOf =
    (lines: Lines): Turns['read'] =>
    (who, work) =>
      lines.run(who.user, work, () => who.open !== false)
  const read = runOf(reads)
  return {
    read,
    resume: (who, work) => runOf(resumes)(who, () => read(who, work)),
    inOrder: (conversation, work) => pending.run(conversation, work),
  }
}
