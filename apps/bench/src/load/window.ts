/** What is counted over a stretch of time while the load flows, and how a process says what it found. */
import { Histogram } from '@flotilla/testing/load'
import type { Violations } from './lane.ts'

/** The counts of a window, as they travel from the load to the bench. */
export interface WindowCounts {
  readonly seconds: number
  readonly acked: number
  readonly delivered: number
  readonly ackMs: string
  readonly deliveryMs: string
  /** How much of its core the load used. Near 1 it measures itself. */
  readonly loadShare: number
}

/** The whole run, when nothing is under way any longer. */
export interface Ending {
  readonly sent: number
  readonly acked: number
  readonly received: number
  /** Those that were no messages: receivers do not acknowledge them one by one. */
  readonly acted?: number
  /** Messages that stood in the store before the load came. */
  readonly past?: number
  readonly violations: Violations
}

export class Meter {
  private acked = 0
  private delivered = 0
  private ackMs = new Histogram()
  private deliveryMs = new Histogram()
  private beganAt = 0
  private usage = process.cpuUsage()

  ack(ms: number): void {
    this.acked++
    this.ackMs.record(ms)
  }

  /** Something that says no time of its own. */
  arrived(): void {
    this.delivered++
  }

  delivery(ms: number): void {
    this.delivered++
    this.deliveryMs.record(ms)
  }

  /** Counts from now on. */
  begin(): void {
    this.acked = 0
    this.delivered = 0
    this.ackMs = new Histogram()
    this.deliveryMs = new Histogram()
    this.beganAt = performance.now()
    this.usage = process.cpuUsage()
  }

  /** What was counted since `begin`. */
  end(): WindowCounts {
    const seconds = (performance.now() - this.beganAt) / 1_000
    const { user, system } = process.cpuUsage(this.usage)
    return {
      seconds,
      acked: this.acked,
      delivered: this.delivered,
      ackMs: this.ackMs.encoded(),
      deliveryMs: this.deliveryMs.encoded(),
      loadShare: (user + system) / 1_000_000 / seconds,
    }
  }

  /** Counts from now on for so long. */
  async window(seconds: number): Promise<WindowCounts> {
    this.begin()
    await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
    return this.end()
  }
}

/** Waits until what was sent has come to its end, or until nothing moves any longer. */
export async function settle(left: () => number, patienceMs = 10_000): Promise<void> {
  let before = left()
  let movedAt = performance.now()
  while (before > 0 && performance.now() - movedAt < patienceMs) {
    await new Promise(resolve => setTimeout(resolve, 20))
    const now = left()
    if (now !== before) movedAt = performance.now()
    before = now
  }
}
