/**
 * Which nodes there are. A node holds one lease and renews it by its beat; each lease has a generation that rises with
 * every acquisition and fences the ones before. `node:generation` is called a place.
 *
 * Times are those of the store's clock, so nodes need not agree on theirs. When no node at all has beaten for a while,
 * it was the store that was away: nobody loses a lease by that.
 */
export interface NodeInfo {
  readonly kind: 'gateway' | 'api' | 'worker'
  /** Where clients reach it; empty for one that they do not. */
  readonly url: string
  readonly region: string
  readonly connections: number
  /** False while it starts, drains or is full. */
  readonly accepting: boolean
  /** Its connections are on their way to the others. Missing: no, or a version that does not say. */
  readonly draining?: boolean
}

export interface NodeView {
  readonly node: string
  readonly generation: number
  /** released: it said goodbye. expired: it did not, so what it had begun may be half done. */
  readonly state: 'live' | 'expired' | 'released'
  readonly info: NodeInfo
  /** Its last beat, by the store's clock. */
  readonly beatAt: number
  /** How long ago that was when the view was taken. */
  readonly beatAgeMs: number
  /** Whether what it left behind has been swept. */
  readonly swept: boolean
}

export interface Beat {
  /** False when this generation has been fenced or has expired: then nothing was renewed. */
  readonly held: boolean
  readonly nodes: readonly NodeView[]
}

export interface Leases {
  /**
   * Takes a lease; every older generation of the node expires with it.
   * @param above the new generation will be higher than this
   * @returns the generation
   */
  acquire(node: string, info: NodeInfo, above: number): Promise<number>
  /** Renews the lease of a place and answers how the fleet stands, in one round trip. */
  beat(place: string, info: NodeInfo, leaseMs: number): Promise<Beat>
  /** Gives the lease back. */
  release(place: string): Promise<void>
  /**
   * Notes that nothing of the place is left. When it is over it stays in view for six leases all the same, so that
   * every node has seen how it ended.
   */
  swept(place: string): Promise<void>
}

export function placeOf(node: string, generation: number): string {
  return `${node}:${generation}`
}

export function splitPlace(place: string): { node: string; generation: number } {
  const at = place.lastIndexOf(':')
  return { node: place.slice(0, at), generation: Number(place.slice(at + 1)) }
}
