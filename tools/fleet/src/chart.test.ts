/**
 * The chart under every values file of helm/flotilla/ci. Each test is one property over everything that is rendered, so
 * that what is added later is held by it too. kube.fleet.test.ts asks a real API server about the same files.
 */
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  chartCases,
  chartFolder,
  findTool,
  forKubernetes,
  type KubeObject,
  parseObjects,
  render,
  runTool,
  template,
} from './chart.ts'
import { readDeclaredSettings } from './chart-docs.ts'
import { isLasting, nameOf, type Pod, podsOf, selectorsOf, selects } from './chart-pods.ts'
import { inProject } from './root.ts'

// Helm is quick, but a machine may be busy.
vi.setConfig({ testTimeout: 60_000 })
const helm = findTool('helm')

interface Rendering {
  readonly name: string
  readonly text: string
  readonly objects: readonly KubeObject[]
  readonly pods: readonly Pod[]
}
let renderings: readonly Rendering[] = []

/** Every breach of a rule, by the case it was found in. */
const breaches = (find: (rendering: Rendering) => string[]) =>
  renderings.flatMap(one => find(one).map(breach => `${one.name}: ${breach}`))
const breachesOfPods = (find: (pod: Pod, rendering: Rendering) => string[]) =>
  breaches(one => one.pods.flatMap(pod => find(pod, one).map(breach => `${pod.owner} ${breach}`)))
const containersOf = (pod: Pod) => [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
const ours = ['gateway', 'api', 'worker', 'edge']

describe.skipIf(helm === undefined)('the chart', () => {
  beforeAll(async () => {
    renderings = await Promise.all(
      chartCases.map(async name => {
        const { code, stdout, stderr } = await template(helm ?? '', { cases: [name] })
        if (code !== 0) throw new Error(`unable to render ${name}: ${stderr}`)
        const objects = parseObjects(stdout)
        return { name, text: stdout, objects, pods: podsOf(objects) }
      }),
    )
  })

  test.each(chartCases)('%s passes helm lint', async name => {
    const args = [
      'lint',
      chartFolder,
      '--strict',
      ...forKubernetes,
      '--values',
      join(chartFolder, 'ci', `${name}.yaml`),
    ]
    const { code, stdout, stderr } = await runTool(helm ?? '', args)
    expect(code, stdout + stderr).toBe(0)
  })

  test('every template is rendered by some case, and every case renders something that the shortest does not', () => {
    const templates = globSync('templates/**/*.yaml', { cwd: chartFolder })
      .map(file => relative('templates', file))
      .filter(file => file !== 'rules.yaml')
    const text = renderings.map(one => one.text).join('\n')
    expect(templates.filter(file => !text.includes(`# Source: flotilla/templates/${file}\n`))).toEqual([])
    const shortest = renderings.find(one => one.name === 'external')?.text
    expect(renderings.filter(one => one.name !== 'external' && one.text === shortest)).toEqual([])
  })

  test('no object stands twice, and all are labelled', () => {
    expect(
      breaches(({ objects }) => {
        const names = objects.map(nameOf)
        const twice = names.filter((name, index) => names.indexOf(name) !== index)
        const bare = objects.filter(object => object.metadata.labels?.['app.kubernetes.io/name'] !== 'flotilla')
        return [...twice, ...bare.map(nameOf)]
      }),
    ).toEqual([])
  })

  test('every container may do nothing, writes nowhere but in volumes, and says what it needs', () => {
    expect(
      breachesOfPods(pod =>
        containersOf(pod).flatMap(({ name, securityContext, resources }) => [
          ...(JSON.stringify(securityContext) ===
          '{"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"]}}'
            ? []
            : [`${name} has another security context`]),
          ...(resources?.requests?.['cpu'] && resources.requests['memory'] && resources.limits?.['memory']
            ? []
            : [`${name} lacks requests or a limit of memory`]),
        ]),
      ),
    ).toEqual([])
  })

  test('every pod is restricted, and has no token but a gateway that tells its cost', () => {
    expect(
      breachesOfPods(({ spec, component }, { objects }) => {
        const told = objects.some(object => object.kind === 'Role') && component === 'gateway'
        return [
          ...(spec.securityContext?.['runAsNonRoot'] === true ? [] : ['may run as root']),
          ...(JSON.stringify(spec.securityContext?.['seccompProfile']) === '{"type":"RuntimeDefault"}'
            ? []
            : ['has no seccomp']),
          ...(spec.automountServiceAccountToken === told ? [] : ['has a token, or lacks it']),
          ...(spec.enableServiceLinks === false ? [] : ['is told of all Services']),
          ...(spec.hostNetwork === undefined ? [] : ['is in the network of its node']),
        ]
      }),
    ).toEqual([])
    const accounts = renderings.flatMap(one => one.objects).filter(object => object.kind === 'ServiceAccount')
    expect(accounts.filter(account => account['automountServiceAccountToken'] !== false)).toEqual([])
  })

  test('what lasts is probed, and what kills it knows nothing of stores', () => {
    expect(
      breachesOfPods(pod =>
        isLasting(pod)
          ? pod.spec.containers.flatMap(({ name, startupProbe, livenessProbe, readinessProbe }) => [
              ...(startupProbe && livenessProbe && readinessProbe ? [] : [`${name} lacks a probe`]),
              ...([startupProbe, livenessProbe].every(probe => probe?.httpGet?.path !== '/readyz')
                ? []
                : [`${name} is killed for its stores`]),
              ...(ours.includes(name) && readinessProbe?.httpGet?.path !== '/readyz'
                ? [`${name} is never unready`]
                : []),
            ])
          : [],
      ),
    ).toEqual([])
  })

  test('every Deployment may be evicted from slowly, and stuck pods at once', () => {
    expect(
      breaches(({ objects, pods }) =>
        pods
          .filter(pod => pod.kind === 'Deployment')
          .flatMap(pod => {
            const budgets = objects.filter(
              object =>
                object.kind === 'PodDisruptionBudget' && selectorsOf(object).some(one => selects(one, pod.labels)),
            )
            const good = budgets.length === 1 && budgets[0]?.spec?.['unhealthyPodEvictionPolicy'] === 'AlwaysAllow'
            return good ? [] : [`${pod.owner} has ${budgets.length} budgets`]
          }),
      ),
    ).toEqual([])
  })

  test('every selector finds a pod, and every target of a scaler is there', () => {
    expect(
      breaches(({ objects, pods }) => {
        const lost = objects.flatMap(object =>
          selectorsOf(object).some(selector => !pods.some(pod => selects(selector, pod.labels)))
            ? [nameOf(object)]
            : [],
        )
        const targets = objects.flatMap(object => {
          const target = object.spec?.['scaleTargetRef'] as { kind: string; name: string } | undefined
          return target === undefined ? [] : [`${target.kind}/${target.name}`]
        })
        return [...lost, ...targets.filter(target => !objects.map(nameOf).includes(target))]
      }),
    ).toEqual([])
  })

  test('every pod that lasts has its ServiceAccount, volumes for its mounts, and a rule of the network', () => {
    expect(
      breachesOfPods((pod, { objects, name }) => {
        const account = pod.spec.serviceAccountName
        const volumes = [...(pod.spec.volumes ?? []), ...pod.claims].map(volume => volume.name)
        const mounts = containersOf(pod).flatMap(container => container.volumeMounts?.map(mount => mount.name) ?? [])
        const policies = objects.filter(
          object => object.kind === 'NetworkPolicy' && selects(object.spec?.['podSelector'] as object, pod.labels),
        )
        return [
          ...(account === undefined || objects.map(nameOf).includes(`ServiceAccount/${account}`)
            ? []
            : [`lacks ${account}`]),
          ...mounts.filter(mount => !volumes.includes(mount)).map(mount => `has no volume ${mount}`),
          // One denies everything, one opens what it needs.
          ...(policies.length >= 2 || name === 'urls' ? [] : [`has ${policies.length} policies`]),
        ]
      }),
    ).toEqual([])
  })

  test('every variable of a process is a setting of it, is given once, and what is required is there', () => {
    const paper = readFileSync(inProject('docs/configuration.md'), 'utf8')
    const titles = { gateway: 'Gateway', api: 'API', worker: 'Worker' } as const
    for (const [component, title] of Object.entries(titles)) {
      const declared = readDeclaredSettings(paper, title).map(setting => setting.name)
      const required = [
        ...paper
          .split(`## ${title}\n`)[1]!
          .split('\n## ')[0]!
          .matchAll(/`(\w+)` \|[^\n]*\*\*required/g),
      ]
      expect(
        breachesOfPods(pod => {
          const names = pod.spec.containers.find(one => one.name === component)?.env?.map(one => one.name)
          if (names === undefined) return []
          return [
            ...names.filter(name => !declared.includes(name) && name !== 'NODE_OPTIONS').map(name => `invents ${name}`),
            ...names.filter((name, index) => names.indexOf(name) !== index).map(name => `has ${name} twice`),
            ...required.flatMap(([, name = '']) => (names.includes(name) ? [] : [`lacks ${name}`])),
          ]
        }),
      ).toEqual([])
    }
  })

  test('every variable of the edge is one that it reads', () => {
    const read = readFileSync(inProject('docker/edge/README.md'), 'utf8')
    expect(
      breachesOfPods(pod =>
        (pod.spec.containers.find(one => one.name === 'edge')?.env ?? []).flatMap(({ name }) =>
          read.includes(`| \`${name}\` |`) ? [] : [`invents ${name}`],
        ),
      ),
    ).toEqual([])
  })

  test('the page connects to the sockets and the bucket wherever they are, and stays out where it is not wanted', async () => {
    const envOf = async (...set: readonly string[]) => {
      const objects = await render(helm ?? '', { cases: ['external'], set })
      const edge = podsOf(objects).find(pod => pod.spec.containers.some(one => one.name === 'edge'))
      const env = edge?.spec.containers[0]?.env?.filter(one => one.name.startsWith('WEB')) ?? []
      return env.map(({ name, value }) => `${name}=${value}`)
    }
    const files = (origin: string) => [`WEB_CONNECTS_TO=${origin}`]
    const s3 = (...set: readonly string[]) => envOf('storage.s3.bucket=files', ...set.map(one => `storage.s3.${one}`))
    expect(await s3('region=eu-west-1')).toEqual(files('https://files.s3.eu-west-1.amazonaws.com'))
    expect(await s3('endpoint=https://s3.example:9000/x')).toEqual(files('https://files.s3.example:9000'))
    expect(await s3('endpoint=https://s3.example', 'pathStyle=true')).toEqual(files('https://s3.example'))
    const regions = ['regionUrl=https://eu.chat.example.org', 'edge.web.connectsTo={wss://us.chat.example.org}']
    const sockets = ['wss://eu.chat.example.org', 'wss://us.chat.example.org']
    const volume = ['storage.s3.bucket=', 'storage.volume.existingClaim=files']
    expect(await envOf(...regions, ...volume)).toEqual(files(sockets.join(',')))
    expect(await envOf(...regions, 'edge.web.enabled=false')).toEqual(['WEB=off'])
  })

  test('no secret is a plain value', () => {
    const secret = /_KEYS$|_URL$|SECRET|PASSWORD|ACCOUNT$|PRIVATE/
    const open = ['PUBLIC_URL', 'API_URL', 'SOCKET_URL', 'S3_ENDPOINT', 'TRACES_URL']
    expect(
      breachesOfPods(pod =>
        containersOf(pod).flatMap(({ env = [] }) =>
          env
            .filter(
              one => secret.test(one.name) && !open.includes(one.name) && one.valueFrom?.secretKeyRef === undefined,
            )
            .map(one => one.name),
        ),
      ),
    ).toEqual([])
  })

  test('images are pinned, and of one version', () => {
    const version = (JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string }).version
    const chart = readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8')
    expect(chart).toContain(`\nversion: ${version}\n`)
    expect(chart).toContain(`\nappVersion: "${version}"\n`)
    expect(
      breachesOfPods(pod =>
        containersOf(pod).flatMap(({ image }) =>
          /^[a-z0-9./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image) && !image.endsWith(':latest') ? [] : [image],
        ),
      ),
    ).toEqual([])
  })
})
