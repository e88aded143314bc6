/**
 * A real Kubernetes for a test: etcd, API server, controllers, scheduler, CoreDNS, kube-proxy and kubelets, whose pods are
 * local processes or, on container nodes, containers of real images. All of it lives in namespaces of its own (network,
 * mounts, processes), so nothing outside is touched and all of it ends with one process.
 */
import type { StartedProcess } from '@flotilla/testing'

export interface ClusterOptions {
  /** Nodes whose pods are local processes. */
  readonly nodes?: number
  /** What images stand for on these nodes; see `productImages`. */
  readonly images?: Readonly<Record<string, ProcessImage>>
  /** Serve custom.metrics.k8s.io, from each pod's own /metrics. */
  readonly customMetrics?: boolean
}

/** What an image stands for on a node whose pods are processes. Named by `repository` or, to tell versions apart, `repository:tag`. */
export interface ProcessImage {
  /** The root file system; pods see a private, writable copy of it. The machine's own, if it is left out. */
  readonly root?: string
  /** Folders of the machine that the image holds: `{ '/app': '/home/me/flotilla' }`. */
  readonly folders?: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly workingFolder?: string
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
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
  /** A request from inside the cluster's network: names of Services do not resolve, addresses do. */
  fetch(url: string, options?: InsideRequest): Promise<InsideResponse>
  /** Starts a program of ours in the cluster's network, such as a driver of load. */
  run(options: {
    readonly command: string
    readonly args: readonly string[]
    readonly env?: Readonly<Record<string, string | undefined>>
    ready(pid: number): Promise<boolean>
    readonly readyWithinMs?: number
  }): Promise<StartedProcess>
  /** What the containers of a pod wrote, also of pods that are gone. */
  podLog(namespace: string, pod: string, container?: string): string
  stop(): Promise<void>
}

export interface InsideRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly withinMs?: number
}

export interface InsideResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

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

/** The part of an object that every test looks at. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly creationTimestamp?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number }
  readonly status: {
    readonly phase: string
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly name: string
      readonly ready: boolean
      readonly restartCount: number
      readonly state: Readonly<Record<string, unknown>>
    }[]
  }
}

/** The API as its administrator, without a process for each call. */
export interface KubeApi {
  /** `get('/apis/apps/v1/namespaces/chat/deployments/flotilla-gateway')` */
  get<T = KubeObject>(path: string): Promise<T>
  list<T = KubeObject>(path: string): Promise<T[]>
  create<T = KubeObject>(path: string, body: unknown): Promise<T>
  /** A JSON merge patch. */
  patch<T = KubeObject>(path: string, body: unknown): Promise<T>
  /** `graceSeconds: 0` is a deletion with force. */
  delete(path: string, options?: { readonly graceSeconds?: number }): Promise<void>
  /** Pods by labels: `{ 'app.kubernetes.io/component': 'gateway' }`. */
  pods(namespace: string, labels?: Readonly<Record<string, string>>): Promise<Pod[]>
}
