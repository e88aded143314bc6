/// <reference lib="dom" />
/** Runs in the page: draws a dashboard on Grafana's grid, in its dark colours. Not Grafana; near enough to judge by. */
import type { DrawnDashboard, DrawnPanel } from './figures.ts'

interface Plot {
  readonly ctx: CanvasRenderingContext2D
  readonly bbox: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
  valToPos(value: number, scale: string, canvas: boolean): number
}
declare const uPlot: {
  new (options: object, data: unknown, target: HTMLElement): Plot
  readonly paths: { bars(options: object): unknown }
}
declare const dashboard: DrawnDashboard
declare function withUnit(value: number, unit: string, decimals?: number): string

const colours: Readonly<Record<string, string>> = {
  green: '#73BF69',
  yellow: '#F2CC0C',
  orange: '#FF9830',
  red: '#F2495C',
  blue: '#5794F2',
  purple: '#B877D9',
  text: '#CCCCDC',
}
const palette = ['#73BF69', '#F2CC0C', '#8AB8FF', '#FF780A', '#F2495C', '#5794F2', '#B877D9', '#705DA0', '#37872D']
const colourOf = (name: string) => colours[name] ?? name
const [cell, gap] = [30, 8]

function add(parent: HTMLElement, kind: string, text = ''): HTMLElement {
  const made = document.createElement('div')
  made.className = kind
  made.textContent = text
  parent.append(made)
  return made
}

const plot = (options: object, data: unknown, target: HTMLElement) => new uPlot(options, data, target)

const last = (values: readonly (number | null)[]) => values.findLast(value => value !== null) ?? null

function stepColour(steps: DrawnPanel['steps'], value: number): string {
  return colourOf(steps.findLast(step => step.value === null || value >= step.value)?.color ?? 'text')
}

function drawStat(panel: DrawnPanel, body: HTMLElement): void {
  const [series] = panel.series
  const value = series === undefined ? null : last(series.values)
  const shown = add(body, 'figure', value === null ? panel.none : withUnit(value, panel.unit, panel.decimals))
  if (value === null || series === undefined) return
  const colour = stepColour(panel.steps, value)
  shown.style.color = colour
  const spark = add(body, 'spark')
  const options = {
    width: body.clientWidth,
    height: 34,
    legend: { show: false },
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { y: { range: (_: unknown, min: number, max: number) => [Math.min(0, min), max === min ? max + 1 : max] } },
    series: [{}, { stroke: colour, fill: `${colour}22`, width: 1, points: { show: false } }],
  }
  plot(options, [dashboard.times, series.values], spark)
}

/** Each series on top of those before it; and what it was by itself for the legend. */
function stack(panel: DrawnPanel): readonly (readonly (number | null)[])[] {
  const base = dashboard.times.map(() => 0)
  return panel.series.map(one =>
    one.dashed || !panel.stacked
      ? one.values
      : one.values.map((value, nth) => (panel.bars && !value ? null : (base[nth] = base[nth]! + (value ?? 0)))),
  )
}

function drawLines(panel: DrawnPanel, body: HTMLElement): void {
  const values = stack(panel)
  // What lies at the bottom is drawn last, over the areas that contain it.
  const order = panel.stacked ? panel.series.map((_, nth) => nth).toReversed() : panel.series.map((_, nth) => nth)
  const looks = panel.series.map((one, nth) => {
    const colour = one.colour === undefined ? palette[nth % palette.length]! : colourOf(one.colour)
    return {
      colour,
      label: one.name,
      stroke: colour,
      width: 1,
      points: { show: false },
      ...(one.dashed ? { dash: [8, 6] } : {}),
      ...(panel.bars ? { fill: `${colour}99`, paths: uPlot.paths.bars({ size: [0.8, 12] }) } : {}),
      ...(panel.stacked && !panel.bars && !one.dashed ? { fill: `${colour}40` } : {}),
    }
  })
  const bands = order.flatMap((_, place) =>
    panel.stacked && !panel.bars && place + 1 < order.length ? [{ series: [place + 1, place + 2] }] : [],
  )
  const legend = panel.legend ? add(body, 'legend') : undefined
  for (const look of legend === undefined ? [] : looks) {
    const entry = add(legend!, 'entry', look.label)
    entry.style.setProperty('--colour', look.colour)
  }
  const chart = add(body, 'chart')
  body.prepend(chart)
  const top = (max: number | null) => Math.max(max ?? 0, panel.softMax ?? 0) * 1.05 || 1
  const axis = {
    stroke: '#9DA5B8',
    grid: { stroke: '#2A2D33', width: 1 },
    ticks: { show: false },
    font: '11px sans-serif',
  }
  const options = {
    width: body.clientWidth,
    height: body.clientHeight - (legend?.offsetHeight ?? 0),
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_: unknown, _min: number, max: number | null) => [0, top(max)] } },
    axes: [
      {
        ...axis,
        size: 26,
        space: 50,
        incrs: [60, 120, 300, 600, 900, 1_800, 3_600],
        values: (_: unknown, ticks: number[]) => ticks.map(clock),
      },
      {
        ...axis,
        ...(panel.unit === 'bytes' ? { incrs: Array.from({ length: 50 }, (_, power) => 2 ** power) } : {}),
        size: 62,
        space: 28,
        values: (_: unknown, ticks: number[]) => ticks.map(tick => withUnit(tick, panel.unit)),
      },
    ],
    series: [{}, ...order.map(nth => looks[nth]!)],
    bands,
    hooks: { draw: [(plot: Plot) => panel.marked && drawLimits(plot, panel.steps)] },
  }
  plot(options, [dashboard.times, ...order.map(nth => values[nth]!)], chart)
  if (panel.series.length === 0) add(chart, 'none', panel.none)
}

const clock = (at: number) => new Date(at * 1_000).toISOString().slice(11, 16)

function drawLimits({ ctx, bbox, valToPos }: Plot, steps: DrawnPanel['steps']): void {
  for (const { value, color } of steps) {
    if (value === null) continue
    const y = valToPos(value, 'y', true)
    if (y < bbox.top) continue
    ctx.save()
    ctx.strokeStyle = colourOf(color)
    ctx.setLineDash([10, 8])
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.restore()
  }
}

function drawStates(panel: DrawnPanel, body: HTMLElement): void {
  for (const { name, values } of panel.series) {
    const row = add(body, 'states')
    add(row, 'name', name)
    const bar = add(row, 'bar')
    for (const value of values) {
      const part = add(bar, 'part')
      part.style.background = value === null ? 'transparent' : colourOf(value === 1 ? 'green' : 'red')
    }
  }
}

/** Cumulative buckets become cells: the darker, the more. */
function drawHeat(panel: DrawnPanel, body: HTMLElement): void {
  const buckets = panel.series
    .filter(({ name }) => name !== '+Inf')
    .toSorted((a, b) => Number(a.name) - Number(b.name))
    .map((one, nth, all) => ({
      name: one.name,
      values: one.values.map((value, at) => Math.max(0, (value ?? 0) - (all[nth - 1]?.values[at] ?? 0))),
    }))
    .filter(({ values }) => values.some(value => value > 0))
  const most = Math.max(1, ...buckets.flatMap(({ values }) => values))
  for (const { name, values } of buckets.toReversed()) {
    const row = add(body, 'states heat')
    add(row, 'name', withUnit(Number(name), 's'))
    const bar = add(row, 'bar')
    for (const value of values)
      add(bar, 'part').style.background =
        value === 0 ? 'transparent' : `rgba(87,148,242,${0.15 + 0.85 * Math.sqrt(value / most)})`
  }
}

function drawTable(panel: DrawnPanel, body: HTMLElement): void {
  const columns = [...new Set(panel.rows.flatMap(row => Object.keys(row)))]
  const table = document.createElement('table')
  for (const cells of [columns, ...panel.rows.map(row => columns.map(column => row[column] ?? ''))]) {
    const row = table.insertRow()
    for (const text of cells) row.insertCell().textContent = text
  }
  body.append(table)
  if (panel.rows.length === 0) add(body, 'none', panel.none)
}

const drawers: Readonly<Record<string, (panel: DrawnPanel, body: HTMLElement) => void>> = {
  stat: drawStat,
  timeseries: drawLines,
  'state-timeline': drawStates,
  heatmap: drawHeat,
  table: drawTable,
}

document.querySelector('h1')!.textContent = dashboard.title
const board = document.querySelector<HTMLElement>('#board')!
const column = (board.clientWidth + gap) / 24
for (const panel of dashboard.panels) {
  const { x, y, w, h } = panel.grid
  const box = add(board, panel.type === 'row' ? 'row' : 'panel')
  Object.assign(box.style, {
    left: `${x * column}px`,
    top: `${y * (cell + gap)}px`,
    width: `${w * column - gap}px`,
    height: `${h * (cell + gap) - gap}px`,
  })
  add(box, 'title', panel.title)
  if (panel.type !== 'row') drawers[panel.type]?.(panel, add(box, 'body'))
}
board.style.height = `${Math.max(...dashboard.panels.map(({ grid }) => grid.y + grid.h)) * (cell + gap)}px`
