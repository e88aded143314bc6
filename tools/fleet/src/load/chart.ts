/** A small line chart as SVG: quantities over time, one panel below the other, on one axis of time. */

export interface ChartLine {
  readonly label: string
  readonly color: string
  /** Stays where it is until the next point, as counts do. */
  readonly stepped?: boolean
  readonly dashed?: boolean
  /** Seconds and values. */
  readonly points: readonly (readonly [number, number])[]
}

export interface ChartPanel {
  readonly title: string
  readonly lines: readonly ChartLine[]
}

const width = 860
const panelHeight = 190
/** Of one line in the legend: the longest label fits. */
const legendWidth = 210
const margin = { left: 64, right: 16, top: 34, bottom: 12 }
const axisHeight = 34
const ink = '#3b4252'
const grid = '#e5e9f0'

/** A step of 1, 2 or 5 times a power of ten, so that the axis has some five of them. */
function niceStep(range: number): number {
  const rough = Math.max(range, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= rough)!
}

function ticks(max: number, step: number): number[] {
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, nth) => nth * step)
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
const round = (value: number) => Math.round(value * 10) / 10

export function renderChart(title: string, panels: readonly ChartPanel[]): string {
  const seconds = Math.max(1, ...panels.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map(([x]) => x))))
  const height = panels.length * panelHeight + axisHeight
  const toX = (x: number) => round(margin.left + (x / seconds) * (width - margin.left - margin.right))
  const step = niceStep(seconds)
  const bottom = panels.length * panelHeight
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${ink}">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels.flatMap((panel, nth) => renderPanel(panel, nth * panelHeight, toX)),
    ...ticks(seconds, step).map(
      x => `<text x="${toX(x)}" y="${bottom + 14}" text-anchor="middle">${round(x).toLocaleString('en-US')}</text>`,
    ),
    `<text x="${width - margin.right}" y="${bottom + 29}" text-anchor="end">seconds</text>`,
    '</svg>',
    '',
  ].join('\n')
}

function renderPanel({ title, lines }: ChartPanel, top: number, toX: (x: number) => number): string[] {
  const most = Math.max(1e-9, ...lines.flatMap(({ points }) => points.map(([, y]) => y)))
  const step = niceStep(most)
  const max = Math.ceil(most / step - 1e-9) * step
  const [upper, lower] = [top + margin.top, top + panelHeight - margin.bottom]
  const toY = (y: number) => round(lower - (y / max) * (lower - upper))
  const legend = lines.map(({ label, color, dashed }, nth) => {
    const x = width - margin.right - (lines.length - nth) * legendWidth
    return (
      `<line x1="${x}" x2="${x + 22}" y1="${top + 17}" y2="${top + 17}" stroke="${color}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>` +
      `<text x="${x + 28}" y="${top + 21}">${escape(label)}</text>`
    )
  })
  return [
    `<text x="${margin.left}" y="${top + 21}" font-weight="bold">${escape(title)}</text>`,
    ...legend,
    ...ticks(max, step).map(
      y =>
        `<line x1="${margin.left}" x2="${width - margin.right}" y1="${toY(y)}" y2="${toY(y)}" stroke="${grid}"/>` +
        `<text x="${margin.left - 8}" y="${toY(y) + 4}" text-anchor="end">${round(y).toLocaleString('en-US')}</text>`,
    ),
    ...lines.map(
      ({ points, color, stepped, dashed }) =>
        `<path d="${pathOf(points, stepped === true, toX, toY)}" fill="none" stroke="${color}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`,
    ),
  ]
}

function pathOf(
  points: ChartLine['points'],
  stepped: boolean,
  toX: (x: number) => number,
  toY: (y: number) => number,
): string {
  return points
    .map(([x, y], nth) => {
      if (nth === 0) return `M${toX(x)} ${toY(y)}`
      return stepped ? `H${toX(x)}V${toY(y)}` : `L${toX(x)} ${toY(y)}`
    })
    .join('')
}
