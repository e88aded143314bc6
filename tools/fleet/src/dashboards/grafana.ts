/**
 * Grafana's dashboards in few words. A dashboard is a list of bands; a band has a heading and panels side by side on
 * Grafana's grid of 24 columns. What all of ours share (variables, links, annotations, colours) is decided here, so that
 * a panel says only what it asks, how, and in which unit.
 */

export const gridColumns = 24
const bandHeight = 8
/** The version of Grafana 13. Older ones read it too; newer ones migrate it when they load it. */
const schemaVersion = 42

/** How figures are shown: Grafana's own names. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'cps' | 'mps' | 'reqps' | 'suffix:/min'

/** An expression, what its series are called (`{{label}}`), and a colour where the series means good or bad. */
export interface Query {
  readonly ask: string
  readonly as: string
  readonly colour?: Colour
  /** Drawn as a dashed line: a limit or a mean that others are measured by. */
  readonly measure?: true
}

export type Colour = 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'purple' | 'text'

interface Look {
  readonly unit?: Unit
  readonly decimals?: number
  /** Where it turns orange and red. With `falling` it is bad below them. */
  readonly warn?: number
  readonly bad?: number
  readonly falling?: true
  /** The least the axis reaches to, so that a flat line does not look like mountains. */
  readonly upTo?: number
  /** Columns; what is left is shared evenly. */
  readonly width?: number
  /** A first figure that must be there as soon as the fleet runs. Default true; false: only after something went wrong or was set up. */
  readonly always?: boolean
}

export interface PanelIdea extends Look {
  readonly type: 'stat' | 'timeseries' | 'state-timeline' | 'table' | 'heatmap'
  readonly title: string
  /** The question that the panel answers, and how to read the answer. */
  readonly question: string
  readonly queries: readonly Query[]
  readonly stacked?: boolean
  readonly bars?: boolean
}

type Draw = Omit<PanelIdea, 'type' | 'title' | 'question' | 'queries'>

const panel =
  (type: PanelIdea['type']) =>
  (title: string, question: string, queries: readonly Query[], draw: Draw = {}): PanelIdea => ({
    type,
    title,
    question,
    queries,
    ...draw,
  })

/** One figure, large. */
export const figure = (title: string, question: string, ask: string, draw: Draw = {}) =>
  panel('stat')(title, question, [{ ask, as: title }], draw)
/** Lines over time. */
export const lines = panel('timeseries')
/** Areas over time that add up. */
export const areas = (title: string, question: string, queries: readonly Query[], draw: Draw = {}) =>
  panel('timeseries')(title, question, queries, { ...draw, stacked: true })
/** Bars over time that add up: for what should be nearly nothing. */
export const bars = (title: string, question: string, queries: readonly Query[], draw: Draw = {}) =>
  panel('timeseries')(title, question, queries, { ...draw, stacked: true, bars: true })
/** 1 is up and 0 is down, over time. */
export const states = panel('state-timeline')
/** A histogram over time; the query gives buckets by `le`. */
export const heat = panel('heatmap')
/** The labels of an instant query as rows. */
export const rows = panel('table')

export interface Band {
  readonly heading: string
  readonly height?: number
  readonly panels: readonly PanelIdea[]
}

export interface DashboardIdea {
  readonly uid: string
  readonly title: string
  readonly description: string
  /** The figure that knows the regions and nodes one can choose from; undefined: there is nothing to choose. */
  readonly chosenFrom?: string
  readonly bands: readonly Band[]
}

/** The series of what is chosen above the dashboard. */
export const chosen = 'region=~"$region", node=~"$node"'

const datasource = { type: 'prometheus', uid: '${datasource}' }

/** The dashboard as Grafana reads it. */
export function render(idea: DashboardIdea) {
  return {
    uid: idea.uid,
    title: idea.title,
    description: idea.description,
    tags: ['flotilla'],
    schemaVersion,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Flotilla',
        tags: ['flotilla'],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: { list: variables(idea.chosenFrom) },
    annotations: { list: annotations(idea.chosenFrom !== undefined) },
    panels: place(idea.bands),
  }
}

export type Dashboard = ReturnType<typeof render>

function variables(chosenFrom: string | undefined) {
  const source = {
    name: 'datasource',
    label: 'Prometheus',
    type: 'datasource',
    query: 'prometheus',
    current: {},
    hide: 0,
  }
  if (chosenFrom === undefined) return [source]
  const choice = (name: string, label: string, query: string) => ({
    name,
    label,
    type: 'query',
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
    hide: 0,
  })
  return [
    source,
    choice('region', 'Region', `label_values(${chosenFrom}, region)`),
    choice('node', 'Node', `label_values(${chosenFrom}{region=~"$region"}, node)`),
  ]
}

/** What an operator wants to see behind every curve: somebody started, somebody drains, an alert fires. */
function annotations(byNode: boolean) {
  const where = byNode ? `{${chosen}}` : ''
  const mark = (name: string, iconColor: string, expr: string, titleFormat: string, rest: object = {}) => ({
    name,
    datasource,
    enable: true,
    iconColor,
    expr,
    titleFormat,
    step: '30s',
    ...rest,
  })
  return [
    mark('Starts', 'blue', `process_start_time_seconds${where} * 1000`, '{{node}} started', { useValueForTime: 'on' }),
    mark('Drains', 'orange', `flotilla_draining${where} > 0`, '{{node}} drains'),
    mark(
      'Alerts',
      'red',
      'ALERTS{alertname=~"Flotilla.+", alertstate="firing", severity="page"}',
      '{{alertname}} {{region}}',
    ),
  ]
}

/** Lays bands one under the other. Ids and places follow from the order alone. */
function place(bands: readonly Band[]): object[] {
  const placed: object[] = []
  let y = 0
  const add = (x: number, w: number, h: number, rest: object) =>
    placed.push({ id: placed.length + 1, gridPos: { x, y, w, h }, ...rest })
  for (const { heading, height = bandHeight, panels } of bands) {
    add(0, gridColumns, 1, { type: 'row', title: heading, collapsed: false, panels: [] })
    y += 1
    const free = panels.filter(one => one.width === undefined).length
    const left = gridColumns - panels.reduce((sum, one) => sum + (one.width ?? 0), 0)
    let x = 0
    for (const one of panels) {
      const width = one.width ?? left / free
      if (!Number.isInteger(width))
        throw new Error(`unable to lay out "${heading}": ${left} columns for ${free} panels`)
      add(x, width, height, drawn(one))
      x += width
    }
    if (x !== gridColumns) throw new Error(`unable to lay out "${heading}": it fills ${x} of ${gridColumns} columns`)
    y += height
  }
  return placed
}

const refIds = 'ABCDEFGH'

function drawn(idea: PanelIdea) {
  const instant = idea.type === 'table'
  return {
    type: idea.type,
    title: idea.title,
    description: idea.question,
    datasource,
    targets: idea.queries.map(({ ask, as }, nth) => ({
      refId: refIds[nth],
      datasource,
      expr: ask,
      legendFormat: as,
      editorMode: 'code',
      ...(idea.type === 'heatmap' ? { format: 'heatmap' } : {}),
      ...(instant ? { format: 'table', instant: true } : { range: true }),
    })),
    fieldConfig: { defaults: field(idea), overrides: idea.queries.flatMap(override) },
    options: options(idea),
    ...(instant ? { transformations } : {}),
  }
}

/** A table shows who is meant, not how Prometheus stores it. */
const transformations = [
  {
    id: 'organize',
    options: {
      excludeByName: Object.fromEntries(
        ['Time', 'Value', '__name__', 'alertstate', 'container', 'endpoint', 'job', 'namespace', 'service'].map(
          name => [name, true],
        ),
      ),
      renameByName: { alertname: 'Alert', severity: 'Severity', region: 'Region', node: 'Node', instance: 'Instance' },
    },
  },
]

/** Grey where nothing means anything, green to red where it does. */
function thresholds({ warn, bad, falling }: Look) {
  if (warn === undefined && bad === undefined) return { mode: 'absolute', steps: [{ color: 'text', value: null }] }
  const steps =
    falling === true
      ? [
          { color: 'red', value: null },
          ...(warn === undefined ? [] : [{ color: 'orange', value: bad ?? warn }]),
          { color: 'green', value: warn ?? bad },
        ]
      : [
          { color: 'green', value: null },
          ...(warn === undefined ? [] : [{ color: 'orange', value: warn }]),
          ...(bad === undefined ? [] : [{ color: 'red', value: bad }]),
        ]
  return { mode: 'absolute', steps }
}

/** What stands where there is nothing to show, which is mostly good news. */
const quiet: Readonly<Record<PanelIdea['type'], string>> = {
  stat: 'none',
  timeseries: 'nothing to show',
  'state-timeline': 'nobody reports',
  heatmap: 'nothing to show',
  table: 'no alert fires',
}

function field(idea: PanelIdea) {
  const { unit = 'short', decimals, upTo, warn, bad } = idea
  const shared = {
    unit,
    thresholds: thresholds(idea),
    ...(decimals === undefined ? {} : { decimals }),
    noValue: quiet[idea.type],
  }
  if (idea.type === 'state-timeline')
    return { ...shared, color: { mode: 'thresholds' }, mappings: upOrDown, custom: { fillOpacity: 60, lineWidth: 0 } }
  if (idea.type === 'stat') return { ...shared, color: { mode: 'thresholds' } }
  if (idea.type !== 'timeseries') return shared
  const marked = warn !== undefined || bad !== undefined
  return {
    ...shared,
    color: { mode: 'palette-classic' },
    min: 0,
    links: idea.queries.some(({ as }) => as === '{{node}}') ? [toNode] : [],
    custom: {
      drawStyle: idea.bars === true ? 'bars' : 'line',
      lineWidth: 1,
      fillOpacity: idea.bars === true ? 60 : idea.stacked === true ? 25 : 0,
      showPoints: 'never',
      spanNulls: false,
      stacking: { mode: idea.stacked === true ? 'normal' : 'none', group: 'A' },
      thresholdsStyle: { mode: marked ? 'dashed' : 'off' },
      ...(upTo === undefined ? {} : { axisSoftMax: upTo }),
    },
  }
}

const upOrDown = [
  {
    type: 'value',
    options: { '0': { text: 'away', color: 'red', index: 0 }, '1': { text: 'answers', color: 'green', index: 1 } },
  },
]

/** From a node's curve to the node. */
const toNode = {
  title: 'Open ${__field.labels.node}',
  url: '/d/flotilla-node?var-datasource=${datasource}&var-node=${__field.labels.node}&${__url_time_range}',
}

/** Matches what series of this name are called in the end. */
const named = (as: string) =>
  `/^${as
    .split(/\{\{\w+\}\}/)
    .map(part => part.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`))
    .join('.*')}$/`

function override({ as, colour, measure }: Query) {
  const properties = [
    ...(colour === undefined ? [] : [{ id: 'color', value: { mode: 'fixed', fixedColor: colour } }]),
    ...(measure === undefined
      ? []
      : [
          { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
          { id: 'custom.fillOpacity', value: 0 },
          { id: 'custom.stacking', value: { mode: 'none', group: 'A' } },
        ]),
  ]
  return properties.length === 0 ? [] : [{ matcher: { id: 'byRegexp', options: named(as) }, properties }]
}

function options({ type, queries }: PanelIdea): object {
  switch (type) {
    case 'stat':
      return {
        reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
        colorMode: 'value',
        graphMode: 'area',
        justifyMode: 'auto',
        textMode: 'value',
      }
    case 'timeseries':
      return {
        legend: {
          displayMode: 'list',
          placement: 'bottom',
          showLegend: queries.length > 1 || queries[0]?.as.includes('{{') === true,
        },
        tooltip: { mode: 'multi', sort: 'desc' },
      }
    case 'state-timeline':
      return {
        showValue: 'never',
        rowHeight: 0.5,
        mergeValues: true,
        legend: { showLegend: false },
        tooltip: { mode: 'single' },
      }
    case 'heatmap':
      return {
        calculate: false,
        cellGap: 1,
        color: { mode: 'scheme', scheme: 'Blues', steps: 32, exponent: 0.5, fill: 'dark-blue' },
        yAxis: { unit: 's' },
        legend: { show: true },
        tooltip: { mode: 'single', yHistogram: false },
        rowsFrame: { layout: 'auto' },
      }
    default:
      return { showHeader: true, cellHeight: 'sm' }
  }
}
