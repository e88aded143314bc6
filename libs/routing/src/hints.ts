import { setLatest } from './latest.ts'

/** Who was found here or away by the look-ups of the last while: a hint, never a reason not to look. Bounded. */
export interface Hints {
  note(name: string, isPresent: boolean, now: number): void
  /** undefined when nothing is known, or nothing fresh. */
  isPresent(name: string, now: number): boolean | undefined
}

export function createHints(namesMax: number, lifeMs: number): Hints {
  /** The time of the look-up; negative for one that found nobody. In the order of the look-ups. */
  const seen = new Map<string, number>()
  return {
    note(name, isPresent, now) {
      setLatest(seen, name, isPresent ? now : -now, namesMax)
    },
    isPresent(name, now) {
      const at = seen.get(name)
      if (at === undefined || now - Math.abs(at) > lifeMs) return undefined
      return at > 0
    },
  }
}
