/**
 * What is made from the chart's values and from the declared settings: the table of the chart's README, and the part of
 * its schema that says which settings a process has. `npm run chart:docs` writes both; a test compares them.
 */
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml'

/** A documented value: `gateway.drainMs`. */
export interface ChartValue {
  readonly path: string
  readonly type: string
  readonly shown: string
  /** Undefined when nothing in values.yaml says what it does. */
  readonly description: string | undefined
}

const marker = /^\s*-- ?/

/** The comment right above a value, from its `--` on. The comment above the first key belongs to the map. */
function describe(comment: string | null | undefined): string | undefined {
  const lines = (comment ?? '').split('\n')
  const start = lines.findLastIndex(line => marker.test(line))
  if (start < 0) return undefined
  return lines
    .slice(start)
    .map(line => line.replace(marker, '').trim())
    .join(' ')
}

function typeOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'number') return 'number'
  return typeof value
}

/** Every value of values.yaml that has no documented values inside of it, in the order of the file. */
export function readChartValues(source: string): ChartValue[] {
  const values: ChartValue[] = []
  const walk = (map: YAMLMap, prefix: string, above: string | null | undefined) => {
    for (const [index, pair] of map.items.entries()) {
      const key = isScalar(pair.key) ? pair.key : undefined
      const path = `${prefix}${String(key?.value)}`
      const comment = index === 0 && prefix !== '' ? (above ?? key?.commentBefore) : key?.commentBefore
      const description = describe(comment)
      if (isMap(pair.value) && pair.value.items.length > 0 && description === undefined) {
        walk(pair.value, `${path}.`, pair.value.commentBefore)
        continue
      }
      const value: unknown =
        isMap(pair.value) || pair.value === null ? (pair.value as YAMLMap)?.toJSON() : toJson(pair.value)
      values.push({ path, type: typeOf(value ?? null), shown: JSON.stringify(value ?? null), description })
    }
  }
  const root = parseDocument(source).contents
  if (!isMap(root)) throw new Error('unable to read values.yaml: not a map')
  walk(root, '', undefined)
  return values
}

const toJson = (node: unknown): unknown => (node as { toJSON(): unknown }).toJSON()

/** The table of the README. */
function chartTable(values: readonly ChartValue[]): string {
  const rows = values.map(({ path, type, shown, description = '' }) => {
    const escape = (text: string) => text.replaceAll('|', '\\|')
    return `| \`${path}\` | ${type} | ${shown === '""' || shown === 'null' ? '' : `\`${escape(shown)}\``} | ${escape(description)} |`
  })
  return ['| value | type | default | what it does |', '|---|---|---|---|', ...rows].join('\n')
}

const begin = '<!-- values: begin, made by `npm run chart:docs` -->'
const end = '<!-- values: end -->'

/** The README with a fresh table between its marks. */
export function withTable(readme: string, values: readonly ChartValue[]): string {
  const [before, rest] = readme.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`unable to find the marks of the table: ${begin}`)
  return `${before}${begin}\n${chartTable(values)}\n${end}${after}`
}

/** A row of docs/configuration.md. */
export interface DeclaredSetting {
  readonly name: string
  readonly type: string
}

/** The settings of a process, by the table under its title in docs/configuration.md. */
export function readDeclaredSettings(paper: string, title: 'Gateway' | 'API' | 'Worker'): DeclaredSetting[] {
  const section = paper.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  const rows = section.matchAll(/^\| `([A-Z0-9_]+)` \| ((?:\\\||[^|])+) \|/gm)
  return [...rows].map(([, name = '', type = '']) => ({ name, type: type.replaceAll('\\|', '|').trim() }))
}

/** What the schema lets a setting be. Numbers and flags by their rule, everything else as text. */
export function settingSchema(type: string): Record<string, unknown> {
  const [, kind, min, max] = /^(whole number|number), ([-\d.]+) to ([-\d.]+)$/.exec(type) ?? []
  if (kind !== undefined)
    return { type: kind === 'number' ? 'number' : 'integer', minimum: Number(min), maximum: Number(max) }
  if (type === 'true or false') return { type: 'boolean' }
  if (type.includes(' | ')) return { enum: type.split(' | ') }
  return { type: 'string' }
}

/** The schema with the settings of each process as they are declared now. */
export function withSettings(schema: string, paper: string): string {
  const parsed = JSON.parse(schema) as { definitions: Record<string, unknown> }
  const parts = { gatewaySettings: 'Gateway', apiSettings: 'API', workerSettings: 'Worker' } as const
  for (const [name, title] of Object.entries(parts)) {
    const declared = readDeclaredSettings(paper, title)
    if (declared.length === 0) throw new Error(`unable to find the settings of ${title} in docs/configuration.md`)
    parsed.definitions[name] = {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(declared.map(({ name, type }) => [name, settingSchema(type)])),
    }
  }
  return `${JSON.stringify(parsed, null, 2)}\n`
}
