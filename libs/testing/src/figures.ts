/** Numbers as they are read: medians with their spread, and how they are printed. */

/** The middle one of several runs, and how far the others lie from it. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Three digits that matter, thousands apart: `12,300`, `4.56`, `0.0312`. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return 'none'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  if (size >= 1) return value.toPrecision(3)
  return size === 0 ? '0' : String(Number(value.toPrecision(3)))
}

/** `8.1 (7.9 to 8.4)`; one run has no spread. */
export function showSpread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values)
  return values.length < 2 ? show(median) : `${show(median)} (${show(min)} to ${show(max)})`
}

export const perCent = (share: number) => `${Math.round(share * 100)} %`
