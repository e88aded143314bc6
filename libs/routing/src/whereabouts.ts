/**
 * Who and what is where: three maps of one shape, from a name to the places that have a use for it.
 * - presence: a person → the places that hold sockets of theirs
 * - watch:    a person → the places that want to hear when they come or go
 * - interest: a conversation that goes by it → the places that hold at least one of its members
 *
 * A place is `node:generation`. An entry is written when it begins and when it ends and needs no refresh: readers ignore
 * the entries of places that have no lease, and whoever sees a lease end sweeps what it left behind. A place's entries
 * are also kept as its roster, written in the same step, so that they can be found again.
 *
 * This is a hint, like everything in Redis: it may lose anything at any moment. `intact` tells whether it did.
 */
export type Kind = 'presence' | 'watch' | 'interest'

export const kinds: readonly Kind[] = ['presence', 'watch', 'interest']

/** Equal lists of one answer are the same object. */
export type Places = readonly string[]

export const nowhere: Places = []

export interface Entered {
  /** Whether it was entered for this place before. */
  readonly already: boolean
  readonly others: Places
}

export interface Whereabouts {
  /** Enters names for a place. Names must be distinct. */
  enter(kind: Kind, names: readonly string[], place: string): Promise<readonly Entered[]>
  /**
   * Takes names away from a place. Names must be distinct.
   * @returns the places that are left, a name each; undefined where it was not entered for this place. Of several who
   * take the same away at the same time, exactly one gets an answer.
   */
  leave(kind: Kind, names: readonly string[], place: string): Promise<readonly (Places | undefined)[]>
  /**
   * Looks names up, never from a cache.
   * @returns the places, a name each; undefined where the part of the store that holds the name did not answer
   * @throws when no part of it answers
   */
  find(kind: Kind, names: readonly string[]): Promise<readonly (Places | undefined)[]>
  /** All that is entered for a place, in chunks. Entries may be taken away meanwhile. */
  entries(place: string): AsyncIterable<readonly { readonly kind: Kind; readonly name: string }[]>
  /** Takes what is there now for whole, and watches over this place's writes from here on. */
  mend(place: string): Promise<void>
  /**
   * Whether all that this process wrote for the place since `mend` is still there and nothing else was written. False
   * also when the outcome of a write is unknown.
   */
  intact(place: string): Promise<boolean>
  /** Drops the roster of a place that was swept. */
  forget(place: string): Promise<void>
}
