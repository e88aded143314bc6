/**
 * The life of a release on a real Kubernetes: installed, tested, rolled out, taken back, scaled by hand and by its
 * connections, drained and removed. The product is the real one, behind its real edge; load is another test's.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseSecretKeys, signTicket } from '@flotilla/service'
import {
  connectSocket,
  makeSessions,
  makeUsers,
  openTestChat,
  type TestChat,
  type TestSocket,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, type KubeObject, type Pod, whyNoCluster } from './cluster.ts'
import { type FleetRelease, installRelease } from './fleet-release.ts'
import { startProductCluster } from './product.ts'
import { skipAloud } from './skip.ts'

const isLong = process.env['FLEET'] === 'long'
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'
const socketPort = 8_081
/** Longer than a new gateway takes to be ready, so that only the pace keeps two from leaving at once. */
const preStopSeconds = 6

describe.skipIf(skipAloud('the life of a release', whyNoCluster()))('a release', () => {
  let cluster: Cluster
  let release: FleetRelease
  let chat: TestChat
  let connect: (pod: Pod, count: number) => Promise<TestSocket[]>

  beforeAll(async () => {
    cluster = await startProductCluster({ customMetrics: true })
    release = await installRelease({ cluster, values: { gateway: { replicas: 2, drainMs: 1_000, preStopSeconds } } })
    const { masterKeys, ticketKeys } = await release.keys()
    chat = await openTestChat(release.databaseUrl, { masterKeys: parseSecretKeys(masterKeys) })
    connect = (pod, count) => connectPeople({ cluster, chat, ticketKeys }, pod, count)
  })
  afterAll(async () => {
    await chat?.close()
    await cluster?.stop()
  })

  const gateways = async () => {
    const pods = await release.pods('gateway')
    return pods.filter(pod => pod.metadata.deletionTimestamp === undefined)
  }
  const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name)
  const gateway = () =>
    cluster.api.get<Deployment>(`/apis/apps/v1/namespaces/${release.namespace}/deployments/${release.name}-gateway`)

  test('delivers a message through its edge', async () => {
    expect(await release.test()).toMatch(/acknowledged and delivered in \d+ ms/)
  })

  test('is rolled out one gateway after another, none before the next is ready', async () => {
    const before = names(await gateways())
    const watch = watchRollout(release)
    await release.upgrade({ gateway: { podAnnotations: { round: 'second' } } })
    await release.settled()
    const seen = await watch.stop()
    const after = await gateways()
    expect(after.map(({ metadata }) => metadata.annotations?.['round'])).toEqual(['second', 'second'])
    expect(before.filter(name => names(after).includes(name))).toEqual([])
    expect(seen.readyMin).toBe(2)
    expect(seen.endingMax).toBe(1)
  })

  test('keeps its gateways when a version does not start, and is taken back', async () => {
    const before = names(await gateways())
    await release.upgrade({ gateway: { image: { tag: 'none' }, podAnnotations: { round: 'third' } } })
    await until(
      async () =>
        (await gateways()).some(({ status }) => status.containerStatuses?.[0]?.state['waiting'] !== undefined),
      { what: 'the new gateway waits for its image', withinMs: 30_000, everyMs: 250 },
    )
    await release.rollback()
    await release.settled()
    expect(names(await gateways())).toEqual(before)
  })

  test('stays as it is when wrong values are refused', async () => {
    const { generation } = (await gateway()).metadata
    await expect(release.upgrade({ gateway: { drainMs: 'long' } })).rejects.toThrow(/drainMs/)
    await release.upgrade({ gateway: { drainMs: 1_000 } })
    expect((await gateway()).metadata.generation).toBe(generation)
  })

  test('loses its emptiest gateway when it is made smaller', async () => {
    await release.upgrade({ gateway: { replicas: 3, preStopSeconds: 1, deletionCost: { enabled: true } } })
    await release.settled()
    const [eldest, ...others] = await gateways()
    if (eldest === undefined) throw new Error('unable to find a gateway')
    // Without a cost it would be the youngest.
    const sockets = (await Promise.all(others.map((pod, nth) => connect(pod, nth + 3)))).flat()
    await until(
      async () => {
        const costs = (await gateways()).map(({ metadata }) => metadata.annotations?.[deletionCost])
        return costs.join() === '0,3,4'
      },
      { what: 'each gateway has told its cost', withinMs: 60_000, everyMs: 500 },
    )
    await release.upgrade({ gateway: { replicas: 2 } })
    await release.settled()
    expect(names(await gateways())).toEqual(names(others))
    expect(sockets.every(socket => socket.open)).toBe(true)
    await Promise.all(sockets.map(socket => socket.close()))
  })

  test('gives up no more gateways at once than its budget allows', async () => {
    const before = await gateways()
    const evict = ({ metadata }: Pod) =>
      cluster.api.create(`/api/v1/namespaces/${release.namespace}/pods/${metadata.name}/eviction`, {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name: metadata.name, namespace: release.namespace },
      })
    const [one, another] = before
    if (one === undefined || another === undefined) throw new Error('unable to find two gateways')
    await evict(one)
    await expect(evict(another)).rejects.toMatchObject({ status: 429 })
    await release.settled()
    const after = names(await gateways())
    expect(after).toHaveLength(2)
    expect(after).toContain(another.metadata.name)
    expect(after).not.toContain(one.metadata.name)
  })

  test('grows with its connections', async () => {
    await release.upgrade({
      gateway: { replicas: null },
      autoscaling: {
        enabled: true,
        min: 2,
        max: 4,
        connectionsPerGateway: 4,
        eventLoopLagMs: 0,
        scaleDown: { periodSeconds: 30, windowSeconds: 30 },
      },
    })
    await release.settled()
    const first = await gateways()
    const sockets = (await Promise.all(first.map(pod => connect(pod, 8)))).flat()
    await until(async () => (await gateways()).length === 4, {
      what: 'there are four gateways',
      withinMs: 60_000,
      everyMs: 500,
    })
    await release.settled()
    await Promise.all(sockets.map(socket => socket.close()))
    if (!isLong) return
    await until(async () => (await gateways()).length === 2, {
      what: 'there are two gateways again',
      withinMs: 180_000,
      everyMs: 500,
    })
    await release.settled()
  })

  test('goes without a trace but for its keys', async () => {
    await release.uninstall()
    const path = (group: string, kind: string) => `${group}/namespaces/${release.namespace}/${kind}`
    await until(async () => (await cluster.api.pods(release.namespace)).length === 0, {
      what: 'the pods are gone',
      withinMs: 90_000,
      everyMs: 250,
    })
    expect(await cluster.api.list(path('/apis/apps/v1', 'deployments'))).toEqual([])
    const secrets = await cluster.api.list(path('/api/v1', 'secrets'))
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/keys$/)])
  })
})

interface Deployment extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number }
}

interface Stage {
  readonly cluster: Cluster
  readonly chat: TestChat
  readonly ticketKeys: string
}

/** Connects people to one gateway, past the edge. */
async function connectPeople({ cluster, chat, ticketKeys }: Stage, pod: Pod, count: number): Promise<TestSocket[]> {
  const users = await makeUsers(chat.ctx.pool, count)
  const sessions = await makeSessions(chat.ctx.pool, users)
  const { port } = await cluster.forward(pod.status.podIP ?? '', socketPort)
  const keys = parseSecretKeys(ticketKeys)
  return Promise.all(
    users.map((user, nth) =>
      connectSocket({
        url: `ws://127.0.0.1:${port}/v1/socket`,
        ticket: signTicket(keys, { user, session: sessions[nth] ?? '' }, Date.now()),
      }),
    ),
  )
}

/** Looks at the gateways again and again: the fewest that took connections, the most that were moving theirs. */
function watchRollout(release: FleetRelease) {
  const seen = { readyMin: Number.POSITIVE_INFINITY, endingMax: 0 }
  const stop = new AbortController()
  const isReady = ({ status }: Pod) =>
    status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const pods = await release.pods('gateway')
      const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      seen.readyMin = Math.min(seen.readyMin, staying.filter(isReady).length)
      seen.endingMax = Math.max(seen.endingMax, pods.length - staying.length)
      await pause(100)
    }
  })()
  return {
    async stop() {
      stop.abort()
      await watching
      return seen
    },
  }
}
