/**
 * The product on a cluster as its users install it: the chart, with PostgreSQL and Redis as pods beside it. What the tests
 * of roll-outs, scaling and load stand on.
 */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@flotilla/testing'
import type { Cluster, KubeObject, Pod } from './cluster.ts'
import { makeFolderIn } from './cluster/folders.ts'
import { sumOfMetric } from './cluster/metrics.ts'
import { addresses } from './cluster/network.ts'
import { startStores } from './fleet-stores.ts'
import { inProject } from './root.ts'

export type Values = Readonly<Record<string, unknown>>
export type Component = 'gateway' | 'api' | 'worker' | 'edge'

export interface ReleaseOptions {
  readonly cluster: Cluster
  /** Values of the chart on top of those that a small cluster needs. */
  readonly values?: Values
  /** The chart; that of this checkout, if it is left out. */
  readonly chart?: string
  /** PostgreSQL waits for the disk, as in production. */
  readonly durable?: boolean
}

export interface FleetRelease {
  readonly name: string
  readonly namespace: string
  /** Where clients connect, in the cluster's network: the address of the edge's load balancer. */
  readonly edgeUrl: string
  /** The stores, on this machine's loopback. */
  readonly databaseUrl: string
  readonly redisUrl: string
  /** What the chart generated at the installation. */
  keys(): Promise<{ readonly masterKeys: string; readonly ticketKeys: string }>
  /** `helm upgrade` with further values, which stay for the upgrades after it. Does not wait for the roll-out. */
  upgrade(values: Values): Promise<void>
  /** To the revision before. Does not wait either. */
  rollback(): Promise<void>
  /** `helm test`. @returns what the test wrote */
  test(): Promise<string>
  /** Pods of a part, also those that are ending, eldest first. */
  pods(component: Component): Promise<Pod[]>
  /** Until every part is rolled out and nobody is ending any more. */
  settled(withinMs?: number): Promise<void>
  /** One figure of a pod's /metrics, added up over its labels; undefined when the pod does not answer. */
  metric(pod: Pod, name: string): Promise<number | undefined>
  uninstall(): Promise<void>
}

const name = 'flotilla'
const namespace = 'chat'
const labels = { 'app.kubernetes.io/instance': name }
const operatorPorts: Readonly<Record<string, number>> = { gateway: 9_081, api: 9_080, worker: 9_080 }

/** The first Service of the type LoadBalancer on the cluster is the edge's. */
const edgeUrl = `http://${addresses.balancer(1)}`

/** Installs the chart and waits until the fleet is ready. Its pods stand under Pod Security `restricted`. */
export async function installRelease(options: ReleaseOptions): Promise<FleetRelease> {
  const { cluster, chart = inProject('helm/flotilla'), durable = false } = options
  const folder = makeFolderIn(cluster.folder, 'release')
  await cluster.apply(`${restrictedNamespace}\n---\n${filesClaim(makeSharedFolder(cluster.folder))}`)
  const stores = await startStores(cluster, { durable })
  /** Those of each revision that was taken, the last one last. */
  const revisions: Values[] = []
  const release = async (verb: 'install' | 'upgrade', values: Values) => {
    const file = join(folder, 'values.json')
    writeFileSync(file, JSON.stringify(values))
    await cluster.helm([verb, name, chart, '--namespace', namespace, '--values', file])
    revisions.push(values)
  }
  await release('install', merge(baseValues(stores), options.values ?? {}))

  const installed: FleetRelease = {
    name,
    namespace,
    edgeUrl,
    databaseUrl: stores.databaseUrl,
    redisUrl: stores.redisUrl,
    keys: () => readKeys(cluster),
    upgrade: further => release('upgrade', merge(revisions.at(-1) ?? {}, further)),
    async rollback() {
      await cluster.helm(['rollback', name, '--namespace', namespace])
      const before = revisions.at(-2)
      if (before !== undefined) revisions.push(before)
    },
    test: () => cluster.helm(['test', name, '--namespace', namespace, '--logs']),
    async pods(component) {
      const pods = await cluster.api.pods(namespace, { ...labels, 'app.kubernetes.io/component': component })
      return pods.sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''))
    },
    settled: (withinMs = 120_000) => settled(cluster, withinMs),
    metric: (pod, metric) => askMetric(cluster, pod, metric),
    async uninstall() {
      await cluster.helm(['uninstall', name, '--namespace', namespace])
      await stores.close()
    },
  }
  await installed.settled()
  return installed
}

/** What fits a cluster of a few nodes on one small machine, and what makes a drain short. */
const baseValues = (stores: { insideDatabaseUrl: string; insideRedisUrl: string }): Values => {
  const resources = { requests: { cpu: '10m', memory: '64Mi' } }
  return {
    publicUrl: edgeUrl,
    postgresql: { url: stores.insideDatabaseUrl },
    redis: { url: stores.insideRedisUrl },
    keys: { generated: true },
    storage: { volume: { existingClaim: filesClaimName } },
    migrations: { resources },
    gateway: { resources, drainMs: 3_000, preStopSeconds: 2 },
    api: { resources, replicas: 1, drainWaitMs: 1_000 },
    worker: { resources, replicas: 1 },
    edge: { resources, replicas: 1, preStopSeconds: 1, drainSeconds: 2, workerConnections: 8_192 },
    // Nobody measures CPU here, and an autoscaler that misses one figure never scales down.
    autoscaling: { cpuUtilization: 0 },
  }
}

const restrictedNamespace = `apiVersion: v1
kind: Namespace
metadata:
  name: ${namespace}
  labels: {pod-security.kubernetes.io/enforce: restricted}`

const filesClaimName = 'files'

/** A volume that all nodes share, which is easy when they are one machine. */
const filesClaim = (folder: string) => `apiVersion: v1
kind: PersistentVolume
metadata: {name: ${filesClaimName}}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteMany]
  storageClassName: ''
  hostPath: {path: ${folder}}
  claimRef: {namespace: ${namespace}, name: ${filesClaimName}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${filesClaimName}, namespace: ${namespace}}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: ''
  resources: {requests: {storage: 1Gi}}`

function makeSharedFolder(folder: string): string {
  const shared = makeFolderIn(folder, 'files')
  chmodSync(shared, 0o777)
  return shared
}

interface Secret extends KubeObject {
  readonly data: Readonly<Record<string, string>>
}

async function readKeys(cluster: Cluster) {
  const selector = encodeURIComponent('app.kubernetes.io/component=keys')
  const [secret] = await cluster.api.list<Secret>(`/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`)
  const value = (key: string) => Buffer.from(secret?.data[key] ?? '', 'base64').toString()
  return { masterKeys: value('MASTER_KEYS'), ticketKeys: value('TICKET_KEYS') }
}

interface Deployment extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number }
  readonly spec: { readonly replicas: number }
  readonly status: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly availableReplicas?: number
  }
}

/** A Deployment calls a roll-out done while old pods still drain: they are waited for too. */
async function settled(cluster: Cluster, withinMs: number): Promise<void> {
  let last = ''
  const rolledOut = ({ metadata, spec, status }: Deployment) =>
    status.observedGeneration === metadata.generation &&
    status.updatedReplicas === spec.replicas &&
    status.replicas === spec.replicas &&
    status.availableReplicas === spec.replicas
  try {
    await until(
      async () => {
        const deployments = await cluster.api.list<Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`)
        const pods = await cluster.api.pods(namespace, labels)
        const ending = pods.filter(pod => pod.metadata.deletionTimestamp !== undefined)
        const behind = deployments.filter(deployment => !rolledOut(deployment))
        last = [...behind, ...ending].map(({ metadata }) => metadata.name).join(', ')
        return deployments.length > 0 && last === ''
      },
      { what: 'the fleet has settled', withinMs, everyMs: 250 },
    )
  } catch (error) {
    const pods = await cluster.kubectl(['get', 'pods', '--namespace', namespace, '--output', 'wide'])
    throw new Error(`unable to wait until the fleet has settled: ${last}\n${pods}`, { cause: error })
  }
}

async function askMetric(cluster: Cluster, pod: Pod, metric: string): Promise<number | undefined> {
  const port = operatorPorts[pod.metadata.labels?.['app.kubernetes.io/component'] ?? '']
  if (port === undefined || pod.status.podIP === undefined) return undefined
  try {
    const { text } = await cluster.fetch(`http://${pod.status.podIP}:${port}/metrics`, { withinMs: 2_000 })
    return sumOfMetric(text, metric)
  } catch {
    return undefined
  }
}

/** As Helm merges values: maps grow together, everything else is replaced. */
function merge(base: Values, further: Values): Values {
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(further)) {
    const before = merged[key]
    merged[key] = isMap(before) && isMap(value) ? merge(before, value) : value
  }
  return merged
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
