/** Figures as Grafana writes them. */
export function withUnit(value: number, unit: string, decimals?: number): string {
  switch (unit) {
    case 's':
      return seconds(value)
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], decimals)
    case 'percentunit':
      return `${rounded(value * 100, decimals)}%`
    case 'cps':
      return `${short(value, decimals)} c/s`
    case 'mps':
      return `${short(value, decimals)} msg/s`
    case 'suffix:/min':
      return `${rounded(value, decimals)} /min`
    case 'reqps':
      return `${short(value, decimals)} req/s`
    default:
      return short(value, decimals)
  }
}

const short = (value: number, decimals?: number) => scaled(value, 1000, ['', 'K', 'Mil', 'Bil'], decimals)

function scaled(value: number, base: number, units: readonly string[], decimals?: number): string {
  let [size, nth] = [Math.abs(value), 0]
  for (; size >= base && nth < units.length - 1; nth++) size /= base
  return `${rounded(Math.sign(value) * size, decimals)} ${units[nth]}`.trim()
}

function seconds(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0 s'
  if (size < 0.001) return `${rounded(value * 1e6)} µs`
  if (size < 1) return `${rounded(value * 1e3)} ms`
  if (size < 60) return `${rounded(value)} s`
  if (size < 3_600) return `${rounded(value / 60)} min`
  if (size < 86_400) return `${rounded(value / 3_600)} hours`
  return `${rounded(value / 86_400)} days`
}

function rounded(value: number, decimals?: number): string {
  if (decimals !== undefined) return value.toFixed(decimals)
  const size = Math.abs(value)
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)))
}
