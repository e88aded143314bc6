/**
 * A real Kubernetes for a test: etcd, API server, controllers, scheduler, CoreDNS, kube-proxy and kubelets, whose pods are
 * local processes or, on container nodes, containers of real images. All of it lives in namespaces of its own (network,
 * mounts, processes), so nothing outside is touched and all of it ends with one process.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import { dropFolder, makeFolder, type StartedProcess, startProcess } from '@flotilla/testing'
import { makeCertificates } from './cluster/certificates.ts'
import { apiUrl, startControlPlane, startServices } from './cluster/control-plane.ts'
import { containerRuntime } from './cluster/containers.ts'
import { makeFolderIn } from './cluster/folders.ts'
import { startBalancer } from './cluster/balancer.ts'
import type { ImageTable } from './cluster/images.ts'
import { createKubeApi, type KubeApi } from './cluster/kube-api.ts'
import { keepLogs, readPodLog } from './cluster/logs.ts'
import {
  type ClusterNetwork,
  type Forward,
  type InsideRequest,
  type InsideResponse,
  runInside,
  startNetwork,
} from './cluster/network.ts'
import { type ClusterNode, createNodes, processRuntime } from './cluster/node.ts'
import { serveCustomMetrics } from './cluster/serve-metrics.ts'
import { findKubeTools, type KubeTools } from './kube-tools.ts'

export { edgeImage, type ImageTable, productImages, storeImages } from './cluster/images.ts'
export type { KubeApi, KubeObject, Pod } from './cluster/kube-api.ts'
export type { Forward, InsideRequest, InsideResponse } from './cluster/network.ts'
export type { ClusterNode } from './cluster/node.ts'
export { whyNoContainers } from './cluster/containers.ts'

export interface ClusterOptions {
  /** Nodes whose pods are local processes. Three, if it is left out; without any there is an API and nothing else. */
  readonly nodes?: number
  /** One more node, the last one, on which containerd runs real images: those of these archives, as `docker save` makes them. */
  readonly containerNode?: { readonly archives: readonly string[] }
  /** What images stand for on these nodes; see `productImages`. */
  readonly images?: ImageTable
  /** Serve custom.metrics.k8s.io, from each pod's own /metrics. */
  readonly customMetrics?: boolean
}

export interface RunOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string | undefined>>
  ready(pid: number): Promise<boolean>
  readonly readyWithinMs?: number
}

export interface Cluster {
  /** Logs, certificates, data; kept on failure. */
  readonly folder: string
  /** Put before a command, it runs in the cluster's network: `startProcess({ launcher: cluster.launcher, … })`. Signals reach the command. */
  readonly launcher: readonly string[]
  /** For kubectl and helm. */
  readonly kubeconfig: string
  readonly api: KubeApi
  readonly nodes: readonly ClusterNode[]
  addNode(): Promise<ClusterNode>
  /** @returns what it wrote; @throws Error with what it complained of */
  kubectl(args: readonly string[], input?: string): Promise<string>
  helm(args: readonly string[]): Promise<string>
  /** Server-side apply of YAML documents, with strict validation. */
  apply(manifests: string, namespace?: string): Promise<void>
  /** A port on this machine's loopback that leads to an address of the cluster: for clients of databases, say. */
  forward(host: string, port: number): Promise<Forward>
  /** A request from inside the cluster's network: names of Services do not resolve, addresses do. */
  fetch(url: string, options?: InsideRequest): Promise<InsideResponse>
  /** Starts a program of ours in the cluster's network, such as a driver of load. */
  run(options: RunOptions): Promise<StartedProcess>
  /** Definitions of foreign objects that the chart may make: of the Gateway API, KEDA and others. */
  installDefinitions(): Promise<void>
  /** What the containers of a pod wrote, also of pods that are gone. */
  podLog(namespace: string, pod: string, container?: string): string
  stop(): Promise<void>
}

/** What the machine must have, and the Debian package it comes in. */
const programs = { ip: 'iproute2', nft: 'nftables', nsenter: 'util-linux', openssl: 'openssl', unshare: 'util-linux' }

/** @returns what is missing here, and how to get it; undefined where a cluster can be started */
export function whyNoCluster(): string | undefined {
  if (platform() !== 'linux') return 'a cluster is made of Linux namespaces'
  if (process.getuid?.() !== 0) return 'only root may make the namespaces of a cluster'
  for (const [name, debian] of Object.entries(programs))
    if (spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined)
      return `${name} is missing: apt-get install ${debian}`
  return findKubeTools() === undefined
    ? 'the programs of Kubernetes were not built: npm run kube:tools (needs Go)'
    : undefined
}

/**
 * Starts a cluster and waits until its nodes are ready.
 * @throws Error when something is missing that `whyNoCluster` would have named
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const missing = whyNoCluster()
  const tools = findKubeTools()
  if (missing !== undefined || tools === undefined) throw new Error(`unable to start a cluster: ${missing}`)
  const folder = makeFolder('cluster')
  const ends: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const end of ends.toReversed()) await end()
    dropFolder(folder)
  }
  try {
    const network = await startNetwork(folder)
    ends.push(() => network.stop())
    const certificates = await makeCertificates(makeFolderIn(folder, 'pki'), apiUrl)
    const parts = { folder, tools, network, certificates }
    const controlPlane = await startControlPlane(parts)
    ends.push(() => controlPlane.stop())
    const images = join(folder, 'images.json')
    writeFileSync(images, JSON.stringify(options.images ?? {}))
    const api = createKubeApi(controlPlane.socketPath)
    const nodes = createNodes({ ...parts, api })
    ends.push(() => nodes.stop())
    const { nodes: count = 3, containerNode } = options
    const processes = processRuntime(tools, images)
    if (count > 0) {
      const [services] = await Promise.all([startServices(parts), nodes.add(count, processes)])
      ends.push(() => services.stop())
    }
    if (containerNode !== undefined) await nodes.add(1, containerRuntime(tools, containerNode.archives))
    const stopBalancer = startBalancer(api)
    ends.push(() => Promise.resolve(stopBalancer()))
    if (options.customMetrics === true) {
      const metrics = await serveCustomMetrics({ ...parts, socketPath: controlPlane.socketPath, api })
      ends.push(() => metrics.end('SIGKILL'))
    }
    return {
      folder,
      launcher: network.launcher,
      kubeconfig: certificates.kubeconfig('admin'),
      api,
      nodes: nodes.all,
      addNode: async () => (await nodes.add(1, processes))[0] as ClusterNode,
      ...createTools({ folder, tools, network, kubeconfig: certificates.kubeconfig('admin') }),
      fetch: network.fetch,
      forward: network.forward,
      podLog: (namespace, pod, container) => readPodLog(folder, namespace, pod, container),
      stop,
    }
  } catch (error) {
    keepLogs(folder)
    await stop()
    throw error
  }
}

interface ToolParts {
  readonly folder: string
  readonly tools: KubeTools
  readonly network: ClusterNetwork
  readonly kubeconfig: string
}

/** The commands of a cluster's administrator, each in the cluster's network. */
function createTools({ folder, tools, network, kubeconfig }: ToolParts) {
  const env = {
    KUBECONFIG: kubeconfig,
    // Nothing of the person's own, and nothing of the tools' in their home.
    HOME: makeFolderIn(folder, 'home'),
    HELM_CACHE_HOME: makeFolderIn(folder, 'home', 'helm'),
    HELM_CONFIG_HOME: makeFolderIn(folder, 'home', 'helm'),
    HELM_DATA_HOME: makeFolderIn(folder, 'home', 'helm'),
  }
  const runTool = (name: string, args: readonly string[], options: { input?: string; withinMs?: number } = {}) =>
    runInside(network, [tools.program(name), ...args], {
      name: [name, ...args].join(' '),
      env,
      withinMs: 120_000,
      ...options,
    })
  let started = 0
  return {
    kubectl: (args: readonly string[], input?: string) =>
      runTool('kubectl', args, input === undefined ? {} : { input }),
    helm: (args: readonly string[]) => runTool('helm', args, { withinMs: 150_000 }),
    async apply(manifests: string, namespace?: string) {
      const how = ['--server-side', '--force-conflicts', '--validate=strict']
      if (namespace !== undefined) how.push('--namespace', namespace)
      await runTool('kubectl', ['apply', ...how, '--filename', '-'], { input: manifests })
    },
    async installDefinitions() {
      const applied = ['apply', '--server-side', '--filename', '-']
      await runTool('kubectl', applied, { input: tools.definitions() })
      const crds = ['crds', '--all', '--for', 'condition=Established']
      await runTool('kubectl', ['wait', ...crds, '--timeout', '30s'])
    },
    run: (options: RunOptions): Promise<StartedProcess> =>
      startProcess({ ...options, folder: makeFolderIn(folder, `run-${++started}`), launcher: network.launcher }),
  }
}
