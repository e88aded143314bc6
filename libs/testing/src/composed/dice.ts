/** Chance that falls the same way for the same seed. */

export interface Dice {
  /** 0 up to 1. */
  roll(): number
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number
  pick<T>(list: readonly T[]): T
  /** Picks by weight. */
  draw<T>(weighted: readonly (readonly [weight: number, value: T])[]): T
}

export function createDice(seed: number): Dice {
  let state = seed >>> 0
  /** mulberry32 */
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (min: number, max: number) => min + Math.floor(roll() * (max - min + 1))
  return {
    roll,
    between,
    pick: list => list[between(0, list.length - 1)]!,
    draw(weighted) {
      let left = roll() * weighted.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of weighted) {
        left -= weight
        if (left < 0) return value
      }
      return weighted.at(-1)![1]
    },
  }
}
