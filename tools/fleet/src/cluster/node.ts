/**
 * A node: the real kubelet, and under it a runtime. That is ours, which starts a pod's containers as local processes, or
 * containerd. All of it hangs on one process in a PID namespace of its own: when that is killed, the machine is gone.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StartedProcess, startProcess, until } from '@flotilla/testing'
import type { KubeTools } from '../kube-tools.ts'
import type { Certificates } from './certificates.ts'
import { clusterDomain, nodeLoss } from './control-plane.ts'
import { flags, makeFolderIn } from './folders.ts'
import type { KubeApi, KubeObject } from './kube-api.ts'
import { addresses, type ClusterNetwork, nodesMax, runInside } from './network.ts'

export interface ClusterNode {
  readonly name: string
  /** The machine is gone at once: its processes die, its network falls silent; nobody hears a FIN. */
  kill(): Promise<void>
  /** Cut off: kubelet and pods stand still and nothing reaches them. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** A machine of the same name comes up again, empty. */
  start(): Promise<void>
  running(): boolean
}

export interface NodeParts {
  readonly folder: string
  readonly tools: KubeTools
  readonly network: ClusterNetwork
  readonly certificates: Certificates
  readonly api: KubeApi
}

/** What runs containers under a kubelet. */
export interface NodeRuntime {
  /**
   * The command of a machine that runs both.
   * @param folder where it listens, at `runtime.sock`, and keeps what it has
   * @param nth the number of the node
   */
  command(folder: string, nth: number, kubelet: readonly string[]): readonly string[]
  /** Before the node is said to be ready. */
  prepare?(folder: string): Promise<void>
  /** What is left when the machine is gone. */
  clean?(folder: string): Promise<void>
}

interface StartedNode extends ClusterNode {
  stop(): Promise<void>
}

export interface ClusterNodes {
  readonly all: readonly ClusterNode[]
  add(count: number, runtime: NodeRuntime): Promise<ClusterNode[]>
  stop(): Promise<void>
}

/** The nodes of a cluster, that may grow. */
export function createNodes(parts: NodeParts): ClusterNodes {
  const all: StartedNode[] = []
  let added = 0
  return {
    all,
    async add(count, runtime) {
      if (added + count > nodesMax) throw new Error(`unable to add ${count} nodes: ${nodesMax} is the most`)
      const fresh = await Promise.all(Array.from({ length: count }, () => startNode(parts, runtime, ++added)))
      all.push(...fresh)
      return fresh
    },
    async stop() {
      await Promise.all(all.map(node => node.stop()))
    },
  }
}

const kubeletPort = 10_250

/** @param nth from 1: its addresses follow from it */
async function startNode(parts: NodeParts, runtime: NodeRuntime, nth: number): Promise<StartedNode> {
  const { network, api, certificates } = parts
  const name = nameOf(nth)
  const folder = makeFolderIn(parts.folder, name)
  await certificates.addNode(name)
  let running: StartedProcess = await boot(parts, runtime, folder, nth)

  let cut = false
  /** Packets from and to its pods vanish, as behind a cable that was pulled. */
  const setCut = async (wanted: boolean) => {
    if (cut === wanted) return
    cut = wanted
    const rule = ['ip', 'rule', wanted ? 'add' : 'delete', 'priority', String(100 + nth)]
    for (const direction of ['from', 'to'])
      await runInside(network, [...rule, direction, addresses.podsOf(nth), 'blackhole'])
  }
  const isReady = async () => {
    const node = await api.get<NodeObject>(`/api/v1/nodes/${name}`)
    return node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  }
  const ready = () => until(isReady, { what: `${name} is ready`, withinMs: 90_000, everyMs: 200 })

  await ready()
  await runtime.prepare?.(folder)
  await api.patch(`/api/v1/nodes/${name}`, { metadata: { labels: { 'topology.kubernetes.io/zone': `zone-${nth}` } } })
  return {
    name,
    running: () => running.running(),
    async kill() {
      await setCut(true)
      await running.end('SIGKILL')
    },
    async freeze() {
      await setCut(true)
      for (const pid of descendants(running.pid)) process.kill(pid, 'SIGSTOP')
    },
    async thaw() {
      for (const pid of descendants(running.pid)) process.kill(pid, 'SIGCONT')
      await setCut(false)
    },
    async start() {
      if (running.running()) return
      // What a new machine does not have: the pods' volumes and the kubelet's memory of them.
      rmSync(join(folder, 'kubelet'), { recursive: true, force: true })
      running = await boot(parts, runtime, folder, nth)
      await setCut(false)
      await ready()
      await runtime.prepare?.(folder)
    },
    async stop() {
      await running.end('SIGKILL')
      await runtime.clean?.(folder)
    },
  }
}

interface NodeObject extends KubeObject {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** Our own, that starts containers as processes by a table of images. */
export function processRuntime(tools: KubeTools, images: string): NodeRuntime {
  return {
    command: (folder, nth, kubelet) => [
      tools.program('node'),
      ...flags({ folder, images, pods: addresses.podsOf(nth) }),
      ...kubelet,
    ],
  }
}

function boot(parts: NodeParts, runtime: NodeRuntime, folder: string, nth: number): Promise<StartedProcess> {
  const { tools, network, certificates } = parts
  const name = nameOf(nth)
  rmSync(join(folder, 'runtime.sock'), { force: true })
  const kubelet = flags({
    config: writeKubeletConfiguration(folder, nth, certificates),
    kubeconfig: certificates.kubeconfig(name),
    'root-dir': makeFolderIn(folder, 'kubelet'),
    'hostname-override': name,
    'node-ip': addresses.node(nth),
    'node-labels': 'topology.kubernetes.io/region=local',
  })
  return startProcess({
    command: 'unshare',
    args: [...machine, ...runtime.command(folder, nth, [tools.program('kubelet'), ...kubelet])],
    folder,
    launcher: network.launcher,
    ready: () => network.reaches(addresses.node(nth), kubeletPort),
    readyWithinMs: 60_000,
  })
}

const nameOf = (nth: number) => `node-${nth}`

/** Mounts and processes of its own, that end with the process that `unshare` stays as. */
const machine = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

function writeKubeletConfiguration(folder: string, nth: number, certificates: Certificates): string {
  const file = join(folder, 'kubelet.json')
  const configuration = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node(nth),
    port: kubeletPort,
    readOnlyPort: 0,
    healthzPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificates.file('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: certificates.file(`${nameOf(nth)}.crt`),
    tlsPrivateKeyFile: certificates.file(`${nameOf(nth)}.key`),
    containerRuntimeEndpoint: `unix://${join(folder, 'runtime.sock')}`,
    clusterDomain,
    clusterDNS: [addresses.controlPlane],
    podLogsDir: makeFolderIn(folder, 'pod-logs'),
    containerLogMaxSize: '1Gi',
    maxPods: 200,
    nodeLeaseDurationSeconds: nodeLoss.leaseSeconds,
    nodeStatusUpdateFrequency: '5s',
    kubeAPIQPS: 100,
    kubeAPIBurst: 200,
    // This machine is not the kubelet's to divide and to tidy up.
    failCgroupV1: false,
    failSwapOn: false,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: ['none'],
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    evictionHard: { 'memory.available': '0%' },
    imageGCHighThresholdPercent: 100,
    volumePluginDir: join(folder, 'volume-plugins'),
  }
  writeFileSync(file, JSON.stringify(configuration))
  return file
}

/** The processes below one, deepest last. */
function descendants(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap(child => [child, ...descendants(child)])
}
