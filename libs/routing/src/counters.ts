/** Counts in fixed windows, shared by all nodes: rate limits, one-time tickets (the first hit wins), claims. */
export interface Hit {
  readonly count: number
  /** When the window ends and counting begins anew. */
  readonly resetMs: number
}

export interface Counters {
  /** Counts one hit, or takes one back (−1). The window begins with the first hit. */
  hit(key: string, windowMs: number, by?: 1 | -1): Promise<Hit>
}
