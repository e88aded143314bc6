/** A dashboard as it stands in its file, with the figures that Prometheus has for it: what the page then draws. */
import type { Prometheus, Series } from '../prometheus.ts'
import { expand } from './expand.ts'

export interface DrawnSeries {
  readonly name: string
  readonly colour?: string
  readonly dashed: boolean
  readonly values: readonly (number | null)[]
}

export interface DrawnPanel {
  readonly type: string
  readonly title: string
  readonly grid: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly unit: string
  readonly decimals?: number
  readonly steps: readonly { readonly color: string; readonly value: number | null }[]
  readonly marked: boolean
  readonly stacked: boolean
  readonly bars: boolean
  readonly softMax?: number
  readonly legend: boolean
  readonly none: string
  readonly series: readonly DrawnSeries[]
  /** Of a table. */
  readonly rows: readonly Readonly<Record<string, string>>[]
}

export interface DrawnDashboard {
  readonly title: string
  readonly times: readonly number[]
  readonly panels: readonly DrawnPanel[]
}

export interface Range {
  readonly from: number
  readonly to: number
  readonly stepSeconds: number
  readonly rateSeconds: number
}

interface PanelFile {
  readonly type: string
  readonly title: string
  readonly gridPos: DrawnPanel['grid']
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly instant?: boolean }[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      readonly decimals?: number
      readonly noValue?: string
      readonly thresholds?: { readonly steps: DrawnPanel['steps'] }
      readonly custom?: {
        readonly drawStyle?: string
        readonly axisSoftMax?: number
        readonly stacking?: { readonly mode: string }
        readonly thresholdsStyle?: { readonly mode: string }
      }
    }
    readonly overrides: readonly {
      readonly matcher: { readonly options: string }
      readonly properties: readonly { readonly id: string; readonly value: { readonly fixedColor?: string } }[]
    }[]
  }
  readonly options?: { readonly legend?: { readonly showLegend?: boolean } }
  readonly transformations?: readonly {
    readonly options: {
      readonly excludeByName: Readonly<Record<string, boolean>>
      readonly renameByName: Readonly<Record<string, string>>
    }
  }[]
}

export interface DashboardFile {
  readonly title: string
  readonly panels: readonly PanelFile[]
}

/** Asks everything that the dashboard asks, over the range. */
export async function fetchFigures(file: DashboardFile, prometheus: Prometheus, range: Range): Promise<DrawnDashboard> {
  const count = Math.floor((range.to - range.from) / range.stepSeconds) + 1
  const times = Array.from({ length: count }, (_, nth) => range.from + nth * range.stepSeconds)
  const panels: DrawnPanel[] = []
  for (const panel of file.panels) panels.push(await fetchPanel(panel, prometheus, range, times))
  return { title: file.title, times, panels }
}

async function fetchPanel(
  panel: PanelFile,
  prometheus: Prometheus,
  range: Range,
  times: readonly number[],
): Promise<DrawnPanel> {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {}
  const custom = defaults.custom ?? {}
  const series: DrawnSeries[] = []
  const rows: Readonly<Record<string, string>>[] = []
  for (const { expr, legendFormat, instant = false } of panel.targets ?? []) {
    const asked = expand(expr, range.rateSeconds)
    if (instant) {
      for (const { metric } of await prometheus.ask(asked)) rows.push(rowOf(metric, panel))
      continue
    }
    const properties = overrides.find(({ matcher }) => fits(matcher.options, legendFormat))?.properties ?? []
    const colour = properties.find(({ id }) => id === 'color')?.value.fixedColor
    const dashed = properties.some(({ id }) => id === 'custom.lineStyle')
    const found = await prometheus.askRange(asked, range.from, range.to, range.stepSeconds)
    const named = found.map(one => ({ name: nameOf(legendFormat, one), values: onTimes(one, times) }))
    for (const one of named.toSorted((a, b) => a.name.localeCompare(b.name)))
      series.push({ ...one, dashed, ...(colour === undefined ? {} : { colour }) })
  }
  return {
    type: panel.type,
    title: panel.title,
    grid: panel.gridPos,
    unit: defaults.unit ?? 'short',
    ...(defaults.decimals === undefined ? {} : { decimals: defaults.decimals }),
    steps: defaults.thresholds?.steps ?? [],
    marked: custom.thresholdsStyle?.mode === 'dashed',
    stacked: custom.stacking?.mode === 'normal',
    bars: custom.drawStyle === 'bars',
    ...(custom.axisSoftMax === undefined ? {} : { softMax: custom.axisSoftMax }),
    legend: panel.options?.legend?.showLegend ?? false,
    none: defaults.noValue ?? 'No data',
    series,
    rows,
  }
}

/** Whether a matcher by regular expression means the series of this name. */
const fits = (pattern: string, name: string) => new RegExp(pattern.slice(1, -1)).test(name)

const nameOf = (format: string, { metric }: Series) =>
  format.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '')

function onTimes({ values }: Series, times: readonly number[]): (number | null)[] {
  const at = new Map(values.map(([time, value]) => [Math.round(time), value]))
  return times.map(time => {
    const value = at.get(Math.round(time))
    return value === undefined || Number.isNaN(value) ? null : value
  })
}

function rowOf(metric: Series['metric'], panel: PanelFile): Readonly<Record<string, string>> {
  const { excludeByName = {}, renameByName = {} } = panel.transformations?.[0]?.options ?? {}
  const shown = Object.entries(metric).filter(([label]) => excludeByName[label] !== true)
  return Object.fromEntries(shown.map(([label, value]) => [renameByName[label] ?? label, value]))
}
