/**
 * What builds and runs images here: a Docker engine when one answers, else buildah and podman with runc, as root. Both
 * run a container as an orchestrator would: a read-only root, no capabilities; on the host's network.
 */
import { inProject } from '../root.ts'
import { type CommandOptions, runCommand, succeeds } from './command.ts'

export interface BuildOptions {
  readonly target: string
  readonly tag: string
  readonly args?: Readonly<Record<string, string>>
  /** Builds everything anew. */
  readonly fresh?: boolean
  /** `arm64`: for another platform than this machine's. Only what needs no base image of that platform. */
  readonly architecture?: string
  /** Where the files of the image go, instead of into an image. */
  readonly folder?: string
}

export interface RunOptions {
  readonly image: string
  readonly env?: Readonly<Record<string, string>>
  readonly command?: readonly string[]
  /** Folders of this machine that the container may read. */
  readonly folders?: Readonly<Record<string, string>>
}

export interface ImageFacts {
  readonly user: string
  readonly labels: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
  readonly architecture: string
  /** Digests of the layers as they are unpacked. */
  readonly layers: readonly string[]
  readonly unpackedBytes: number
}

export interface Engine {
  readonly name: 'docker' | 'podman'
  /** The ways to build and to run, for whoever does something of their own. */
  cli(args: readonly string[], options?: CommandOptions): Promise<string>
  has(image: string): Promise<boolean>
  pull(image: string): Promise<boolean>
  /** Makes an image of a tar of a file system. */
  importRoot(tar: string, image: string): Promise<void>
  build(options: BuildOptions): Promise<void>
  facts(image: string): Promise<ImageFacts>
  /** @returns the id of a container that was started */
  start(options: RunOptions): Promise<string>
}

const buildMsMax = 1_200_000

/** @returns what is missing for compose, undefined when nothing is */
export async function lacksCompose(): Promise<string | undefined> {
  if (!(await succeeds('docker', ['info']))) return 'no Docker engine answers: install Docker Engine, and start it'
  if (!(await succeeds('docker', ['compose', 'version'])))
    return 'docker has no compose: install its plugin docker-compose-plugin'
  return undefined
}

/** @returns an engine, or what to install */
export async function findEngine(): Promise<Engine | string> {
  const docker = (await succeeds('docker', ['info'])) && (await succeeds('docker', ['buildx', 'version']))
  if (docker) return createEngine('docker')
  const missing: string[] = []
  for (const program of ['buildah', 'podman', 'runc', 'mmdebstrap'])
    if (!(await succeeds(program, ['--version']))) missing.push(program)
  if (process.getuid?.() !== 0) return 'no Docker engine answers: start one, or be root with buildah and podman'
  if (missing.length > 0)
    return `no Docker engine answers, and ${missing.join(', ')} are missing: start one, or on Debian apt-get install buildah podman runc mmdebstrap`
  return createEngine('podman')
}

interface Inspected {
  readonly Config: {
    readonly User: string
    readonly Labels: Record<string, string> | null
    readonly Entrypoint: string[] | null
    readonly Cmd: string[] | null
    readonly Healthcheck?: { readonly Test: string[] }
  }
  /** Where podman shows it. */
  readonly Healthcheck?: { readonly Test: string[] }
  readonly Architecture: string
  readonly RootFS: { readonly Layers: string[] }
  readonly Size: number
}

function createEngine(name: 'docker' | 'podman'): Engine {
  // Without systemd podman has no timers for health checks: they are run by hand.
  const program = name === 'docker' ? ['docker'] : ['podman', '--runtime', 'runc']
  const cli = (args: readonly string[], options?: CommandOptions) =>
    runCommand(program[0]!, [...program.slice(1), ...args], options)
  return {
    name,
    cli,
    has: image => succeeds(name, ['image', 'inspect', image]),
    pull: image => succeeds(name, ['pull', '--quiet', image], { withinMs: 300_000 }),
    importRoot: async (tar, image) => void (await cli(['import', tar, image], { withinMs: 300_000 })),
    build: options => build(name, options),
    async facts(image) {
      const [facts] = JSON.parse(await cli(['image', 'inspect', image])) as Inspected[]
      if (facts === undefined) throw new Error(`unable to inspect ${image}: there is no such image`)
      return {
        user: facts.Config.User,
        labels: facts.Config.Labels ?? {},
        entrypoint: facts.Config.Entrypoint ?? [],
        command: facts.Config.Cmd ?? [],
        healthCheck: (facts.Config.Healthcheck ?? facts.Healthcheck)?.Test ?? [],
        architecture: facts.Architecture,
        layers: facts.RootFS.Layers,
        unpackedBytes: facts.Size,
      }
    },
    start: async options =>
      (await cli(['run', '--detach', ...runArguments(name, await filesMax(), options)])).trim().split('\n').at(-1) ??
      '',
  }
}

/** A container's limit may not be above that of whoever starts it, where not even root may raise it. */
const filesMax = async () => (await runCommand('sh', ['-c', 'ulimit -Hn'])).trim()

function runArguments(name: 'docker' | 'podman', files: string, options: RunOptions): string[] {
  const { image, env = {}, command = [], folders = {} } = options
  return [
    '--network=host',
    '--read-only',
    '--tmpfs=/tmp',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    ...(files === 'unlimited' ? [] : [`--ulimit=nofile=${files}:${files}`, '--ulimit=nproc=20000:20000']),
    ...(name === 'podman' ? ['--no-healthcheck'] : []),
    ...Object.entries(env).map(([key, value]) => `--env=${key}=${value}`),
    ...Object.entries(folders).map(([from, to]) => `--volume=${from}:${to}:ro`),
    image,
    ...command,
  ]
}

/** Where packages come through a proxy of one's own, its authority is given to the build as a secret. */
function authority(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'] ?? ''
  return file === '' ? [] : ['--secret', `id=ca,src=${file}`]
}

async function build(name: 'docker' | 'podman', options: BuildOptions): Promise<void> {
  const { target, tag, args = {}, fresh = false, architecture, folder } = options
  const epoch = args['SOURCE_DATE_EPOCH']
  // buildah would look for every base image of that platform, also for those that are not used.
  const platform = name === 'docker' ? `--platform=linux/${architecture}` : `--build-arg=TARGETARCH=${architecture}`
  const common = [
    '--file=docker/Dockerfile',
    `--target=${target}`,
    `--tag=${tag}`,
    '--network=host',
    ...authority(),
    ...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
    ...(fresh ? ['--no-cache'] : []),
    ...(architecture === undefined ? [] : [platform]),
    ...(folder === undefined ? [] : [`--output=type=local,dest=${folder}`]),
    '.',
  ]
  const placed = {
    cwd: inProject(''),
    env: epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch },
    withinMs: buildMsMax,
  }
  if (name === 'docker')
    await runCommand('docker', ['buildx', 'build', ...(folder === undefined ? ['--load'] : []), ...common], placed)
  else {
    // With a time of its own buildah keeps no layers for the next build.
    const layers = epoch === undefined ? '--layers' : `--timestamp=${epoch}`
    const how = ['build', '--isolation=chroot', '--pull=never', '--format=docker', layers]
    await runCommand('buildah', [...how, ...common], placed)
  }
}
