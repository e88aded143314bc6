/**
 * How much is asked for at a time. A line that could not carry it gets half, again and again down to a sixteenth; what
 * arrives earns it back, and each time that it was too much, that takes twice as many answers.
 */
const stepsMax = 4
const answersMin = 4
const answersMax = 256

export class Pace {
  #steps = 0
  #answers = 0
  #needed = answersMin / 2

  /** It was too much. */
  slow(): void {
    this.#steps = Math.min(stepsMax, this.#steps + 1)
    this.#answers = 0
    this.#needed = Math.min(answersMax, this.#needed * 2)
  }

  /** An answer has arrived. */
  went(): void {
    if (this.#steps === 0) return
    this.#answers += 1
    if (this.#answers < this.#needed) return
    this.#steps -= 1
    this.#answers = 0
  }

  /** Whether as much is asked for as may be. */
  get isFull(): boolean {
    return this.#steps === 0
  }

  /** So much of `most`. */
  of(most: number): number {
    return Math.max(1, Math.floor(most / 2 ** this.#steps))
  }
}
