/** What the chart refuses, and the words that it does it with. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { chartFolder, findTool, template } from './chart.ts'

// Helm is quick, but a machine may be busy.
vi.setConfig({ testTimeout: 60_000 })
const helm = findTool('helm')
const folder = mkdtempSync(join(tmpdir(), 'flotilla-refusals-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What Helm complains of, a line each. Nothing when it accepts the values. */
async function complaints(values: object, cases: readonly string[] = ['external']): Promise<string[]> {
  const file = join(folder, 'values.yaml')
  writeFileSync(file, stringify(values))
  const { code, stderr } = await template(helm ?? '', { cases, values: [file] })
  if (code === 0) return []
  return stderr
    .split('\n')
    .filter(line => /^\s*- /.test(line))
    .map(line => line.replace(/^\s*- /, ''))
}

const seen: string[] = []
async function refuses(values: object, sentences: readonly string[], cases?: readonly string[]): Promise<void> {
  const said = await complaints(values, cases)
  seen.push(...said)
  expect(said).toEqual(sentences)
}

const none = { existingSecret: '' }

describe.skipIf(helm === undefined)('the chart refuses', () => {
  test('values of which nothing is said, all faults at once', () =>
    refuses(
      {},
      [
        'PostgreSQL is missing: set one of postgresql.url, postgresql.existingSecret, externalSecrets.postgresql, trial.postgresql.enabled.',
        'Redis is missing: set one of redis.url, redis.existingSecret, externalSecrets.redis, trial.redis.enabled.',
        'The place of pictures and uploads is missing: set one of storage.s3.bucket, storage.volume.existingClaim, trial.files.enabled.',
        'The place of the keys is missing: set one of keys.existingSecret, keys.generated, externalSecrets.keys.',
        'publicUrl is missing: the URL under which browsers and apps reach the fleet, https://chat.example.org.',
      ],
      [],
    ))

  test('a store, a place or keys that are given twice', () =>
    refuses(
      {
        postgresql: { url: 'postgres://flotilla@postgresql/flotilla' },
        redis: { url: 'redis://redis' },
        trial: { enabled: true, existingSecret: 'trial' },
        externalSecrets: { secretStore: 'vault', keys: 'flotilla' },
      },
      [
        'PostgreSQL is given twice, by postgresql.url and postgresql.existingSecret and trial.enabled: keep one of them.',
        'Redis is given twice, by redis.url and redis.existingSecret and trial.enabled: keep one of them.',
        'The place of pictures and uploads is given twice, by storage.s3.bucket and trial.enabled: keep one of them.',
        'The place of the keys is given twice, by keys.existingSecret and externalSecrets.keys: keep one of them.',
      ],
    ))

  test('secrets that a rendering without a cluster would make anew each time', () =>
    refuses({ keys: { existingSecret: '', generated: true }, redis: none, trial: { redis: { enabled: true } } }, [
      'keys.generated works only where Helm talks to the cluster: helm template, a dry run on the client and GitOps tools would make new keys at every rendering, and with a new MASTER_KEYS no stored message can be read. Make the Secret once, as docs/deploy.md says, and name it in keys.existingSecret.',
      "The passwords of the trial's stores are made only where Helm talks to the cluster: here name a Secret in trial.existingSecret.",
    ]))

  test('external secrets without a store, or too late for the hook', () =>
    refuses({ postgresql: none, externalSecrets: { postgresql: 'flotilla/database' } }, [
      'externalSecrets.postgresql comes too late for the migrations, which run before anything of the release exists: set migrations.hook=false, or make that ExternalSecret yourself and name its Secret in postgresql.existingSecret.',
      'externalSecrets.secretStore is missing: name the store that the External Secrets Operator reads.',
    ]))

  test('several APIs with files inside of their pods', () =>
    refuses({ storage: { s3: { bucket: '' } }, trial: { files: { enabled: true } }, api: { replicas: 2 } }, [
      "trial.files keeps uploads inside of the API's pod, so there can be one API only: leave api.replicas empty and api.autoscaling off, or use a bucket.",
    ]))

  test('URLs that are none', () =>
    refuses(
      {
        publicUrl: 'chat.example.org/app',
        regionUrl: 'https://eu.chat.example.org/',
        postgresql: { existingSecret: '', url: 'mysql://a/b' },
        redis: { existingSecret: '', url: 'localhost' },
      },
      [
        'postgresql.url must begin with postgres:// or postgresql://.',
        'redis.url must begin with redis://, redis-cluster:// or redis-sentinel://, or the same with rediss.',
        'publicUrl (chat.example.org/app) must be http:// or https:// and a host, perhaps with a port, and no path: https://chat.example.org.',
        'regionUrl (https://eu.chat.example.org/) must be http:// or https:// and a host, perhaps with a port, and no path: https://eu.chat.example.org.',
      ],
    ))

  test('an edge behind something whose addresses it would take for those of its clients', () =>
    refuses({ httpRoute: { enabled: true }, edge: { proxyProtocol: true, countryHeader: 'CF-IPCountry' } }, [
      "edge.trustedProxies is missing: behind an Ingress or HTTPRoute all clients have the controller's address, and share the limits of one. Name the networks of its pods, or set edge.enabled=false.",
      'edge.proxyProtocol is for a load balancer right in front: an Ingress or HTTPRoute speaks HTTP to the edge.',
      'edge.trustedProxies is missing: the PROXY protocol is believed from these networks only.',
      'edge.trustedProxies is missing: edge.countryHeader is believed from these networks only.',
      'httpRoute.parentRefs is missing: name the Gateway that the route belongs to.',
    ]))

  test('regions that do not fit', () =>
    refuses(
      {
        region: 'eu',
        regions: ['us:39:-77.5'],
        edge: { countryRegions: { DE: 'eu', US: 'us' }, regionUpstreams: { eu: 'edge.eu.example.org:443' } },
      },
      [
        'edge.countryRegions sends US to us, which is neither this region (eu) nor in edge.regionUpstreams.',
        'edge.regionUpstreams names eu, which is this region: only others belong there.',
        'edge.countryRegions needs a way to know the country: set edge.geoDatabase.volume or edge.countryHeader.',
        'regions does not name this region, eu.',
      ],
    ))

  test('halves', () =>
    refuses(
      {
        push: { webPush: { publicKey: 'B', subject: '', existingSecret: '' } },
        priorityClass: { create: true },
        monitoring: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
        gateway: { deletionCost: { admissionPolicy: true } },
      },
      [
        'push.webPush needs publicKey, subject and existingSecret, all three or none.',
        'priorityClass.name is missing: what the PriorityClass that is made shall be called.',
        'monitoring.serviceMonitor and monitoring.podMonitor would scrape everything twice: keep one of them.',
        'gateway.deletionCost.admissionPolicy narrows a permission that gateways do not have: turn gateway.deletionCost.enabled on, or the policy off.',
      ],
    ))

  test('an autoscaler that would lose people or do nothing', () =>
    refuses(
      {
        gateway: { replicas: 3, connectionsMax: 5000, drainMs: 120_000 },
        autoscaling: {
          enabled: true,
          engine: 'keda',
          min: 5,
          max: 4,
          scaleDown: { periodSeconds: 60, windowSeconds: 90 },
        },
        api: { replicas: 3, autoscaling: { enabled: true, min: 5, max: 4 } },
      },
      [
        'gateway.replicas and autoscaling.enabled contradict each other: leave gateway.replicas empty, and set autoscaling.min.',
        'autoscaling.min (5) is above autoscaling.max (4).',
        'autoscaling.connectionsPerGateway (10000) must be below gateway.connectionsMax (5000): a full gateway turns people away before the autoscaler sees a reason to grow.',
        ...[
          ['windowSeconds', 90],
          ['periodSeconds', 60],
        ].map(
          ([name, seconds]) =>
            `autoscaling.scaleDown.${name} (${seconds}) must be at least the grace period of a gateway (150): connections of a gateway that ends are not counted, so the next would go too early. Raise it, or lower gateway.drainMs.`,
        ),
        'autoscaling.keda.prometheusUrl is missing: KEDA asks Prometheus itself.',
        'api.replicas and api.autoscaling.enabled contradict each other: leave api.replicas empty, and set api.autoscaling.min.',
        'api.autoscaling.min (5) is above api.autoscaling.max (4).',
      ],
    ))

  test('settings that follow from something else, or are given twice', () =>
    refuses(
      {
        gateway: { settings: { DRAIN_MS: 1000 }, extraEnv: [{ name: 'REDIS_URL', value: 'redis://other' }] },
        api: { settings: { REPORTS_MAX: 5 }, extraEnv: [{ name: 'REPORTS_MAX', value: '6' }] },
        edge: { extraEnv: [{ name: 'WORKERS', value: '8' }] },
      },
      [
        'gateway.settings.DRAIN_MS is derived from something else: see gateway.drainMs.',
        'gateway.extraEnv names REDIS_URL, which is derived from something else: see redis.',
        'REPORTS_MAX is given twice, by api.settings and api.extraEnv: keep one of them.',
        'edge.extraEnv names WORKERS, which is derived from something else: see edge.workers.',
      ],
    ))

  test('nothing of that where the edge is off, and something else names the country', async () => {
    const extraEnv = [{ name: 'COUNTRY_HEADER', value: 'cf-ipcountry' }]
    expect(await complaints({ edge: { enabled: false }, api: { extraEnv } })).toEqual([])
    await refuses({ api: { extraEnv } }, [
      'api.extraEnv names COUNTRY_HEADER, which is derived from something else: see edge.',
    ])
  })

  test('by its schema what is misspelt, of another type or out of range', async () => {
    const said = await complaints({
      gatway: {},
      gateway: { replicas: 'many', image: { digest: 'latest' }, settings: { COMMIT_WINDOW: 1, PING_INTERVAL_MS: 1 } },
      logLevel: 'loud',
      edge: { service: { type: 'External' }, countryRegions: { Germany: 'eu' } },
      networkPolicy: { smtp: { ports: [70_000] } },
    })
    for (const sentence of [
      "at '': additional properties 'gatway' not allowed",
      "at '/gateway/replicas': got string, want null or integer",
      "at '/gateway/image/digest': 'latest' does not match pattern '^(sha256:[0-9a-f]{64})?$'",
      "at '/gateway/settings': additional properties 'COMMIT_WINDOW' not allowed",
      "at '/gateway/settings/PING_INTERVAL_MS': minimum: got 1, want 1,000",
      "at '/logLevel': value must be one of 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'",
      "at '/edge/service/type': value must be one of 'LoadBalancer', 'NodePort', 'ClusterIP', ''",
      "at '/networkPolicy/smtp/ports/0': maximum: got 70,000, want 65,535",
    ])
      expect(said).toContain(sentence)
  })

  test('nothing by a rule that no test here names', () => {
    const source = readFileSync(join(chartFolder, 'templates/_rules.tpl'), 'utf8')
    const beginnings = [...source.matchAll(/append \$faults \(?(?:printf )?"([^"%]*)/g)].map(([, text = '']) => text)
    // Two need a cluster, or a broken copy of the chart: chart-keys.test.ts has the first.
    const elsewhere = ['The Secret ', 'monitoring.prometheusRule needs']
    const untested = beginnings.filter(
      text => !elsewhere.some(one => text.startsWith(one)) && !seen.some(one => one.startsWith(text)),
    )
    expect(untested).toEqual([])
    expect(beginnings.length).toBeGreaterThan(25)
  })
})
