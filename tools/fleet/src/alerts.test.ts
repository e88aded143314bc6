import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { dashboards } from './dashboards/index.ts'
import { findProgram, prometheusPackage } from './programs.ts'
import { inProject } from './root.ts'
import { foreignMetrics, metricsIn, readRules, rulesFile } from './rules.ts'

const rules = readRules()
const alerts = rules.flatMap(rule => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]))
const testsFolder = inProject('helm/flotilla/alerts/tests')
const testFiles = readdirSync(testsFolder).map(name => `${testsFolder}/${name}`)
const promtool = findProgram('promtool', prometheusPackage)

test.skipIf(promtool === undefined)('promtool finds nothing wrong with the rules', () => {
  expect(execFileSync(promtool!, ['check', 'rules', rulesFile], { encoding: 'utf8' })).toContain(
    `${rules.length} rules found`,
  )
})

test.skipIf(promtool === undefined)(
  'each alert fires when it should and is silent when it should be',
  () => {
    const said = execFileSync(promtool!, ['test', 'rules', ...testFiles], { encoding: 'utf8' })
    expect(said.match(/SUCCESS/g)).toHaveLength(testFiles.length)
    // Five seconds of work, on a machine that may be busy.
  },
  120_000,
)

interface UnitTest {
  readonly promql_expr_test: readonly { readonly expr: string; readonly exp_samples: readonly { labels: string }[] }[]
}
const cases = testFiles
  .flatMap(file => (parse(readFileSync(file, 'utf8')) as { tests: readonly UnitTest[] }).tests)
  .flatMap(one => one.promql_expr_test)

test.each(alerts.map(rule => [rule.alert, rule] as const))(
  '%s is tested, explained and leads somewhere',
  (name, rule) => {
    const fires = cases.some(one => one.exp_samples.some(sample => sample.labels.includes(`alertname="${name}"`)))
    expect(fires, 'no test sees it fire').toBe(true)

    expect(['page', 'ticket']).toContain(rule.labels?.['severity'])
    const { summary = '', description = '', runbook_url } = rule.annotations ?? {}
    expect(summary.length).toBeGreaterThan(10)
    expect(description).toMatch(/\.$/)
    expect(runbook_url).toBe(`docs/operations.md#${name.toLowerCase()}`)

    // A label that the expression has summed away would leave a hole in the sentence.
    const kept = [...rule.expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, */))
    for (const [, label = ''] of `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g))
      if (kept.length > 0) expect(kept).toContain(label)
  },
)

const operations = readFileSync(inProject('docs/operations.md'), 'utf8')
const sections = new Map(
  operations
    .split(/^### /m)
    .slice(1)
    .map(section => [section.slice(0, section.indexOf('\n')), section] as const),
)

test('docs/operations.md has a section for each alert, says what to do, and has none for alerts that are not', () => {
  const explained = [...sections.keys()].filter(title => /^Flotilla[A-Z]/.test(title))
  expect(explained.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
  for (const { alert, labels } of alerts) {
    const section = sections.get(alert) ?? ''
    expect(section, alert).toContain(`\n*${labels?.['severity']}*: `)
    for (const part of ['People notice', 'Look at', 'Do'])
      expect(section, alert).toMatch(new RegExp(String.raw`\n- \*\*${part}:\*\* [^\n]{10}`))
  }
})

test('rules and panels ask only for metrics that there are', () => {
  const catalogue = readFileSync(inProject('docs/metrics.md'), 'utf8')
  const known = new Set([
    ...[...catalogue.matchAll(/^\| `(\w+)` \| (\w+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map(end => name + end) : [name],
    ),
    ...foreignMetrics,
    ...rules.flatMap(({ record }) => (record === undefined ? [] : [record])),
  ])
  const asked = [
    ...rules.map(({ expr }) => expr),
    ...dashboards.flatMap(({ bands }) =>
      bands.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ ask }) => ask))),
    ),
  ]
  // What Node and the process say of themselves comes from prom-client; monitoring.test.ts looks whether it is there.
  const unknown = asked.flatMap(metricsIn).filter(name => !known.has(name) && !/^(process|nodejs)_/.test(name))
  expect([...new Set(unknown)]).toEqual([])
})
