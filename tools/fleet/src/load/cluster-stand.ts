/** A stand on a real control plane: the chart on a cluster, with the real edge in front, as its users have it. */
import { dropFolder, makeFolder, until } from '@flotilla/testing'
import {
  type Cluster,
  type ClusterNode,
  edgeImage,
  type KubeObject,
  type Pod,
  productImages,
  startCluster,
  storeImages,
} from '../cluster.ts'
import { type FleetRelease, installRelease, type Values } from '../fleet-release.ts'
import { findNginx } from '../nginx.ts'
import { startStore } from './load.ts'
import type { ScalingRules, ScalingSample } from './scaling.ts'
import type { Stand } from './stand.ts'

export interface ClusterStandOptions {
  readonly gateways: number
  /** Machines. */
  readonly nodes: number
  readonly drainMs: number
  readonly connectsPerSecond: number
  /** Further settings of the gateways. */
  readonly settings: Readonly<Record<string, string>>
  /** PostgreSQL waits for the disk, as in production. */
  readonly durable: boolean
}

export interface ClusterStand extends Stand {
  /** Loses the machine of a gateway, waits until others have taken its pods over, and brings it back. */
  loseNode(): Promise<void>
  /** Replaces every process of the API, one after the other. */
  rollApi(): Promise<void>
  /** Deletes the pod of Redis; another one begins empty. */
  replaceRedis(): Promise<void>
  /** From now on the number of gateways follows their connections, and is not `scale`'s to set any more. */
  autoscale(rules: ScalingRules): Promise<void>
  /** How far the autoscaler is; the connections are the caller's to know, by gateway. */
  scaling(connections: ReadonlyMap<string, number>): Promise<ScalingSample>
}

const connectionsMax = 18_000
const preStopSeconds = 2
/** Where the processes of the load call from, so that the edge believes them whom they speak for. */
const driver = '10.88.0.0/16'
const storesNamespace = 'stores'

export async function startClusterStand(options: ClusterStandOptions): Promise<ClusterStand> {
  const folder = makeFolder('cluster-stand')
  const nginx = await findNginx()
  const images = { ...productImages(), ...edgeImage(nginx), ...(await storeImages(folder)) }
  const cluster = await startCluster({ nodes: options.nodes, images, customMetrics: true })
  try {
    const release = await installRelease({ cluster, durable: options.durable, values: valuesOf(options) })
    const stand = await standOn(cluster, release, options)
    return {
      ...stand,
      async stop() {
        await stand.stop()
        await cluster.stop()
        dropFolder(folder)
      },
    }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

const valuesOf = ({ gateways, drainMs, connectsPerSecond, settings }: ClusterStandOptions): Values => ({
  gateway: {
    replicas: gateways,
    drainMs,
    preStopSeconds,
    connectionsMax,
    settings: { CONNECTS_PER_SECOND: connectsPerSecond, ...settings },
  },
  api: { replicas: 2, drainWaitMs: 2_000 },
  edge: { trustedProxies: [driver], workerConnections: null },
})

async function standOn(cluster: Cluster, release: FleetRelease, options: ClusterStandOptions): Promise<ClusterStand> {
  const { masterKeys } = await release.keys()
  const store = await startStore({ databaseUrl: release.databaseUrl, masterKeys })
  const tokens = { keys: await readTokenKeys(cluster, release), issuer: 'flotilla', audience: 'flotilla' }
  let changes = 0
  /** A change that every pod of a part takes on, as a new version would be. */
  const roll = async (component: 'gateway' | 'api') => {
    await release.upgrade({ [component]: { podAnnotations: { 'flotilla.test/change': String(++changes) } } })
    await release.settled(settledWithinMs)
  }
  const serving = async () => (await release.pods('gateway')).filter(isServing)
  const scaling = createScaling(cluster, release)

  return {
    store,
    way: { api: release.edgeUrl, tokens, forwarded: true },
    launcher: cluster.launcher,
    admission: { connectsPerSecond: options.connectsPerSecond, connectionsMax },
    gateways: async () => (await serving()).map(pod => pod.metadata.name),
    rollOut: () => roll('gateway'),
    async scale(gateways) {
      await release.upgrade({ gateway: { replicas: gateways } })
      await release.settled(settledWithinMs)
    },
    async kill() {
      const [pod] = await serving()
      await cluster.api.delete(`/api/v1/namespaces/${release.namespace}/pods/${pod!.metadata.name}`, {
        graceSeconds: 0,
      })
      await release.settled(settledWithinMs)
    },
    rollApi: () => roll('api'),
    loseNode: () => loseNode(cluster, release, options.gateways),
    async replaceRedis() {
      const [pod] = await cluster.api.pods(storesNamespace, { app: 'redis' })
      await cluster.api.delete(`/api/v1/namespaces/${storesNamespace}/pods/${pod!.metadata.name}`)
      await until(
        async () => {
          const [fresh] = await cluster.api.pods(storesNamespace, { app: 'redis' })
          return fresh !== undefined && fresh.metadata.uid !== pod!.metadata.uid && isServing(fresh)
        },
        { what: 'a new Redis is ready', withinMs: 60_000, everyMs: 200 },
      )
    },
    ...scaling,
    async stop() {
      await store.call('close')
      await store.stop()
    },
  }
}

/** All gateways replaced one after the other, with the time that each of them takes to drain. */
const settledWithinMs = 900_000

const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined
const isReady = ({ status }: Pod) =>
  status.conditions?.some(condition => condition.type === 'Ready' && condition.status === 'True') === true
const isServing = (pod: Pod) => isReady(pod) && !isEnding(pod)

interface Secret extends KubeObject {
  readonly data: Readonly<Record<string, string>>
}

async function readTokenKeys(cluster: Cluster, { namespace }: FleetRelease): Promise<string> {
  const selector = encodeURIComponent('app.kubernetes.io/component=keys')
  const [secret] = await cluster.api.list<Secret>(`/api/v1/namespaces/${namespace}/secrets?labelSelector=${selector}`)
  return Buffer.from(secret?.data['TOKEN_KEYS'] ?? '', 'base64').toString()
}

async function loseNode(cluster: Cluster, release: FleetRelease, gateways: number): Promise<void> {
  const node = await expendable(cluster, release)
  await node.kill()
  // The pods of a lost machine stay on the list until it is back: the others are what counts.
  await until(
    async () => {
      const pods = await release.pods('gateway')
      return pods.filter(pod => isServing(pod) && pod.spec.nodeName !== node.name).length === gateways
    },
    { what: 'the gateways of the lost machine were replaced', withinMs: 120_000, everyMs: 500 },
  )
  await node.start()
  await release.settled(settledWithinMs)
}

/** A machine with a gateway but without the only edge, and without the stores, which do not survive theirs. */
async function expendable(cluster: Cluster, release: FleetRelease): Promise<ClusterNode> {
  const gateways = await release.pods('gateway')
  const kept = [...(await release.pods('edge')), ...(await cluster.api.pods(storesNamespace))]
  const names = new Set(kept.map(pod => pod.spec.nodeName))
  const name = gateways.map(pod => pod.spec.nodeName).find(one => one !== undefined && !names.has(one))
  const node = cluster.nodes.find(one => one.name === name)
  if (node === undefined)
    throw new Error('unable to lose a machine: each with a gateway also holds the edge or a store')
  return node
}

interface Autoscaler extends KubeObject {
  readonly status: {
    readonly currentMetrics?: readonly { readonly pods?: { readonly current: { readonly averageValue: string } } }[]
  }
}

interface Scaled extends KubeObject {
  readonly spec: { readonly replicas: number }
}

function createScaling(cluster: Cluster, release: FleetRelease): Pick<ClusterStand, 'autoscale' | 'scaling'> {
  const { namespace, name } = release
  const autoscaler = `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}-gateway`
  const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}-gateway`
  return {
    async autoscale(rules) {
      await release.upgrade({
        gateway: { replicas: null },
        autoscaling: {
          enabled: true,
          min: rules.min,
          max: rules.max,
          connectionsPerGateway: rules.connectionsPerGateway,
          // What is shown is how the connections move it; this machine's own load would too.
          eventLoopLagMs: 0,
          cpuUtilization: 0,
          scaleDown: { windowSeconds: rules.downWindowSeconds, periodSeconds: rules.downPeriodSeconds },
        },
      })
      await release.settled(settledWithinMs)
    },
    async scaling(connections) {
      const [pods, { spec }, metric] = await Promise.all([
        release.pods('gateway'),
        cluster.api.get<Scaled>(deployment),
        cluster.api
          .get<Autoscaler>(autoscaler)
          .then(({ status }) => status.currentMetrics?.[0]?.pods?.current.averageValue),
      ])
      return {
        atMs: Date.now(),
        wanted: spec.replicas,
        metric: metric === undefined ? undefined : readQuantity(metric),
        gateways: pods.map(pod => ({
          name: pod.metadata.name,
          ready: isReady(pod),
          ending: isEnding(pod),
          connections: connections.get(pod.metadata.name) ?? 0,
        })),
      }
    },
  }
}

const suffixes: Readonly<Record<string, number>> = { m: 1e-3, '': 1, k: 1e3, M: 1e6 }

/** `1500m` is 1.5, as Kubernetes writes numbers. */
export function readQuantity(text: string): number {
  const [, number = '', suffix = ''] = /^([\d.]+)([a-zA-Z]*)$/.exec(text) ?? []
  return Number(number) * (suffixes[suffix] ?? Number.NaN)
}
