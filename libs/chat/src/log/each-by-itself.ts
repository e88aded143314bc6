/** Decides many things of which each may be refused: what refuses one touches no other. */
import { Refusal } from '@flotilla/protocol'

/** @returns of each what was decided, or what refused it, in their order */
export const eachByItself = <T, R>(all: readonly T[], decide: (one: T, at: number) => R): (R | Refusal)[] =>
  all.map((one, at) => orRefusal(() => decide(one, at)))

/** @throws what is no refusal */
export function orRefusal<R>(decide: () => R): R | Refusal {
  try {
    return decide()
  } catch (refused) {
    if (refused instanceof Refusal) return refused
    throw refused
  }
}
