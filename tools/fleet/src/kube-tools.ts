/**
 * Where the programs of a cluster are: built from tools/kube by `npm run kube:tools` into a folder of the cache that is
 * named by what they are made of, so that a change makes new ones and everything else finds them there.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inProject } from './root.ts'

/** The folder of the Go module. */
export const kubeSources = inProject('tools/kube')

/** The parts of Kubernetes in one binary, by the names of the links to it. */
export const kubeParts = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
] as const

export interface KubeTools {
  /** The path of a program: `kubectl`, `helm`, `kubeconform` … */
  program(name: string): string
  /** Definitions of foreign objects that the chart may make: YAML, all in one. */
  definitions(): string
}

/** Where definitions of foreign objects come from: files of Go modules, so that one registry has all. */
export interface DefinitionSource {
  readonly module: string
  readonly version: string
  /** What Go says of the module's content. */
  readonly sum: string
  /** A glob within the module. */
  readonly files: string
}

export function definitionSources(): DefinitionSource[] {
  return JSON.parse(readFileSync(join(kubeSources, 'crds.json'), 'utf8')) as DefinitionSource[]
}

/** The folder that everything is in, or would be. */
export function kubeToolsFolder(env: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'crds.json', ...globSync('cmd/*/*.go', { cwd: kubeSources }).sort()])
    hash.update(`${file}\0`).update(readFileSync(join(kubeSources, file)))
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'flotilla', `kube-${hash.digest('hex').slice(0, 16)}`)
}

/** @returns undefined where they were not built */
export function findKubeTools(): KubeTools | undefined {
  const folder = kubeToolsFolder()
  if (!existsSync(folder)) return undefined
  return {
    program: name => join(folder, 'bin', name),
    definitions: () =>
      globSync('crds/*.yaml', { cwd: folder })
        .map(file => readFileSync(join(folder, file), 'utf8'))
        .join('\n---\n'),
  }
}
