/** What refills a bucket: so many tokens a second on average, so many at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/**
 * A token bucket. Time is an argument, so that it needs no clock; and it is one number beside the rate that many share, since
 * a node keeps several for each of tens of thousands of people.
 */
export class TokenBucket<R extends Rate = Rate> {
  readonly rate: R
  /** When it is full again if nothing more is taken. */
  private fullAt = Number.NEGATIVE_INFINITY

  constructor(rate: R) {
    this.rate = rate
  }

  /** Takes tokens if they are there. @returns 0, or the milliseconds until they will be */
  take(count: number, nowMs: number): number {
    const waitMs = this.wait(count, nowMs)
    if (waitMs === 0) this.fullAt = Math.max(this.fullAt, nowMs) + this.msFor(count)
    return waitMs
  }

  /**
   * How long it is until so many can be taken. What costs more than there can ever be is given when the bucket is full,
   * and leaves a debt: over time no more is taken than the rate.
   */
  wait(count: number, nowMs: number): number {
    const lacking = Math.min(count, this.rate.burst) - this.left(nowMs)
    return lacking <= rounding ? 0 : Math.ceil(this.msFor(lacking) - rounding)
  }

  /** Others have taken from it too: no more than so many are left; below zero is a debt. */
  lower(tokens: number, nowMs: number): void {
    this.fullAt = Math.max(this.fullAt, nowMs + this.msFor(this.rate.burst - tokens))
  }

  /** Whether nothing would be lost by forgetting the bucket. */
  isFull(nowMs: number): boolean {
    return this.left(nowMs) + rounding >= this.rate.burst
  }

  /** What is in it. */
  left(nowMs: number): number {
    return this.rate.burst - (Math.max(0, this.fullAt - nowMs) * this.rate.perSecond) / 1_000
  }

  private msFor(tokens: number): number {
    return (tokens * 1_000) / this.rate.perSecond
  }
}

/** Tokens are fractions: 1 may be 0.9999. */
const rounding = 1e-6
