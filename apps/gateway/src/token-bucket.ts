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
    this.tokens = Math.min(this.burst, this.tokens + Math.max(0, nowMs - this.at) * this.perMs)
    this.at = nowMs
    if (this.tokens + rounding >= count) {
      this.tokens -= count
      return 0
    }
    return Math.ceil((count - this.tokens) / this.perMs - rounding)
  }

  /** Whether nothing would be lost by forgetting the bucket. */
  isFull(nowMs: number): boolean {
    return this.tokens + Math.max(0, nowMs - this.at) * this.perMs + rounding >= this.burst
  }
}

/** Tokens are fractions: 1 may be 0.9999. */
const rounding = 1e-6
