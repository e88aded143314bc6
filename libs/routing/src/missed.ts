/** Whose signals may be among what was lost: of these people, or of anybody. */
export type Missed = ReadonlySet<string> | 'anybody'

export const nobody: Missed = new Set()

/** More names than that are not carried on: then it may be anybody. */
export const missedNamesMax = 1_000

export function joinMissed(one: Missed, other: Missed): Missed {
  if (one === 'anybody' || other === 'anybody' || one.size + other.size > missedNamesMax) return 'anybody'
  return one.size === 0 ? other : other.size === 0 ? one : new Set([...one, ...other])
}
