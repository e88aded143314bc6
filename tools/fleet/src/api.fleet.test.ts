/**
 * The chart before a real API server, without a node: every values file of the matrix is admitted, strictly validated, by a
 * namespace that enforces Pod Security `restricted`; and what is wrong is refused.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { chartCases, chartFolder } from './chart.ts'
import { type Cluster, startCluster, whyNoCluster } from './cluster.ts'
import { skipAloud } from './skip.ts'

interface PodSpec {
  readonly volumes?: readonly unknown[]
}

interface PodTemplate {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> }
  readonly spec: PodSpec
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: PodSpec & {
    readonly template?: PodTemplate
    /** Of a StatefulSet: each becomes a volume of the pod. */
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[]
  }
}

/** Kinds that a pod must find in place, so that they are made and not only asked about. */
const neededByPods = ['ServiceAccount', 'PriorityClass']

/** Many objects as one, in JSON: kubectl takes a bare `off` of newer YAML for `false`. */
const listOf = (items: readonly unknown[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })

describe.skipIf(skipAloud('the chart before a real API server', whyNoCluster()))('the API server', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 })
    await cluster.installDefinitions()
  })
  afterAll(() => cluster?.stop())

  const namespaceFor = async (name: string) => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await cluster.apply(listOf([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]))
    return name
  }
  /** What the API server answers to objects that are not kept. @throws Error with what it refuses */
  const ask = (namespace: string, objects: readonly unknown[]) => {
    const how = ['--server-side', '--dry-run=server', '--validate=strict', '--namespace', namespace]
    return cluster.kubectl(['apply', ...how, '--filename', '-'], listOf(objects))
  }
  const render = async (namespace: string, values: string) => {
    const how = ['--namespace', namespace, '--values', values, '--dry-run=server']
    const text = await cluster.helm(['template', 'flotilla', chartFolder, ...how])
    return parseAllDocuments(text).flatMap(document => (document.toJS() as Manifest | null) ?? [])
  }
  /** Pod Security looks at pods alone: a Deployment with bad ones is let in, and its pods never come. */
  const podsOf = (manifests: readonly Manifest[]): { readonly metadata: object; readonly spec: PodSpec }[] =>
    manifests.flatMap(({ kind, metadata, spec }) => {
      if (kind === 'Pod') return [{ apiVersion: 'v1', kind, metadata: { name: metadata.name }, spec: { ...spec } }]
      const template = spec?.template
      if (template === undefined) return []
      const name = `${kind.toLowerCase()}-${metadata.name}`
      const claims = (spec?.volumeClaimTemplates ?? []).map(claim => ({ name: claim.metadata.name, emptyDir: {} }))
      const volumes = [...(template.spec.volumes ?? []), ...claims]
      const metadataOfPod = { ...template.metadata, name }
      return [{ apiVersion: 'v1', kind: 'Pod', metadata: metadataOfPod, spec: { ...template.spec, volumes } }]
    })

  test.for(chartCases)('admits what %s makes, and its pods', async (name, { expect }) => {
    const namespace = await namespaceFor(`case-${name}`)
    const manifests = await render(namespace, join(chartFolder, 'ci', `${name}.yaml`))
    await cluster.apply(listOf(manifests.filter(({ kind }) => neededByPods.includes(kind))), namespace)
    const answered = await ask(namespace, manifests)
    expect(answered.trim().split('\n')).toHaveLength(manifests.length)
    const pods = podsOf(manifests)
    expect(pods.length).toBeGreaterThanOrEqual(3)
    await ask(namespace, pods)
  })

  test('refuses a field that it does not know, in its own objects and in foreign ones', async () => {
    const namespace = await namespaceFor('strict')
    const manifests = await render(namespace, join(chartFolder, 'ci', 'http-route.yaml'))
    for (const kind of ['Deployment', 'HTTPRoute']) {
      const wrong = manifests
        .filter(one => one.kind === kind)
        .map(one => ({ ...one, spec: { ...one.spec, speed: 'high' } }))
      await expect(ask(namespace, wrong)).rejects.toThrow(/unknown field ".*speed"|speed: field not declared/)
    }
  })

  test('refuses a pod that asks for more than `restricted` allows', async () => {
    const namespace = await namespaceFor('security')
    const manifests = await render(namespace, join(chartFolder, 'ci', 'external.yaml'))
    const [pod] = podsOf(manifests.filter(({ metadata }) => metadata.name === 'flotilla-worker'))
    const root = { ...pod?.spec, serviceAccountName: 'default', securityContext: { runAsUser: 0 } }
    await expect(ask(namespace, [{ ...pod, spec: root }])).rejects.toThrow(/violates PodSecurity "restricted/)
  })

  test('is not even asked about wrong values: they are refused with a sentence', async () => {
    const namespace = await namespaceFor('values')
    const file = join(cluster.folder, 'wrong.json')
    const right = readFileSync(join(chartFolder, 'ci', 'external.yaml'), 'utf8')
    writeFileSync(file, `${right}\ngateway: {drainMs: half a minute}\n`)
    await expect(cluster.helm(['install', 'flotilla', chartFolder, '-n', namespace, '-f', file])).rejects.toThrow(
      /drainMs/,
    )
    expect(await cluster.api.list(`/apis/apps/v1/namespaces/${namespace}/deployments`)).toEqual([])
  })
})
