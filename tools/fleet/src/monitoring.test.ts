/** Dashboards and alerts against what real processes export, through a real Prometheus. */
import { startRedis, testDatabase, until } from '@flotilla/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { dashboards } from './dashboards/index.ts'
import { type MonitoredFleet, startMonitoredFleet, startTalking, type Talking } from './monitored-fleet.ts'
import { expand } from './preview/expand.ts'
import { findProgram, prometheusPackage } from './programs.ts'
import { foreignMetrics, metricsIn, readRules } from './rules.ts'

const program = findProgram('prometheus', prometheusPackage)
const rules = readRules()
const panels = dashboards.flatMap(({ title, bands }) =>
  bands.flatMap(band => band.panels.map(panel => ({ ...panel, where: `${title}: ${panel.title}` }))),
)
const scrapeSeconds = 1
/** Long enough for everything that has happened since the start. */
const rateSeconds = 60

describe.skipIf(program === undefined)('a fleet that Prometheus scrapes', () => {
  let fleet: MonitoredFleet
  let talking: Talking

  beforeAll(async () => {
    const [database, redis] = await Promise.all([testDatabase(), startRedis()])
    fleet = await startMonitoredFleet({
      program: program!,
      databaseUrl: database.url,
      redisUrl: redis.url,
      gateways: 2,
      scrapeSeconds,
    })
    talking = await startTalking(fleet.api, { people: 10, messagesPerSecond: 20 })
    await talking.signIn('rightly')
    await talking.signIn('wrongly')
    return async () => {
      await talking.stop()
      await fleet.stop()
      await redis.stop()
      await database.drop()
    }
  }, 120_000)

  test('every metric that rules and panels ask for is exported', async () => {
    const exported = (await fleet.expositions()).flatMap(text =>
      [...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' || type === 'summary' ? ['_bucket', '_sum', '_count'].map(end => name + end) : [name],
      ),
    )
    const known = new Set([...exported, ...foreignMetrics, ...rules.map(({ record }) => record)])
    const asked = [...rules.map(({ expr }) => expr), ...panels.flatMap(({ queries }) => queries.map(({ ask }) => ask))]
    expect([...new Set(asked.flatMap(metricsIn))].filter(name => !known.has(name))).toEqual([])
  })

  /** The panels without figures. @throws when an expression cannot be evaluated, or a series lacks a label of its name */
  async function emptyPanels(): Promise<string[]> {
    const empty: string[] = []
    for (const { where, queries, always = true } of panels) {
      const answers = await Promise.all(queries.map(({ ask }) => fleet.prometheus.ask(expand(ask, rateSeconds))))
      for (const [nth, answer] of answers.entries())
        for (const [, label = ''] of (queries[nth]?.as ?? '').matchAll(/\{\{(\w+)\}\}/g))
          for (const { metric } of answer) expect(metric, where).toHaveProperty(label)
      const figures = answers.flat().flatMap(({ values }) => values.map(([, value]) => value))
      // Nobody runs NGINX here.
      if (always && !where.startsWith('Flotilla / Edge') && !figures.some(Number.isFinite)) empty.push(where)
    }
    return empty
  }

  test('every panel is answered, and has figures if the fleet is well', async () => {
    let empty: string[] = []
    // Rates need some scrapes after the first message.
    await until(async () => (empty = await emptyPanels()).length === 0, {
      what: 'all panels have figures',
      withinMs: 60_000,
      everyMs: 500,
    }).catch(() => {})
    expect(empty).toEqual([])
  }, 90_000)

  test('no alert fires in a fleet that is well', async () => {
    expect(talking.acknowledged()).toBeGreaterThan(0)
    const firing = await fleet.prometheus.ask('ALERTS{alertstate="firing"}')
    expect(firing.map(({ metric }) => metric['alertname'])).toEqual([])
  })
})
