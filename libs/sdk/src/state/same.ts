/** Values as they are compared and put together. */

/** Whether two values say the same, however deep: what is data compares, and the rest by itself. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other) || one instanceof Error || one instanceof Map)
    return false
  const [ofOne, ofOther] = [Object.entries(one), other as Record<string, unknown>]
  return (
    ofOne.length === Object.keys(other).length &&
    ofOne.every(([key, value]) => key in ofOther && same(value, ofOther[key]))
  )
}

/** The value before, where the new one says nothing else: whoever shows it has nothing to do. */
export const kept = <T>(before: T | undefined, now: T): T => (before !== undefined && same(before, now) ? before : now)

/** The list before, where it holds the same. */
export const keptList = <T>(before: readonly T[], now: readonly T[]): readonly T[] =>
  before.length === now.length && before.every((one, at) => one === now[at]) ? before : now

/** The fields that are there. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}
