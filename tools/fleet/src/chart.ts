/** The chart, as Helm renders it: for tests of what it says, without a cluster. */
import { execFile } from 'node:child_process'
import { accessSync, constants, globSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { inProject } from './root.ts'

export const chartFolder = inProject('helm/flotilla')

/** The values files of the matrix: each changes a template. */
export const chartCases: readonly string[] = globSync('ci/*.yaml', { cwd: chartFolder })
  .map(file => basename(file, '.yaml'))
  .sort()

/** The parts of an object that tests look at. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: KubeSpec
  readonly data?: Readonly<Record<string, string>>
  readonly [part: string]: unknown
}
export type KubeSpec = Readonly<Record<string, unknown>>

/**
 * A program of the deployment's tools: named by its environment variable (HELM, KUBECTL, PROMTOOL), in PATH, or built by
 * `npm run kube:tools`. Undefined, after it was said aloud, where there is none.
 */
export function findTool(name: 'helm' | 'kubectl' | 'promtool', env = process.env): string | undefined {
  const cache = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'flotilla')
  const candidates = [
    env[name.toUpperCase()] ?? '',
    ...(env['PATH'] ?? '').split(delimiter).map(folder => join(folder, name)),
    ...globSync(`kube-*/bin/${name}`, { cwd: cache }).map(path => join(cache, path)),
  ]
  const found = candidates.find(path => path !== '' && isProgram(path))
  if (found === undefined) {
    const how =
      name === 'promtool'
        ? 'on Debian and Ubuntu: apt-get install prometheus'
        : `install it, or build it by \`npm run kube:tools\` (needs Go), or name it in ${name.toUpperCase()}`
    // Straight to the terminal: a reporter may hide what skipped tests print.
    process.stderr.write(`skipped: ${name} is missing here; ${how}\n`)
  }
  return found
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface ToolResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a tool with nothing of the person's own: no cluster, no plugins, no repositories. */
export function runTool(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), 'flotilla-chart-'))
  const own = {
    HOME: home,
    KUBECONFIG: '/dev/null',
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
  }
  return new Promise<ToolResult>(resolve => {
    const options = { env: { PATH: process.env['PATH'], ...own, ...env }, maxBuffer: 64 << 20, timeout: 60_000 }
    execFile(program, args, options, (error, stdout, stderr) => {
      rmSync(home, { recursive: true, force: true })
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr })
    })
  })
}

/** The objects of a stream of YAML documents. @throws Error at the first that is not YAML, or has a key twice */
export function parseObjects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap(document => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    const value = document.toJS() as KubeObject | null
    return value === null ? [] : [value]
  })
}

export interface RenderOptions {
  /** Values files by name, of ci/, or by path. */
  readonly cases?: readonly string[]
  readonly values?: readonly string[]
  /** `gateway.drainMs=1000` */
  readonly set?: readonly string[]
  readonly args?: readonly string[]
  readonly release?: string
  readonly namespace?: string
}

/** What is rendered for: a Helm that was built by hand knows none, and takes a very old one. */
export const forKubernetes = ['--kube-version', '1.37.0']

/** `helm template` with these values. */
export function template(helm: string, options: RenderOptions = {}): Promise<ToolResult> {
  const { cases = [], values = [], set = [], args = [], release = 'flotilla', namespace = 'chat' } = options
  return runTool(helm, [
    'template',
    release,
    chartFolder,
    '--namespace',
    namespace,
    ...[...cases.map(name => join(chartFolder, 'ci', `${name}.yaml`)), ...values].flatMap(file => ['--values', file]),
    ...set.flatMap(one => ['--set', one]),
    ...forKubernetes,
    ...args,
  ])
}

/** The objects that a release is made of. @throws Error with what Helm says */
export async function render(helm: string, options: RenderOptions = {}): Promise<KubeObject[]> {
  const { code, stdout, stderr } = await template(helm, options)
  if (code !== 0) throw new Error(`unable to render the chart: ${stderr}`)
  return parseObjects(stdout)
}
