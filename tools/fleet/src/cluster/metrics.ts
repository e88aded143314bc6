/** Reads what a process says at /metrics. */

/** One figure, added up over its labels; undefined when it is not there. */
export function sumOfMetric(text: string, name: string): number | undefined {
  const lines = text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  if (lines.length === 0) return undefined
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
