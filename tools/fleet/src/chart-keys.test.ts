/**
 * What the chart makes itself: keys and passwords. Templates ask the API server what is there, so a small one answers
 * here; kube.fleet.test.ts installs on a real one.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseTokenKeys } from '@flotilla/api'
import { parseSecretKeys } from '@flotilla/service'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findTool, type KubeObject, parseObjects, type RenderOptions, template } from './chart.ts'

// Helm is quick, but a machine may be busy.
vi.setConfig({ testTimeout: 60_000 })
const helm = findTool('helm')

/** The Secrets and Deployments that the cluster has, and nothing else. */
let there: KubeObject[] = []
let server: Server

/** What the API server knows: Helm asks for each kind that it renders. */
const groups: Readonly<Record<string, readonly string[]>> = {
  v1: ['Secret', 'Service', 'ServiceAccount', 'ConfigMap', 'Pod'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'batch/v1': ['Job'],
  'policy/v1': ['PodDisruptionBudget'],
  'networking.k8s.io/v1': ['NetworkPolicy'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding'],
}
const plural = (kind: string) => kind.toLowerCase().replace(/y$/, 'ie') + 's'

function describeGroups(): object {
  const named = Object.keys(groups).filter(group => group !== 'v1')
  const entries = named.map(groupVersion => {
    const [name, version] = groupVersion.split('/')
    return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } }
  })
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: entries }
}

function answer(path: string): object | undefined {
  if (path === '/version') return { major: '1', minor: '37', gitVersion: 'v1.37.2' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') return describeGroups()
  for (const [groupVersion, kinds] of Object.entries(groups)) {
    const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`
    const resources = kinds.map(kind => ({
      name: plural(kind),
      singularName: '',
      namespaced: true,
      kind,
      verbs: ['get', 'list'],
    }))
    if (path === root) return { kind: 'APIResourceList', groupVersion, resources }
    for (const kind of kinds) {
      const list = `${root}/namespaces/chat/${plural(kind)}`
      const items = there.filter(one => one.kind === kind)
      if (path === list)
        return { kind: `${kind}List`, apiVersion: groupVersion, metadata: { resourceVersion: '1' }, items }
      const found = items.find(one => path === `${list}/${one.metadata.name}`)
      if (found !== undefined) return found
    }
  }
  return undefined
}

const trial = { set: ['trial.enabled=true'] }

/** As an installation would render on that cluster; with `--is-upgrade` as an upgrade. */
async function onCluster(options: RenderOptions): Promise<{ objects: KubeObject[]; stderr: string }> {
  const { port } = server.address() as AddressInfo
  const args = [
    '--dry-run=server',
    '--disable-openapi-validation',
    '--kube-apiserver',
    `http://127.0.0.1:${port}`,
    ...(options.args ?? []),
  ]
  const { code, stdout, stderr } = await template(helm ?? '', { ...options, args })
  if (code !== 0 && !stderr.includes('do not fit together')) throw new Error(`unable to render: ${stderr}`)
  return { objects: code === 0 ? parseObjects(stdout) : [], stderr }
}

const secretOf = (objects: readonly KubeObject[], name: string) =>
  objects.find(object => object.kind === 'Secret' && object.metadata.name === name)
const plain = (secret: KubeObject | undefined, key: string) =>
  Buffer.from(secret?.data?.[key] ?? '', 'base64').toString()

describe.skipIf(helm === undefined)('what the chart makes once', () => {
  beforeAll(async () => {
    server = createServer((request, response) => {
      const body = answer((request.url ?? '').split('?')[0] ?? '')
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
      const missing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }
      response.end(JSON.stringify(body ?? missing))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise(resolve => server.close(resolve)))
  beforeEach(() => {
    there = []
  })

  test('keys are new, and such that the processes take them', async () => {
    const { objects } = await onCluster(trial)
    const keys = secretOf(objects, 'flotilla-keys')
    for (const name of ['MASTER_KEYS', 'TICKET_KEYS', 'REFRESH_KEYS'])
      expect(parseSecretKeys(plain(keys, name))).toHaveLength(1)
    expect(parseTokenKeys(plain(keys, 'TOKEN_KEYS'))).toHaveLength(1)
    const again = secretOf((await onCluster(trial)).objects, 'flotilla-keys')
    for (const name of Object.keys(keys?.data ?? {})) expect(again?.data?.[name]).not.toBe(keys?.data?.[name])
    // A hook, and kept: no upgrade, rollback or uninstallation knows of it.
    expect(keys?.metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install',
      'helm.sh/hook-weight': '-20',
      'helm.sh/resource-policy': 'keep',
    })
  })

  test('passwords of the trial fit their URLs', async () => {
    const secret = secretOf((await onCluster(trial)).objects, 'flotilla-trial')
    const database = new URL(plain(secret, 'DATABASE_URL'))
    expect(database.password).toBe(plain(secret, 'POSTGRES_PASSWORD'))
    expect(database.host).toBe('flotilla-postgresql.chat.svc.cluster.local:5432')
    const redis = new URL(plain(secret, 'REDIS_URL'))
    expect(redis.password).toBe(plain(secret, 'REDIS_PASSWORD'))
    expect(redis.password).toHaveLength(32)
    expect(redis.host).toBe('flotilla-redis.chat.svc.cluster.local:6379')
  })

  test('what is there is not rendered again, so nothing can change it', async () => {
    const made = (await onCluster(trial)).objects
    there = made.filter(object => object.kind === 'Secret')
    expect(there.map(secret => secret.metadata.name).sort()).toEqual(['flotilla-keys', 'flotilla-trial'])
    for (const args of [['--is-upgrade'], []]) {
      const { objects } = await onCluster({ ...trial, args })
      expect(objects.filter(object => object.kind === 'Secret')).toEqual([])
      expect(objects.some(object => object.kind === 'Deployment')).toBe(true)
    }
  })

  test('an upgrade without the keys is refused: new ones would not open the messages', async () => {
    const { objects, stderr } = await onCluster({ ...trial, args: ['--is-upgrade'] })
    expect(objects).toEqual([])
    expect(stderr).toContain(
      '- The Secret flotilla-keys with the generated keys is gone from the namespace chat. New keys could not read the stored messages: restore it from your backup before the upgrade.',
    )
  })

  describe('the number of pods under an autoscaler', () => {
    const scaled = {
      cases: ['external'],
      set: ['autoscaling.enabled=true', 'autoscaling.min=3'],
      args: ['--is-upgrade'],
    }
    const replicas = async (options: RenderOptions) =>
      (await onCluster(options)).objects.find(
        object => object.metadata.name === 'flotilla-gateway' && object.kind === 'Deployment',
      )?.spec?.['replicas']
    const owned = { 'f:spec': { 'f:replicas': {} } }
    const gateways = (managedFields: object[]) =>
      ({
        kind: 'Deployment',
        apiVersion: 'apps/v1',
        metadata: { name: 'flotilla-gateway', namespace: 'chat', managedFields },
        spec: { replicas: 7 },
      }) as unknown as KubeObject

    test('begins at its minimum', async () => {
      expect(await replicas(scaled)).toBe(3)
    })

    test('stays what it is while Helm owns it, whether by server-side apply or before', async () => {
      there = [gateways([{ manager: 'helm', operation: 'Apply', fieldsV1: owned }])]
      expect(await replicas(scaled)).toBe(7)
      there = [
        gateways([
          { manager: 'helm', operation: 'Update', fieldsV1: { 'f:spec': {} } },
          { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale', fieldsV1: owned },
        ]),
      ]
      expect(await replicas(scaled)).toBe(7)
    })

    test('is left to the autoscaler once it owns it', async () => {
      there = [
        gateways([
          { manager: 'helm', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:selector': {} } } },
          { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale', fieldsV1: owned },
        ]),
      ]
      expect(await replicas(scaled)).toBeUndefined()
    })
  })
})
