/**
 * What the nodes count together: hits in fixed windows (limits of the API, one-time tickets: the first hit wins, claims),
 * what was spent of budgets, and how many each node holds of something.
 */
export interface Hit {
  readonly count: number
  /** When the window ends and counting begins anew. */
  readonly resetMs: number
}

/** What one node let through of a budget that all share. */
export interface Spending {
  readonly key: string
  readonly perSecond: number
  readonly burst: number
  readonly spent: number
}

export interface Counters {
  /** Counts one hit, or takes one back (−1). The window begins with the first hit. */
  hit(key: string, windowMs: number, by?: 1 | -1): Promise<Hit>
  /** Takes what was spent out of buckets that refill. @returns what each of them holds now; below zero is a debt */
  spend(spendings: readonly Spending[]): Promise<readonly number[]>
  /**
   * Notes how many a node holds of each key; the note is good for so long.
   * @returns how many all other nodes hold
   */
  hold(node: string, held: ReadonlyMap<string, number>, lifeMs: number): Promise<readonly number[]>
}
