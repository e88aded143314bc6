/** A token bucket: so many a second on average, so many at once. Time is an argument, so that it needs no clock. */
export class TokenBucket {
  private tokens: number
  private at: number
  private readonly perMs: number
  private readonly burst: number

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.perMs = perSecond / 1_000
    this.burst = burst
    this.tokens = burst
    this.at = nowMs
  }

  /** Takes tokens if they are there. @returns 0, or the milliseconds until they will be */
  take(count: number, nowMs: number): number {
    const waitMs = this.wait(count, nowMs)
    if (waitMs === 0) this.tokens -= count
    return waitMs
  }

  /**
   * How long it is until so many can be taken. What costs more than there can ever be is given when the bucket is full,
   * and leaves a debt: over time no more is taken than the rate.
   */
  wait(count: number, nowMs: number): number {
    this.tokens = Math.min(this.burst, this.tokens + Math.max(0, nowMs - this.at) * this.perMs)
    this.at = nowMs
    const needed = Math.min(count, this.burst)
    if (this.tokens + rounding >= needed) return 0
    return Math.ceil((needed - this.tokens) / this.perMs - rounding)
  }

  /** Others have taken from it too: no more than so many are left; below zero is a debt. */
  lower(tokens: number, nowMs: number): void {
    this.wait(0, nowMs)
    this.tokens = Math.min(this.tokens, tokens)
  }

  /** Whether nothing would be lost by forgetting the bucket. */
  isFull(nowMs: number): boolean {
    return this.tokens + Math.max(0, nowMs - this.at) * this.perMs + rounding >= this.burst
  }

  /** What is in it. */
  left(nowMs: number): number {
    this.wait(0, nowMs)
    return this.tokens
  }
}

/** Tokens are fractions: 1 may be 0.9999. */
const rounding = 1e-6
