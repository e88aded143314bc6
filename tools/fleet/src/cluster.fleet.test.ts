/**
 * The cluster that the other tests stand on, and its nodes above all: that pods of processes live and die as pods of
 * containers do.
 */
import { realpathSync } from 'node:fs'
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, type KubeObject, type Pod, startCluster, whyNoCluster } from './cluster.ts'
import { skipAloud } from './skip.ts'

const images = {
  shell: { command: ['sh', '-euc'] },
  node: { folders: { '/usr/local/bin/node': realpathSync(process.execPath) }, command: ['node', '-e'], uid: 65_532 },
}

describe.skipIf(skipAloud('a cluster of process pods', whyNoCluster()))('a cluster', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2, images })
  })
  afterAll(() => cluster?.stop())

  const create = (kind: string, path: string, name: string, rest: object) =>
    cluster.api.create(path, { apiVersion: 'v1', kind, metadata: { name, labels: { app: name } }, ...rest })
  const pods = '/api/v1/namespaces/default/pods'
  const createPod = (name: string, spec: object) => create('Pod', pods, name, { spec })
  const pod = (name: string) => cluster.api.get<Pod>(`${pods}/${name}`)
  const log = (name: string, container?: string) => cluster.podLog('default', name, container)
  const phase = async (name: string, wanted: string) => {
    const ended = ['Succeeded', 'Failed']
    const reached = await until(
      async () => {
        const { phase: now } = (await pod(name)).status
        return now === wanted || ended.includes(now) ? now : undefined
      },
      { what: `${name} is ${wanted}`, withinMs: 40_000, everyMs: 100 },
    )
    expect(reached, log(name)).toBe(wanted)
  }
  const isReady = (one: Pod) => one.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
  const ready = (name: string) =>
    until(async () => isReady(await pod(name)), { what: `${name} is ready`, withinMs: 40_000, everyMs: 100 })
  const gone = (name: string) =>
    until(
      () =>
        pod(name).then(
          () => false,
          () => true,
        ),
      { what: `${name} is gone`, withinMs: 40_000, everyMs: 100 },
    )

  test('a container finds what its pod says: settings, files, a name, an address, and no more rights than that', async () => {
    await create('Secret', '/api/v1/namespaces/default/secrets', 'keys', { stringData: { key: 'a secret' } })
    await create('ConfigMap', '/api/v1/namespaces/default/configmaps', 'texts', { data: { text: 'a text' } })
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs')
      const attempt = action => { try { return action() } catch (error) { return error.code } }
      console.log(JSON.stringify({
        environment: [process.env.KEY, process.env.NAME, process.env.IP, process.env.text],
        files: [readFileSync('/keys/key', 'utf8'), readFileSync('/etc/texts/text', 'utf8')],
        host: require('node:os').hostname(),
        address: require('node:os').networkInterfaces().eth0[0].address,
        process: [process.pid, process.getuid(), process.getgid()],
        written: [attempt(() => writeFileSync('/file', '')), attempt(() => writeFileSync('/tmp/file', ''))],
        capabilities: /CapBnd:\\s*(\\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
      }))`
    const from = (source: object, name: string) => ({ name, valueFrom: source })
    await createPod('seeing', {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'one',
          image: 'node',
          args: [script],
          env: [
            from({ secretKeyRef: { name: 'keys', key: 'key' } }, 'KEY'),
            from({ fieldRef: { fieldPath: 'metadata.name' } }, 'NAME'),
            from({ fieldRef: { fieldPath: 'status.podIP' } }, 'IP'),
          ],
          envFrom: [{ configMapRef: { name: 'texts' } }],
          securityContext: {
            runAsNonRoot: true,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'keys', mountPath: '/keys' },
            { name: 'texts', mountPath: '/etc/texts' },
            { name: 'tmp', mountPath: '/tmp' },
          ],
        },
      ],
      volumes: [
        { name: 'keys', secret: { secretName: 'keys' } },
        { name: 'texts', configMap: { name: 'texts' } },
        { name: 'tmp', emptyDir: {} },
      ],
    })
    await phase('seeing', 'Succeeded')
    const address = (await pod('seeing')).status.podIP
    expect(JSON.parse(log('seeing'))).toEqual({
      environment: ['a secret', 'seeing', address, 'a text'],
      files: ['a secret', 'a text'],
      host: 'seeing',
      address,
      process: [1, 65_532, 65_532],
      written: ['EROFS', null],
      capabilities: '0000000000000000',
    })
  })

  test('a pod may ask the API as its ServiceAccount, what that is allowed', async () => {
    await cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: readers, namespace: default}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: readers}
subjects: [{kind: ServiceAccount, name: default, namespace: default}]`)
    const script = `
      const { readFileSync } = require('node:fs')
      const account = name => readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/' + name)
      const ask = path => new Promise((resolve, reject) => require('node:https').get(
        { host: 'kubernetes.default.svc', path, ca: account('ca.crt'), agent: false,
          headers: { authorization: 'Bearer ' + account('token') } },
        response => resolve(response.resume().statusCode)).on('error', reject))
      Promise.all(['pods/asking', 'secrets'].map(path => ask('/api/v1/namespaces/default/' + path)))
        .then(codes => console.log(codes.join(' ')))`
    await createPod('asking', { restartPolicy: 'Never', containers: [{ name: 'one', image: 'node', args: [script] }] })
    await phase('asking', 'Succeeded')
    expect(log('asking')).toBe('200 403\n')
  })

  test('init containers run one after another, before the others', async () => {
    const container = (name: string, line: string) => ({
      name,
      image: 'shell',
      args: [line],
      volumeMounts: [{ name: 'notes', mountPath: '/notes' }],
    })
    await createPod('begun', {
      restartPolicy: 'Never',
      initContainers: [
        container('first', 'sleep 1; echo first >>/notes/all'),
        container('second', 'echo second >>/notes/all'),
      ],
      containers: [container('third', 'cat /notes/all'), container('fourth', 'cat /notes/all')],
      volumes: [{ name: 'notes', emptyDir: {} }],
    })
    await phase('begun', 'Succeeded')
    expect([log('begun', 'third'), log('begun', 'fourth')]).toEqual(['first\nsecond\n', 'first\nsecond\n'])
  })

  test('a Job ends when its pod does, and is tried again when that fails', async () => {
    const job = (name: string, line: string) =>
      cluster.api.create('/apis/batch/v1/namespaces/default/jobs', {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: {
          backoffLimit: 1,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'one', image: 'shell', args: [line] }] } },
        },
      })
    const outcome = (name: string) =>
      until(
        async () => {
          const { status } = await cluster.api.get<Job>(`/apis/batch/v1/namespaces/default/jobs/${name}`)
          return status?.conditions?.find(({ type }) => type === 'Complete' || type === 'Failed')?.type
        },
        { what: `the job ${name} ends`, withinMs: 60_000, everyMs: 200 },
      )
    await job('good', 'echo done')
    await job('bad', 'echo why >/dev/termination-log; exit 3')
    expect(await outcome('good')).toBe('Complete')
    expect(await outcome('bad')).toBe('Failed')
    const tried = await cluster.api.pods('default', { 'batch.kubernetes.io/job-name': 'bad' })
    const states = tried.map(({ status }) => status.containerStatuses?.[0]?.state['terminated'])
    const failed = expect.objectContaining({ exitCode: 3, reason: 'Error', message: 'why\n' })
    expect(states).toEqual([failed, failed])
  })

  test('probes decide who is ready and who is started again', async () => {
    await createPod('probed', {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'one',
          image: 'shell',
          args: ['echo started; touch /alive; sleep 2; touch /ready; sleep 600'],
          startupProbe: { exec: { command: ['test', '-e', '/alive'] }, periodSeconds: 1 },
          readinessProbe: { exec: { command: ['test', '-e', '/ready'] }, periodSeconds: 1 },
          livenessProbe: { exec: { command: ['test', '-e', '/alive'] }, periodSeconds: 1, failureThreshold: 2 },
        },
      ],
    })
    await phase('probed', 'Running')
    expect(isReady(await pod('probed'))).toBe(false)
    await ready('probed')
    await cluster.kubectl(['exec', 'probed', '--', 'rm', '/alive'])
    await until(async () => (await pod('probed')).status.containerStatuses?.[0]?.restartCount === 1, {
      what: 'the container is started again',
      withinMs: 40_000,
      everyMs: 200,
    })
    await ready('probed')
    expect(log('probed')).toBe('started\nstarted\n')
  })

  test('a pod ends as asked: its hook, then SIGTERM, and SIGKILL when its grace is over', async () => {
    const container = {
      image: 'shell',
      lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook >/proc/1/fd/1; sleep 1'] } } },
    }
    await createPod('ending', {
      terminationGracePeriodSeconds: 4,
      containers: [
        { ...container, name: 'polite', args: ["trap 'echo asked; exit 0' TERM; while :; do sleep 0.1; done"] },
        { ...container, name: 'deaf', args: ["trap 'echo asked' TERM; while :; do sleep 0.1; done"] },
      ],
    })
    await ready('ending')
    const began = performance.now()
    await cluster.api.delete(`${pods}/ending`)
    await gone('ending')
    const seconds = (performance.now() - began) / 1_000
    expect([log('ending', 'polite'), log('ending', 'deaf')]).toEqual(['hook\nasked\n', 'hook\nasked\n'])
    expect(seconds).toBeGreaterThan(3)
  })

  test('a Service leads to ready pods, by its address and by its name', async () => {
    const script = `require('node:http').createServer((_, response) => response.end(process.env.HOSTNAME)).listen(8080)`
    const container = {
      image: 'node',
      args: [script],
      readinessProbe: { tcpSocket: { port: 8_080 }, periodSeconds: 1 },
    }
    for (const name of ['served-1', 'served-2'])
      await cluster.api.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels: { app: 'served' } },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ ...container, name: 'one' }] },
      })
    await create('Service', '/api/v1/namespaces/default/services', 'served', {
      spec: { selector: { app: 'served' }, ports: [{ port: 80, targetPort: 8_080 }] },
    })
    await Promise.all([ready('served-1'), ready('served-2')])
    const { spec } = await cluster.api.get<KubeObject & { spec: { clusterIP: string } }>(
      '/api/v1/namespaces/default/services/served',
    )
    const seen = new Set<string>()
    await until(
      async () => seen.add((await cluster.fetch(`http://${spec.clusterIP}/`, { withinMs: 1_000 })).text).size === 2,
      { what: 'both pods answer at the address of the Service', withinMs: 20_000 },
    )
    const byName = `fetch('http://served.default.svc/', { signal: AbortSignal.timeout(3_000) }).then(response => response.text()).then(console.log)`
    await until(
      async () => /^served-\d\n$/.test(await cluster.kubectl(['exec', 'served-1', '--', 'node', '-e', byName])),
      {
        what: 'a pod reaches the Service by its name',
        withinMs: 60_000,
      },
    )
    expect(await cluster.kubectl(['logs', 'served-1'])).toBe('')
  })

  test('a node that is cut off or gone loses its pods, and comes back', async () => {
    const [, second] = cluster.nodes
    if (second === undefined) throw new Error('unable to find the second node')
    await cluster.api.create('/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'moving' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'moving' } },
        template: {
          metadata: { labels: { app: 'moving' } },
          spec: {
            terminationGracePeriodSeconds: 1,
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: 'kubernetes.io/hostname',
                whenUnsatisfiable: 'ScheduleAnyway',
                labelSelector: { matchLabels: { app: 'moving' } },
              },
            ],
            containers: [{ name: 'one', image: 'shell', args: ['sleep 600'] }],
          },
        },
      },
    })
    const moved = async (nodes: readonly string[]) => {
      const running = (await cluster.api.pods('default', { app: 'moving' })).filter(
        one => isReady(one) === true && one.metadata.deletionTimestamp === undefined,
      )
      const on = running.map(({ spec }) => spec.nodeName ?? '')
      return on.toSorted((a, b) => a.localeCompare(b)).join() === nodes.join()
    }
    const awaitMoved = (...nodes: string[]) =>
      until(() => moved(nodes), { what: `the pods run on ${nodes.join()}`, withinMs: 60_000, everyMs: 250 })
    await awaitMoved('node-1', 'node-2')

    await second.freeze()
    await awaitMoved('node-1', 'node-1')
    await second.thaw()
    // The kubelet is back, and does what it was told meanwhile.
    await until(async () => (await cluster.api.pods('default', { app: 'moving' })).length === 2, {
      what: 'the pod that was given up has ended',
      withinMs: 60_000,
      everyMs: 250,
    })

    await second.kill()
    expect(second.running()).toBe(false)
    await until(async () => !(await nodeIsReady('node-2')), {
      what: 'the loss is noticed',
      withinMs: 60_000,
      everyMs: 250,
    })
    await second.start()
    expect(await nodeIsReady('node-2')).toBe(true)
  })

  const nodeIsReady = async (name: string) => {
    const { status } = await cluster.api.get<Job>(`/api/v1/nodes/${name}`)
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  }
})

interface Job extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}
