/** Serves the custom metrics API in a cluster, and lets the autoscalers ask it. */
import { fileURLToPath } from 'node:url'
import { type StartedProcess, startProcess, until } from '@flotilla/testing'
import type { Certificates } from './certificates.ts'
import { makeFolderIn } from './folders.ts'
import type { KubeApi, KubeObject } from './kube-api.ts'
import { addresses, type ClusterNetwork } from './network.ts'

const port = 6_643
const name = 'custom-metrics'
const version = 'v1beta2'

export interface MetricsParts {
  readonly folder: string
  readonly network: ClusterNetwork
  readonly certificates: Certificates
  readonly socketPath: string
  readonly api: KubeApi
}

interface ApiService extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

export async function serveCustomMetrics(parts: MetricsParts): Promise<StartedProcess> {
  const { folder, network, certificates, socketPath, api } = parts
  const started = await startProcess({
    command: process.execPath,
    args: [
      '--conditions=source',
      fileURLToPath(new URL('custom-metrics.ts', import.meta.url)),
      socketPath,
      certificates.folder,
      addresses.controlPlane,
      String(port),
    ],
    folder: makeFolderIn(folder, name),
    launcher: network.launcher,
    ready: () => network.reaches(addresses.controlPlane, port),
  })
  await register(api)
  return started
}

async function register(api: KubeApi): Promise<void> {
  const namespace = '/api/v1/namespaces/kube-system'
  await api.create(`${namespace}/services`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 443, targetPort: port }] },
  })
  await api.create('/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port }],
    endpoints: [{ addresses: [addresses.controlPlane], conditions: { ready: true } }],
  })
  const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices'
  const apiService = `${version}.custom.metrics.k8s.io`
  await api.create(apiServices, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiService },
    spec: {
      group: 'custom.metrics.k8s.io',
      version,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: { name, namespace: 'kube-system', port: 443 },
    },
  })
  await allowAutoscalers(api)
  await until(
    async () => {
      const { status } = await api.get<ApiService>(`${apiServices}/${apiService}`)
      return status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True')
    },
    { what: 'the custom metrics API is available', withinMs: 30_000, everyMs: 200 },
  )
}

/** As the chart of prometheus-adapter does. */
async function allowAutoscalers(api: KubeApi): Promise<void> {
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await api.create(`${rbac}/clusterroles`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: ['custom.metrics.k8s.io'], resources: ['*'], verbs: ['get', 'list'] }],
  })
  await api.create(`${rbac}/clusterrolebindings`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'horizontal-pod-autoscaler', namespace: 'kube-system' }],
  })
}
