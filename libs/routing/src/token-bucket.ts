/** What refills a bucket: so many tokens a second on average, so many at once. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/*
 * A token bucket is one number beside a rate that many share: when it is full again if nothing more is taken, and
 * -Infinity from the start. A node keeps several for each of tens of thousands of people, some of them as a bare field.
 * Time is an argument, so that it needs no clock.
 */

/**
 * How long it is until so many tokens can be taken. What costs more than there can ever be is given when the bucket is
 * full, and leaves a debt: over time no more is taken than the rate.
 * @returns 0, or milliseconds
 */
export function tokensWait(rate: Rate, fullAt: number, count: number, nowMs: number): number {
  const lacking = Math.min(count, rate.burst) - tokensLeft(rate, fullAt, nowMs)
  return lacking <= rounding ? 0 : Math.ceil(msFor(rate, lacking) - rounding)
}

/** When the bucket is full again, now that so many were taken. */
export const tokensTaken = (rate: Rate, fullAt: number, count: number, nowMs: number): number =>
  Math.max(fullAt, nowMs) + msFor(rate, count)

const tokensLeft = (rate: Rate, fullAt: number, nowMs: number): number =>
  rate.burst - (Math.max(0, fullAt - nowMs) * rate.perSecond) / 1_000

const msFor = (rate: Rate, tokens: number): number => (tokens * 1_000) / rate.perSecond

/** Tokens are fractions: 1 may be 0.9999. */
const rounding = 1e-6

/** A token bucket that is an object of its own. */
export class TokenBucket<R extends Rate = Rate> {
  readonly rate: R
  private fullAt = Number.NEGATIVE_INFINITY

  constructor(rate: R) {
    this.rate = rate
  }

  /** Takes tokens if they are there. @returns 0, or the milliseconds until they will be */
  take(count: number, nowMs: number): number {
    const waitMs = this.wait(count, nowMs)
    if (waitMs === 0) this.fullAt = tokensTaken(this.rate, this.fullAt, count, nowMs)
    return waitMs
  }

  /** How long it is until so many can be taken. @returns 0, or milliseconds */
  wait(count: number, nowMs: number): number {
    return tokensWait(this.rate, this.fullAt, count, nowMs)
  }

  /** Others have taken from it too: no more than so many are left; below zero is a debt. */
  lower(tokens: number, nowMs: number): void {
    this.fullAt = Math.max(this.fullAt, nowMs + msFor(this.rate, this.rate.burst - tokens))
  }

  /** Whether nothing would be lost by forgetting the bucket. */
  isFull(nowMs: number): boolean {
    return this.left(nowMs) + rounding >= this.rate.burst
  }

  /** What is in it. */
  left(nowMs: number): number {
    return tokensLeft(this.rate, this.fullAt, nowMs)
  }
}
