/** What the chart says about time and number: the pace of roll-outs and scaling, whatever values it follows from. */
import { globSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'
import { chartFolder, findTool, type KubeObject, render, runTool } from './chart.ts'
import { podsOf } from './chart-pods.ts'

// Helm is quick, but a machine may be busy.
vi.setConfig({ testTimeout: 60_000 })
const helm = findTool('helm')
const promtool = findTool('promtool')

interface Timing {
  readonly minReadySeconds: number
  readonly progressDeadlineSeconds: number
  readonly graceSeconds: number
  readonly preStopSeconds: number
  readonly strategy: unknown
  env(name: string): string | undefined
}

function timingOf(objects: readonly KubeObject[], component: string): Timing {
  const deployment = objects.find(
    object => object.kind === 'Deployment' && object.metadata.name === `flotilla-${component}`,
  )
  const [pod] = podsOf(deployment === undefined ? [] : [deployment])
  const container = pod?.spec.containers[0] as { lifecycle?: { preStop: { sleep: { seconds: number } } } } | undefined
  return {
    minReadySeconds: Number(deployment?.spec?.['minReadySeconds'] ?? 0),
    progressDeadlineSeconds: Number(deployment?.spec?.['progressDeadlineSeconds'] ?? 600),
    graceSeconds: pod?.spec.terminationGracePeriodSeconds ?? 0,
    preStopSeconds: container?.lifecycle?.preStop.sleep.seconds ?? 0,
    strategy: deployment?.spec?.['strategy'],
    env: name => pod?.spec.containers[0]?.env?.find(one => one.name === name)?.value,
  }
}

describe.skipIf(helm === undefined)('the pace of a roll-out', () => {
  test.each([
    { drainMs: 0, preStopSeconds: 1 },
    { drainMs: 20_001, preStopSeconds: 5 },
    { drainMs: 600_000, preStopSeconds: 120 },
  ])('a drain over $drainMs ms has its time, and the next one waits for it', async ({ drainMs, preStopSeconds }) => {
    const set = [`gateway.drainMs=${drainMs}`, `gateway.preStopSeconds=${preStopSeconds}`]
    const gateway = timingOf(await render(helm ?? '', { cases: ['external'], set }), 'gateway')
    const leavingSeconds = preStopSeconds + drainMs / 1000
    expect(gateway.env('DRAIN_MS')).toBe(String(drainMs))
    expect(gateway.preStopSeconds).toBe(preStopSeconds)
    expect(gateway.minReadySeconds).toBeGreaterThanOrEqual(leavingSeconds)
    // main.ts gives up 15 s after DRAIN_MS.
    expect(gateway.graceSeconds).toBeGreaterThan(leavingSeconds + 15)
    expect(gateway.progressDeadlineSeconds).toBeGreaterThan(gateway.minReadySeconds + 300)
    expect(gateway.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } })
  })

  test('the other parts have the time that they give themselves', async () => {
    const set = ['api.drainWaitMs=7000', 'api.requestMsMax=60000', 'worker.stopMs=90000', 'edge.drainSeconds=300']
    const objects = await render(helm ?? '', { cases: ['external'], set })
    const api = timingOf(objects, 'api')
    expect([api.env('DRAIN_WAIT_MS'), api.env('REQUEST_MS_MAX')]).toEqual(['7000', '60000'])
    expect(api.graceSeconds).toBeGreaterThan(7 + 60 + 15)
    const worker = timingOf(objects, 'worker')
    expect(worker.env('STOP_MS_MAX')).toBe('90000')
    expect(worker.graceSeconds).toBeGreaterThan(90 + 30)
    const edge = timingOf(objects, 'edge')
    expect(edge.env('STOP_SECONDS')).toBe('300')
    expect(edge.graceSeconds).toBeGreaterThan(300 + edge.preStopSeconds)
    expect(edge.minReadySeconds).toBeGreaterThanOrEqual(300 + edge.preStopSeconds)
  })

  test('gateways grow at once and shrink one by one, whatever scales them', async () => {
    for (const name of ['everything', 'keda']) {
      const objects = await render(helm ?? '', { cases: [name] })
      const { spec = {} } =
        objects.find(
          object => /AutoScaler|ScaledObject/i.test(object.kind) && object.metadata.name === 'flotilla-gateway',
        ) ?? {}
      const advanced = spec['advanced'] as { horizontalPodAutoscalerConfig: { behavior: unknown } } | undefined
      const behavior = (spec['behavior'] ?? advanced?.horizontalPodAutoscalerConfig.behavior) as {
        scaleDown: { stabilizationWindowSeconds: number }
      }
      expect(behavior).toEqual({
        scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
        scaleDown: { stabilizationWindowSeconds: 600, policies: [{ type: 'Pods', value: 1, periodSeconds: 180 }] },
      })
      expect(behavior.scaleDown.stabilizationWindowSeconds).toBeGreaterThanOrEqual(
        timingOf(objects, 'gateway').graceSeconds,
      )
      const deployment = objects.find(
        object => object.kind === 'Deployment' && object.metadata.name === 'flotilla-gateway',
      )
      expect(deployment?.spec).not.toHaveProperty('replicas')
    }
  })

  test('the autoscaler asks for metrics that the rules of prometheus-adapter make', async () => {
    const rules = parse(readFileSync(join(chartFolder, 'prometheus-adapter.yaml'), 'utf8')) as {
      rules: { custom: { name: { as: string } }[] }
    }
    const objects = await render(helm ?? '', { cases: ['everything'] })
    const hpa = objects.find(
      object => object.kind === 'HorizontalPodAutoscaler' && object.metadata.name === 'flotilla-gateway',
    )
    const metrics = hpa?.spec?.['metrics'] as { type: string; pods?: { metric: { name: string }; target: unknown } }[]
    const asked = metrics.flatMap(one => one.pods?.metric.name ?? [])
    expect(asked).toEqual(rules.rules.custom.map(rule => rule.name.as))
    expect(metrics[0]?.pods?.target).toEqual({ type: 'AverageValue', averageValue: '10000' })
  })
})

describe.skipIf(helm === undefined)('what is seen', () => {
  test('alerts and dashboards are in the cluster as they are in their files', async () => {
    const objects = await render(helm ?? '', { cases: ['monitoring'] })
    const rule = objects.find(object => object.kind === 'PrometheusRule')
    expect(rule?.spec).toEqual(parse(readFileSync(join(chartFolder, 'alerts/flotilla.yaml'), 'utf8')))
    const files = globSync('dashboards/*.json', { cwd: chartFolder })
    const shown = objects.filter(
      object => object.kind === 'ConfigMap' && object.metadata.labels?.['grafana_dashboard'] === '1',
    )
    expect(shown.map(object => Object.keys(object.data ?? {})[0]).sort()).toEqual(
      files.map(file => basename(file)).sort(),
    )
    for (const { data = {} } of shown)
      for (const [file, text] of Object.entries(data))
        expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(join(chartFolder, 'dashboards', file), 'utf8')))
  })

  test.skipIf(promtool === undefined)('Prometheus takes the rules that are rendered', async () => {
    const rule = (await render(helm ?? '', { cases: ['monitoring'] })).find(object => object.kind === 'PrometheusRule')
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-rules-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'rules.yaml')
    writeFileSync(file, stringify(rule?.spec))
    const { code, stdout, stderr } = await runTool(promtool ?? '', ['check', 'rules', file])
    expect(code, stdout + stderr).toBe(0)
  })
})
