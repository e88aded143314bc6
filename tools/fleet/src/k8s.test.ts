/** k8s/ is what the chart renders: by file, and after kustomize has put the overlays together. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseTokenKeys } from '@flotilla/api'
import { parseSecretKeys } from '@flotilla/service'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { findTool, type KubeObject, parseObjects, runTool } from './chart.ts'
import { nameOf } from './chart-pods.ts'
import { objectsOf, overlays, patchOf, staleFiles } from './k8s.ts'
import { inProject } from './root.ts'

// Helm is quick, but a machine may be busy.
vi.setConfig({ testTimeout: 60_000 })
const helm = findTool('helm')
const kubectl = findTool('kubectl')
const openssl = spawnSync('openssl', ['version']).status === 0
if (!openssl) process.stderr.write('skipped: openssl is missing here; on Debian and Ubuntu: apt-get install openssl\n')
/** A copy, so that secrets can be made in it. */
const copy = mkdtempSync(join(tmpdir(), 'flotilla-k8s-'))
afterAll(() => rmSync(copy, { recursive: true }))
cpSync(inProject('k8s'), copy, { recursive: true, filter: path => !path.includes('/secrets') })
const secrets = join(copy, 'overlays/trial/secrets')
const makeSecrets = () => execFileSync('sh', [join(copy, 'overlays/trial/make-secrets.sh')])
const secret = (name: string) => readFileSync(join(secrets, name), 'utf8')

test.skipIf(helm === undefined)('every file is what `npm run k8s:render` writes', async () => {
  expect(await staleFiles(helm ?? '')).toEqual([])
})

describe.skipIf(!openssl)('the secrets of the trial', () => {
  beforeAll(makeSecrets)

  test('are such that the processes take them, and nobody else reads them', () => {
    for (const name of ['MASTER_KEYS', 'TICKET_KEYS', 'REFRESH_KEYS'])
      expect(parseSecretKeys(secret(name))).toHaveLength(1)
    expect(parseTokenKeys(secret('TOKEN_KEYS'))).toHaveLength(1)
    expect(new URL(secret('DATABASE_URL')).password).toBe(secret('POSTGRES_PASSWORD'))
    expect(new URL(secret('REDIS_URL')).password).toBe(secret('REDIS_PASSWORD'))
    expect(statSync(join(secrets, 'MASTER_KEYS')).mode & 0o077).toBe(0)
  })

  test('are made once', () => {
    const before = secret('MASTER_KEYS')
    makeSecrets()
    expect(secret('MASTER_KEYS')).toBe(before)
  })
})

/** What is compared: names and content, whatever the order that kustomize puts things in. */
function comparable(objects: readonly KubeObject[]): Record<string, unknown> {
  const generated = /^(flotilla-(?:keys|trial))-[a-z0-9]{10}$/
  const normal = (value: unknown, key = ''): unknown => {
    if (Array.isArray(value)) {
      const list = value.map(one => normal(one))
      return ['env', 'volumes', 'volumeMounts', 'topologySpreadConstraints'].includes(key)
        ? list.sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
        : list
    }
    if (typeof value === 'string') return value.replace(generated, '$1')
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => name !== 'namespace')
        .sort(([one], [other]) => one.localeCompare(other))
        .map(([name, inner]) => [name, normal(inner, name)]),
    )
  }
  return Object.fromEntries(objects.map(object => [nameOf(object), normal(object)]))
}

describe.skipIf(helm === undefined || kubectl === undefined || !openssl)('kustomize', () => {
  beforeAll(makeSecrets)

  test.each(['base', ...Object.keys(overlays).map(name => `overlays/${name}`)])(
    'makes of %s what the chart renders',
    async folder => {
      const { code, stdout, stderr } = await runTool(kubectl ?? '', ['kustomize', join(copy, folder)])
      expect(code, stderr).toBe(0)
      const built = parseObjects(stdout)
      // Not the chart's: the namespace, and the secrets of the trial.
      const beside = built
        .filter(object => object.kind === 'Namespace' || object.kind === 'Secret')
        .map(object => object.kind)
      expect(beside).toEqual(folder === 'overlays/trial' ? ['Namespace', 'Secret', 'Secret'] : ['Namespace'])
      const rest = built.filter(object => object.kind !== 'Namespace' && object.kind !== 'Secret')
      expect(comparable(rest)).toEqual(comparable(await objectsOf(helm ?? '', folder)))
    },
  )
})

test('a patch names what has changed, and deletes what has gone', () => {
  const from = {
    keep: 1,
    gone: 2,
    map: { a: 1 },
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ],
    list: [1],
  }
  const to = {
    keep: 1,
    map: { a: 1, b: 2 },
    env: [
      { name: 'A', value: '9' },
      { name: 'C', value: '3' },
    ],
    list: [2],
  }
  expect(patchOf(from, to)).toEqual({
    gone: null,
    map: { b: 2 },
    env: [
      { name: 'A', value: '9' },
      { name: 'C', value: '3' },
      { name: 'B', $patch: 'delete' },
    ],
    list: [2],
  })
})
