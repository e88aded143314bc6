/**
 * `npm run kube:tools`: builds the programs of a cluster from tools/kube, once. A second run that starts meanwhile waits
 * for the first. Ends with 0 when they are there, with 3 where they cannot be built at all (no Go, no Linux).
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { platform } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCommandLine } from '@flotilla/service'
import { definitionSources, findKubeTools, kubeParts, kubeSources, kubeToolsFolder } from './kube-tools.ts'

const { flags } = readCommandLine({
  usage: 'npm run kube:tools',
  about: 'Builds the Kubernetes programs for the tests, once. Needs Go and Linux.',
  options: { locked: { about: 'build at once: used by this program itself once it has the lock' } },
})
const impossible = 3
const say = (text: string) => console.log(`kube:tools: ${text}`)

/** What is built, and from which package. */
const programs = [
  { name: 'kube', package: './cmd/kube' },
  { name: 'node', package: './cmd/node' },
  { name: 'dns', package: './cmd/dns' },
  { name: 'pause', package: './cmd/pause' },
  { name: 'helm', package: 'helm.sh/helm/v4/cmd/helm' },
  { name: 'kubeconform', package: 'github.com/yannh/kubeconform/cmd/kubeconform' },
]

/** What a released Kubernetes is told when it is linked; charts ask the server for its version. */
function versionFlags(): string {
  const version = /^\tk8s\.io\/kubernetes (v1\.(\d+)\.\S+)$/m.exec(readFileSync(join(kubeSources, 'go.mod'), 'utf8'))
  if (version === null) throw new Error('unable to find the version of Kubernetes in tools/kube/go.mod')
  const values = { gitVersion: version[1], gitMajor: '1', gitMinor: version[2], gitTreeState: 'clean' }
  return Object.entries(values)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ')
}

function build(): number {
  const go = spawnSync('go', ['version'], { cwd: kubeSources, encoding: 'utf8' })
  if (go.status !== 0) {
    say('Go is missing. Install Go 1.26 or newer (https://go.dev/dl) to run the tests on a real Kubernetes.')
    return impossible
  }
  const folder = kubeToolsFolder()
  say(`building with ${go.stdout.trim()} into ${folder}`)
  say('the first time this downloads 300 MB of sources and takes 7 minutes on two free cores')
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(join(dirname(folder), 'work-'))
  try {
    buildPrograms(join(work, 'bin'))
    copyDefinitions(join(work, 'crds'))
    renameSync(work, folder)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 1
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return 0
}

function buildPrograms(folder: string): void {
  for (const { name, package: source } of programs) {
    const began = performance.now()
    const output = join(folder, name)
    const flags = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${versionFlags()}`, '-o', output]
    const built = spawnSync('go', ['build', ...flags, source], {
      cwd: kubeSources,
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (built.status !== 0) throw new Error(`unable to build ${name}: go build ended with ${built.status}`)
    const seconds = ((performance.now() - began) / 1_000).toFixed(0)
    say(`${name}: ${seconds} s, ${(statSync(output).size / 1e6).toFixed(0)} MB`)
  }
  for (const part of kubeParts) symlinkSync('kube', join(folder, part))
}

/** The modules are read, not built: they need not agree with ours on anything. */
function copyDefinitions(folder: string): void {
  mkdirSync(folder)
  for (const { module, version, sum, files } of definitionSources()) {
    const downloaded = spawnSync('go', ['mod', 'download', '-json', `${module}@${version}`], { encoding: 'utf8' })
    const answer = JSON.parse(downloaded.stdout) as { Dir?: string; Sum?: string; Error?: string }
    if (answer.Dir === undefined) throw new Error(`unable to fetch ${module}: ${answer.Error}`)
    if (answer.Sum !== sum)
      throw new Error(`unable to trust ${module} ${version}: its sum is ${answer.Sum}, not ${sum}`)
    for (const file of globSync(files, { cwd: answer.Dir }))
      copyFileSync(join(answer.Dir, file), join(folder, basename(file)))
  }
}

function main(): number {
  if (platform() !== 'linux') {
    say('a cluster is made of Linux namespaces; its programs are built on Linux alone')
    return impossible
  }
  if (findKubeTools() !== undefined) {
    say(`they are in ${kubeToolsFolder()}`)
    return 0
  }
  if (flags.has('locked')) return build()
  const lock = `${dirname(kubeToolsFolder())}.lock`
  mkdirSync(dirname(lock), { recursive: true })
  // The lock goes with the process that holds it, however that ends.
  const self = fileURLToPath(import.meta.url)
  const locked = spawnSync('flock', [lock, process.execPath, ...process.execArgv, self, '--locked'], {
    stdio: 'inherit',
  })
  if (locked.error !== undefined) {
    say(`unable to take the lock: ${locked.error.message} (flock comes with util-linux)`)
    return 1
  }
  return locked.status ?? 1
}

process.exitCode = main()
