/**
 * The custom metrics API, as prometheus-adapter serves it, straight from each pod's own /metrics: a stand-in that leaves out
 * Prometheus and with it up to a minute of delay. It knows what an autoscaler asks: one metric of all pods of a selector.
 * Runs as a process in the network of the cluster: node custom-metrics.ts SOCKET FOLDER-OF-CERTIFICATES ADDRESS PORT
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { createKubeApi, type Pod } from './kube-api.ts'
import { sumOfMetric } from './metrics.ts'

const [socketPath = '', pki = '', host = '', port = ''] = process.argv.slice(2)
const api = createKubeApi(socketPath)
const group = 'custom.metrics.k8s.io'
const version = 'v1beta2'
const answerWithinMs = 1_000

/** Pods that are on their way are not asked: their connections are moving to others. */
async function figures(namespace: string, metric: string, selector: string) {
  const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`
  const pods = (await api.list<ScrapedPod>(path)).filter(pod => pod.metadata.deletionTimestamp === undefined)
  const items = await Promise.all(pods.map(pod => figureOf(pod, metric)))
  return items.filter(item => item !== undefined)
}

interface ScrapedPod extends Pod {
  readonly spec: Pod['spec'] & {
    readonly containers: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
    }[]
  }
}

async function figureOf(pod: ScrapedPod, metric: string) {
  const operator = pod.spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === 'operator')
  if (pod.status.podIP === undefined || operator === undefined) return undefined
  try {
    const url = `http://${pod.status.podIP}:${operator.containerPort}/metrics`
    const text = await (await fetch(url, { signal: AbortSignal.timeout(answerWithinMs) })).text()
    const value = sumOfMetric(text, metric)
    if (value === undefined) return undefined
    return {
      describedObject: { kind: 'Pod', apiVersion: '/v1', namespace: pod.metadata.namespace, name: pod.metadata.name },
      metric: { name: metric },
      timestamp: new Date().toISOString(),
      // A quantity: thousandths are the finest that it has.
      value: `${Math.round(value * 1_000)}m`,
    }
  } catch {
    return undefined
  }
}

async function answer(url: URL): Promise<unknown> {
  const asked = /^\/apis\/[^/]+\/[^/]+\/namespaces\/([^/]+)\/pods\/\*\/([^/]+)$/.exec(decodeURIComponent(url.pathname))
  if (asked !== null) {
    const [, namespace = '', metric = ''] = asked
    const items = await figures(namespace, metric, url.searchParams.get('labelSelector') ?? '')
    return { kind: 'MetricValueList', apiVersion: `${group}/${version}`, metadata: {}, items }
  }
  const names = ['flotilla_connections', 'nodejs_eventloop_lag_p99_seconds']
  const resources = names.map(name => ({
    name: `pods/${name}`,
    singularName: '',
    namespaced: true,
    kind: 'MetricValueList',
    verbs: ['get'],
  }))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${group}/${version}`, resources }
}

const server = createServer(
  { key: readFileSync(join(pki, 'metrics.key')), cert: readFileSync(join(pki, 'metrics.crt')) },
  (request, response) => {
    response.setHeader('content-type', 'application/json')
    answer(new URL(request.url ?? '/', 'https://metrics')).then(
      body => response.end(JSON.stringify(body)),
      (error: unknown) => {
        console.error(error)
        response.writeHead(500).end()
      },
    )
  },
)
server.listen(Number(port), host)
