/**
 * The check of what arrives: the messages of one sender at one receiver. The sender numbers them 1, 2, 3, so that each
 * loss, repetition and change of order shows, whatever the server under test calls its messages.
 */

export class Lane {
  /** All up to here have arrived. */
  whole = 0
  repeated = 0
  /** Arrived before one that was sent earlier. */
  early = 0
  private ahead: Set<number> | undefined = undefined

  arrive(number: number): void {
    if (number <= this.whole || this.ahead?.has(number) === true) this.repeated++
    else if (number === this.whole + 1) {
      this.whole++
      while (this.ahead?.delete(this.whole + 1) === true) this.whole++
    } else {
      this.early++
      this.ahead ??= new Set()
      this.ahead.add(number)
    }
  }

  /** @returns how many of the first `sent` have not arrived */
  missing(sent: number): number {
    return sent - this.whole - (this.ahead?.size ?? 0)
  }
}

/** What was found wrong over a whole run. All zero, or the run does not count. */
export interface Violations {
  lost: number
  repeated: number
  /** Out of the sender's order. Counts only where the server promises an order. */
  reordered: number
  /** The acknowledgement and the delivery name different places, or a conversation's seqs have a gap. */
  misplaced: number
  refused: number
  closed: number
}

export function noViolations(): Violations {
  return { lost: 0, repeated: 0, reordered: 0, misplaced: 0, refused: 0, closed: 0 }
}
