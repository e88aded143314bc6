/**
 * k8s/ is the chart without Helm: a base that is rendered from it, and overlays whose patches are the difference that
 * their values.yaml makes. Here is how both are made; `npm run k8s:render` writes them, a test lets kustomize put them
 * together and compares the result with what the chart renders.
 */
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { type KubeObject, render } from './chart.ts'
import { nameOf } from './chart-pods.ts'
import { inProject } from './root.ts'

/** Each overlay with the one that it stands on. */
export const overlays: Readonly<Record<string, string>> = {
  trial: 'base',
  production: 'base',
  'region-eu': 'overlays/production',
  'region-us': 'overlays/production',
}

const valuesOf = (folder: string) => inProject(`k8s/${folder}/values.yaml`)

/** The folders from the base to an overlay. */
function folders(folder: string): string[] {
  const parent = overlays[folder.replace('overlays/', '')]
  return parent === undefined ? [folder] : [...folders(parent), folder]
}

/** What the chart renders for a folder, without what only Helm can use: hooks, tests, its own labels. */
export async function objectsOf(helm: string, folder: string): Promise<KubeObject[]> {
  const objects = await render(helm, { values: folders(folder).map(valuesOf), namespace: 'flotilla' })
  return objects.filter(object => object.metadata.annotations?.['helm.sh/hook'] === undefined).map(withoutHelm)
}

/** A copy without the labels by which Helm knows its own. */
function withoutHelm<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutHelm) as T
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(
    ([key]) => key !== 'helm.sh/chart' && key !== 'app.kubernetes.io/managed-by',
  )
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutHelm(inner)])) as T
}

/** Lists that a strategic merge joins by a key; all others it replaces. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  topologySpreadConstraints: 'topologyKey',
}
type Plain = Record<string, unknown>
const isMap = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** The strategic merge patch that makes `to` out of `from`. */
export function patchOf(from: Plain, to: Plain): Plain {
  const patch: Plain = {}
  for (const key of Object.keys(from)) if (!(key in to)) patch[key] = null
  for (const [key, value] of Object.entries(to)) {
    const before = from[key]
    const mergeKey = mergeKeys[key]
    if (same(before, value)) continue
    if (isMap(before) && isMap(value)) patch[key] = patchOf(before, value)
    else if (mergeKey !== undefined && Array.isArray(before) && Array.isArray(value))
      patch[key] = patchOfList(before as Plain[], value as Plain[], mergeKey)
    else if (Array.isArray(value) && key === 'ports') patch[key] = [...(value as Plain[]), { $patch: 'replace' }]
    else patch[key] = value
  }
  return patch
}

function patchOfList(from: readonly Plain[], to: readonly Plain[], key: string): Plain[] {
  const find = (list: readonly Plain[], name: unknown) => list.find(one => one[key] === name)
  const gone = from.filter(one => find(to, one[key]) === undefined).map(one => ({ [key]: one[key], $patch: 'delete' }))
  const changed = to.flatMap(one => {
    const before = find(from, one[key])
    if (before === undefined) return [one]
    return same(before, one) ? [] : [{ [key]: one[key], ...patchOf(before, one) }]
  })
  return [...changed, ...gone]
}

const header = (folder: string) =>
  `# Made by \`npm run k8s:render\` from helm/flotilla and ${folder}/values.yaml: change those.\n`
const asYaml = (folder: string, objects: readonly object[]) =>
  header(folder) +
  objects.map(object => `---\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`).join('')

/** The files of k8s/ by their path in it. */
export async function makeFiles(helm: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  const base = await objectsOf(helm, 'base')
  const components = Map.groupBy(base, object => object.metadata.labels?.['app.kubernetes.io/component'] ?? '')
  for (const [component, objects] of components) files[`base/${component}.yaml`] = asYaml('base', objects)
  files['base/kustomization.yaml'] = `${header('base')}${stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'flotilla',
    resources: ['namespace.yaml', ...[...components.keys()].map(component => `${component}.yaml`)],
  })}`
  for (const [name, parent] of Object.entries(overlays)) {
    const folder = `overlays/${name}`
    const [from, to] = [await objectsOf(helm, parent), await objectsOf(helm, folder)]
    const { added, patches } = difference(from, to)
    if (added.length > 0) files[`${folder}/added.yaml`] = asYaml(folder, added)
    files[`${folder}/patches.yaml`] = asYaml(folder, patches)
  }
  return files
}

/** What an overlay adds to the one that it stands on, and the patches for the rest. */
function difference(from: readonly KubeObject[], to: readonly KubeObject[]) {
  const before = new Map(from.map(object => [nameOf(object), object]))
  const after = new Map(to.map(object => [nameOf(object), object]))
  const identity = ({ apiVersion, kind, metadata: { name } }: KubeObject) => ({ apiVersion, kind, metadata: { name } })
  const gone = from
    .filter(object => !after.has(nameOf(object)))
    .map(object => ({ $patch: 'delete', ...identity(object) }))
  const changed = to.flatMap(object => {
    const old = before.get(nameOf(object))
    if (old === undefined || same(old, object)) return []
    const { metadata, ...patch } = patchOf(old, object)
    return [
      {
        ...identity(object),
        ...(isMap(metadata) ? { metadata: { name: object.metadata.name, ...metadata } } : {}),
        ...patch,
      },
    ]
  })
  return { added: to.filter(object => !before.has(nameOf(object))), patches: [...changed, ...gone] }
}

/** The files of k8s/ that are not what the chart says now. */
export async function staleFiles(helm: string): Promise<string[]> {
  const files = await makeFiles(helm)
  const read = (path: string) => {
    try {
      return readFileSync(inProject(`k8s/${path}`), 'utf8')
    } catch {
      return undefined
    }
  }
  return Object.keys(files).filter(path => read(path) !== files[path])
}
