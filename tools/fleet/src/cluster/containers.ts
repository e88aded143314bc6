/**
 * A node with real containers: containerd, runc and the reference plugins of the CNI, as Debian has them, under the kubelet.
 * Images come from archives; nothing is pulled.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { basename, join } from 'node:path'
import { until } from '@flotilla/testing'
import type { KubeTools } from '../kube-tools.ts'
import { makeFolderIn, runCommand } from './folders.ts'
import { addresses } from './network.ts'
import type { NodeRuntime } from './node.ts'

const plugins = '/usr/lib/cni'
const namespace = 'k8s.io'
const pauseImage = 'localhost/pause:1'
const importMsMax = 180_000

/** @returns what is missing here, and how to get it; undefined where a node of containers can be started */
export function whyNoContainers(): string | undefined {
  for (const [name, debian] of Object.entries({ containerd: 'containerd', ctr: 'containerd', runc: 'runc' }))
    if (spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined)
      return `${name} is missing: apt-get install ${debian}`
  return existsSync(join(plugins, 'ptp')) ? undefined : 'CNI is missing: apt-get install containernetworking-plugins'
}

export function containerRuntime(tools: KubeTools, archives: readonly string[]): NodeRuntime {
  return {
    command(folder, nth, kubelet) {
      writeNetworkConfiguration(folder, nth)
      writeFileSync(join(folder, 'containerd.toml'), containerdConfiguration(folder))
      return ['sh', '-c', machineScript, folder, ...kubelet]
    },
    async prepare(folder) {
      const pause = await makePauseArchive(makeFolderIn(folder, 'pause'), tools.program('pause'))
      const containerd = ['--address', join(folder, 'runtime.sock'), '--namespace', namespace]
      for (const archive of [pause, ...archives])
        await runCommand('ctr', [...containerd, 'images', 'import', archive], { withinMs: importMsMax })
    },
    clean: removeGroups,
  }
}

/**
 * The first process of the machine. What is written to /var and /run stays in its own layers; containerd ends with it.
 * $0 is the folder, the rest is the kubelet.
 */
const machineScript = `set -eu
mkdir -p "$0/layers"
mount -t tmpfs -o mode=755 tmpfs "$0/layers"
for place in var run; do
  mkdir "$0/layers/$place" "$0/layers/$place.work"
  mount -t overlay -o "lowerdir=/$place,upperdir=$0/layers/$place,workdir=$0/layers/$place.work" overlay "/$place"
done
containerd --config "$0/containerd.toml" >>"$0/containerd.log" 2>&1 &
while [ ! -S "$0/runtime.sock" ]; do sleep 0.1; done
"$@"
`

const containerdConfiguration = (folder: string) => `version = 2
root = "${folder}/containerd"
state = "/run/flotilla-containerd"
# Of no use here; they look at devices and folders that are not ours.
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${folder}/runtime.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Not every root may protect a process from running out of memory, nor load profiles.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${plugins}"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`

/** A cable for each pod, and every packet routed, as on the nodes of processes. */
function writeNetworkConfiguration(folder: string, nth: number): void {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: addresses.podsOf(nth) }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const configuration = { cniVersion: '0.4.0', name: 'pods', plugins: [{ type: 'ptp', ipMasq: false, ipam }] }
  writeFileSync(join(makeFolderIn(folder, 'cni'), 'pods.conflist'), JSON.stringify(configuration))
}

/** An image of one program, in the form of `docker save`. */
async function makePauseArchive(folder: string, program: string): Promise<string> {
  const layer = join(folder, 'layer.tar')
  await runCommand('tar', ['--create', '--file', layer, '--directory', join(program, '..'), 'pause'])
  const digest = createHash('sha256').update(readFileSync(layer)).digest('hex')
  const configuration = {
    architecture: arch() === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/pause'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  }
  const manifest = [{ Config: 'config.json', RepoTags: [pauseImage], Layers: ['layer.tar'] }]
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration))
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  const archive = join(folder, 'pause.tar')
  const files = ['manifest.json', 'config.json', 'layer.tar']
  await runCommand('tar', ['--create', '--file', archive, '--directory', folder, ...files])
  return archive
}

/** Control groups are the machine's own and outlive what was in them, which may take a moment to go. */
async function removeGroups(folder: string): Promise<void> {
  const tasks = join(folder, 'containerd', 'io.containerd.runtime.v2.task', namespace)
  const ids = new Set(existsSync(tasks) ? readdirSync(tasks) : [])
  const isOurs = (group: string) => ids.has(basename(group))
  const groups = [`/sys/fs/cgroup/${namespace}/*`, `/sys/fs/cgroup/*/${namespace}/*`].flatMap(glob => globSync(glob))
  for (const group of groups.filter(isOurs))
    await until(() => remove(group), { what: `${group} is empty`, withinMs: 10_000, everyMs: 50 })
}

function remove(group: string): boolean {
  rmdirSync(group)
  return true
}
