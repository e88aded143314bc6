/**
 * The gateway's real image in real containers: kubelet, containerd and runc, a read-only root, a user of no name, no rights.
 * What the other fleet tests show with processes is held against it here: how a gateway begins, is watched, and ends.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, type Pod, whyNoCluster, whyNoContainers } from './cluster.ts'
import { ensureBaseImages } from './containers/base-images.ts'
import { type Engine, findEngine } from './containers/engine.ts'
import { type FleetRelease, installRelease } from './fleet-release.ts'
import { startProductCluster } from './product.ts'
import { inProject } from './root.ts'
import { skipAloud } from './skip.ts'

const engine = await findEngine()
const missing = whyNoCluster() ?? whyNoContainers() ?? (typeof engine === 'string' ? engine : undefined)

const version = (JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string }).version
const repository = 'localhost/flotilla-test/gateway'
const drainMs = 2_000
const preStopSeconds = 2

describe.skipIf(skipAloud('the gateway in real containers', missing))('a gateway in a container', () => {
  const folder = makeFolder('images')
  let cluster: Cluster
  let release: FleetRelease

  beforeAll(async () => {
    const archive = await buildArchive(engine as Engine, join(folder, 'gateway.tar'))
    cluster = await startProductCluster({ nodes: 1, containerNode: { archives: [archive] } })
    const node = cluster.nodes.at(-1)?.name ?? ''
    // Whatever else there is has no image there.
    const taints = [{ key: 'containers', effect: 'NoSchedule' }]
    await cluster.api.patch(`/api/v1/nodes/${node}`, { spec: { taints } })
    release = await installRelease({
      cluster,
      values: {
        gateway: {
          replicas: 2,
          drainMs,
          preStopSeconds,
          image: { repository, tag: version },
          nodeSelector: { 'kubernetes.io/hostname': node },
          tolerations: [{ key: 'containers', operator: 'Exists' }],
        },
        // One node has room for all of them.
        topologySpread: { host: 'ScheduleAnyway' },
      },
    })
  }, 1_800_000)
  afterAll(async () => {
    await cluster?.stop()
    dropFolder(folder)
  })

  const first = async () => {
    const [pod] = await release.pods('gateway')
    if (pod === undefined) throw new Error('unable to find a gateway')
    return pod
  }
  const inside = ({ metadata }: Pod, ...command: string[]) =>
    cluster.kubectl(['exec', '--namespace', release.namespace, metadata.name, '--', ...command])
  const restarts = async (name: string) => {
    const pod = await cluster.api.get<Pod>(`/api/v1/namespaces/${release.namespace}/pods/${name}`)
    return { ...pod.status.containerStatuses?.[0] }
  }

  test('is started by containerd, and passes a message on', async () => {
    const pod = await first()
    const described = await cluster.kubectl(['get', 'node', pod.spec.nodeName ?? '', '--output', 'wide'])
    expect(described).toMatch(/containerd:\/\//)
    expect(await release.test()).toMatch(/acknowledged and delivered in \d+ ms/)
  })

  test('runs as nobody, on a root that it cannot write to, without rights', async () => {
    const pod = await first()
    expect((await inside(pod, 'id', '-u')).trim()).toBe('65532')
    await expect(inside(pod, 'touch', '/app/file')).rejects.toThrow(/Read-only file system/)
    await inside(pod, 'touch', '/tmp/file')
    const status = await inside(pod, 'cat', '/proc/self/status')
    expect(status).toMatch(/^CapBnd:\s*0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m)
    expect(status).toMatch(/^Seccomp:\s*2$/m)
  })

  test('is started again when its process has died', async () => {
    const pod = await first()
    await inside(pod, 'sh', '-c', 'kill -KILL $(pidof node)')
    await until(
      async () => {
        const { restartCount, ready } = await restarts(pod.metadata.name)
        return restartCount === 1 && ready === true
      },
      { what: 'the gateway is started again and ready', withinMs: 60_000, everyMs: 250 },
    )
  })

  test('ends as it is asked to: its hook, its drain, and nothing left to kill', async () => {
    const pod = await first()
    const began = performance.now()
    await cluster.api.delete(`/api/v1/namespaces/${release.namespace}/pods/${pod.metadata.name}`)
    const log = cluster.kubectl(['logs', '--follow', '--namespace', release.namespace, pod.metadata.name])
    await until(
      async () => (await release.pods('gateway')).every(({ metadata }) => metadata.uid !== pod.metadata.uid),
      {
        what: 'the gateway is gone',
        withinMs: 90_000,
        everyMs: 100,
      },
    )
    const tookMs = performance.now() - began
    expect(await log).toContain('drain completed')
    expect(tookMs).toBeGreaterThan(preStopSeconds * 1_000)
    expect(tookMs).toBeLessThan(((pod.spec.terminationGracePeriodSeconds ?? 0) - 5) * 1_000)
    await release.settled()
  })
})

/** Quick when its layers are there. */
async function buildArchive(engine: Engine, archive: string): Promise<string> {
  const tag = `${repository}:${version}`
  await ensureBaseImages(engine)
  await engine.build({ target: 'gateway', tag, args: { VERSION: version } })
  await engine.cli(['save', '--output', archive, tag], { withinMs: 120_000 })
  return archive
}
