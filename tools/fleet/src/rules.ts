/** The rule file of Prometheus, and which metrics an expression asks for. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { inProject } from './root.ts'

export interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export const rulesFile = inProject('helm/flotilla/alerts/flotilla.yaml')

export function readRules(): Rule[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
    groups: readonly { readonly rules: readonly Rule[] }[]
  }
  return groups.flatMap(({ rules }) => rules)
}

/** What nginx-prometheus-exporter says, and Prometheus itself; no process of ours. */
export const foreignMetrics = [
  'nginx_up',
  'nginx_connections_active',
  'nginx_connections_accepted',
  'nginx_connections_handled',
  'nginx_http_requests_total',
  'up',
  'ALERTS',
]

const words = new Set(
  [
    'by without on ignoring group_left group_right and or unless offset bool',
    'abs sum min max avg count topk rate increase delta changes round time vector absent histogram_quantile min_over_time',
  ].flatMap(line => line.split(' ')),
)

/** The metrics that an expression names: what is left when strings, labels, numbers and PromQL's own words are gone. */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\boffset\s+\w+/g, ' ')
  return [...new Set(bare.match(/[a-zA-Z_:][\w:]*/g) ?? [])].filter(word => !words.has(word))
}
