/** The control plane: etcd, API server, controllers, scheduler; with them kube-proxy and CoreDNS, that pods stand on. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type StartedProcess, startProcess } from '@flotilla/testing'
import type { KubeTools } from '../kube-tools.ts'
import type { Certificates } from './certificates.ts'
import { flags, makeFolderIn } from './folders.ts'
import { askSocket } from './kube-api.ts'
import { addresses, type ClusterNetwork } from './network.ts'

const here = addresses.controlPlane
const ports = {
  etcd: 2_379,
  etcdPeers: 2_380,
  api: 6_443,
  controllers: 10_257,
  scheduler: 10_259,
  proxy: 10_256,
  dns: 53,
}

export const apiUrl = `https://${here}:${ports.api}`
export const clusterDomain = 'cluster.local'

/**
 * How soon the loss of a node is noticed and its pods are given up. The defaults of Kubernetes are 50 s and 5 minutes;
 * the order of things is the same.
 */
export const nodeLoss = { leaseSeconds: 8, noticedAfterSeconds: 10, podsKeptSeconds: 3 } as const

export interface ControlPlaneParts {
  readonly folder: string
  readonly tools: KubeTools
  readonly network: ClusterNetwork
  readonly certificates: Certificates
}

/** A part and how one knows that it works. */
interface Part {
  readonly name: string
  readonly args: readonly string[]
  ready(): Promise<boolean>
}

export interface ControlPlane {
  /** The Unix socket at which the API answers, as to its administrator. */
  readonly socketPath: string
  /** By name: `etcd`, `kube-apiserver` and so on. */
  readonly processes: Readonly<Record<string, StartedProcess>>
  stop(): Promise<void>
}

export async function startControlPlane(parts: ControlPlaneParts): Promise<ControlPlane> {
  const { folder, network, certificates } = parts
  const { kubeconfig } = certificates
  const socketPath = join(folder, 'api.sock')
  const listens = (port: number) => () => network.reaches(here, port)
  const answers = async () => (await askSocket(socketPath, { path: '/readyz' })).status === 200
  const starter = createStarter(parts)

  await starter.start({ name: 'etcd', args: etcdArguments(join(folder, 'etcd')), ready: listens(ports.etcd) })
  await starter.start(
    { name: 'kube-apiserver', args: apiServerArguments(certificates), ready: listens(ports.api) },
    { name: 'kubectl', args: apiSocketArguments(kubeconfig('admin'), socketPath), ready: answers },
  )
  await starter.start(
    {
      name: 'kube-controller-manager',
      args: controllerArguments(certificates),
      ready: listens(ports.controllers),
    },
    { name: 'kube-scheduler', args: schedulerArguments(kubeconfig('scheduler')), ready: listens(ports.scheduler) },
  )
  return { socketPath, ...starter }
}

/** What pods stand on beside their kubelet: kube-proxy, that first waits for a node to come up, and CoreDNS. */
export async function startServices(parts: ControlPlaneParts): Promise<Pick<ControlPlane, 'processes' | 'stop'>> {
  const { folder, network, certificates } = parts
  const listens = (port: number) => () => network.reaches(here, port)
  const proxy = writeProxyConfiguration(folder, certificates.kubeconfig('proxy'))
  const dns = writeDnsConfiguration(folder, certificates.kubeconfig('admin'))
  const starter = createStarter(parts)
  await starter.start(
    { name: 'kube-proxy', args: ['--config', proxy], ready: listens(ports.proxy) },
    { name: 'dns', args: ['-conf', dns], ready: listens(ports.dns) },
  )
  return starter
}

function createStarter({ folder, tools, network }: ControlPlaneParts) {
  const processes: Record<string, StartedProcess> = {}
  return {
    processes,
    async start(...parts: readonly Part[]) {
      await Promise.all(
        parts.map(async ({ name, args, ready }) => {
          processes[name] = await startProcess({
            command: tools.program(name),
            args,
            folder: makeFolderIn(folder, name),
            launcher: network.launcher,
            ready,
            readyWithinMs: 90_000,
          })
        }),
      )
    },
    async stop() {
      await Promise.all(Object.values(processes).map(process => process.end('SIGKILL')))
    },
  }
}

function etcdArguments(folder: string): string[] {
  const [clients, peers] = [`http://${here}:${ports.etcd}`, `http://${here}:${ports.etcdPeers}`]
  return flags({
    'data-dir': join(folder, 'data'),
    'listen-client-urls': clients,
    'advertise-client-urls': clients,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    // What is lost with the machine is not missed.
    'unsafe-no-fsync': '',
    'log-level': 'warn',
  })
}

function apiServerArguments({ file }: Certificates): string[] {
  return flags({
    'etcd-servers': `http://${here}:${ports.etcd}`,
    'bind-address': here,
    'advertise-address': here,
    'secure-port': String(ports.api),
    'tls-cert-file': file('apiserver.crt'),
    'tls-private-key-file': file('apiserver.key'),
    'client-ca-file': file('ca.crt'),
    'service-account-issuer': `https://kubernetes.default.svc.${clusterDomain}`,
    'service-account-signing-key-file': file('accounts.key'),
    'service-account-key-file': file('accounts.pub'),
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'service-cluster-ip-range': addresses.services,
    'allow-privileged': '',
    'default-not-ready-toleration-seconds': String(nodeLoss.podsKeptSeconds),
    'default-unreachable-toleration-seconds': String(nodeLoss.podsKeptSeconds),
    'kubelet-client-certificate': file('admin.crt'),
    'kubelet-client-key': file('admin.key'),
    'kubelet-preferred-address-types': 'InternalIP',
    'proxy-client-cert-file': file('front-proxy.crt'),
    'proxy-client-key-file': file('front-proxy.key'),
    'requestheader-client-ca-file': file('front-proxy-ca.crt'),
    'requestheader-allowed-names': 'front-proxy',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
  })
}

/** The API without TLS and without a certificate to show, for the tests: they are its administrator. */
function apiSocketArguments(kubeconfig: string, socketPath: string): string[] {
  return ['proxy', ...flags({ kubeconfig, 'unix-socket': socketPath, 'accept-hosts': '.*' })]
}

function controllerArguments({ file, kubeconfig }: Certificates): string[] {
  return flags({
    kubeconfig: kubeconfig('controllers'),
    'use-service-account-credentials': '',
    'service-account-private-key-file': file('accounts.key'),
    'root-ca-file': file('ca.crt'),
    'cluster-signing-cert-file': file('ca.crt'),
    'cluster-signing-key-file': file('ca.key'),
    'leader-elect': 'false',
    'bind-address': here,
    'secure-port': String(ports.controllers),
    'kube-api-qps': '200',
    'kube-api-burst': '400',
    'node-monitor-period': '1s',
    'node-monitor-grace-period': `${nodeLoss.noticedAfterSeconds}s`,
    // Every 15 s by default; tests are shorter than a day.
    'horizontal-pod-autoscaler-sync-period': '2s',
    'horizontal-pod-autoscaler-initial-readiness-delay': '1s',
  })
}

function schedulerArguments(kubeconfig: string): string[] {
  return flags({ kubeconfig, 'leader-elect': 'false', 'bind-address': here, 'secure-port': String(ports.scheduler) })
}

/** One kube-proxy serves all nodes: they share a network. */
function writeProxyConfiguration(folder: string, kubeconfig: string): string {
  const file = join(makeFolderIn(folder, 'kube-proxy'), 'config.json')
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    clusterCIDR: addresses.pods,
    hostnameOverride: 'node-1',
    healthzBindAddress: `${here}:${ports.proxy}`,
    metricsBindAddress: `${here}:10249`,
    // What these would set belongs to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nftables: { minSyncPeriod: '100ms' },
  }
  writeFileSync(file, JSON.stringify(configuration))
  return file
}

/** Answers are remembered for a second, so that pods which come and go are seen soon. */
function writeDnsConfiguration(folder: string, kubeconfig: string): string {
  const file = join(makeFolderIn(folder, 'dns'), 'Corefile')
  const configuration = `.:${ports.dns} {
  bind ${here}
  errors
  kubernetes ${clusterDomain} {
    kubeconfig ${kubeconfig} cluster
    ttl 1
  }
}
`
  writeFileSync(file, configuration)
  return file
}
