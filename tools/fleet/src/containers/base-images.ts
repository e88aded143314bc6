/**
 * The images that docker/Dockerfile begins with. They are pulled where a registry answers; elsewhere they are made of
 * Debian's own packages by mmdebstrap, with the Node that npm brought, and imported under the same names.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inProject } from '../root.ts'
import { runCommand } from './command.ts'
import type { Engine } from './engine.ts'

const bootstrapMsMax = 600_000

/** The names that the Dockerfile has for its base images. */
function baseImages(): { node: string; base: string } {
  const text = readFileSync(inProject('docker/Dockerfile'), 'utf8')
  const named = (argument: string) => {
    const name = new RegExp(`^ARG ${argument}=(\\S+)$`, 'm').exec(text)?.[1]
    if (name === undefined) throw new Error(`unable to find ARG ${argument} in docker/Dockerfile`)
    return name
  }
  return { node: named('NODE_IMAGE'), base: named('BASE_IMAGE') }
}

/**
 * Sees to it that the engine has the base images.
 * @throws Error when they can neither be pulled nor made
 */
export async function ensureBaseImages(engine: Engine): Promise<void> {
  const { node, base } = baseImages()
  const lacking: string[] = []
  for (const image of [base, node]) if (!(await engine.has(image)) && !(await engine.pull(image))) lacking.push(image)
  if (lacking.length === 0) return
  const root = await debianRoot()
  if (lacking.includes(base)) await engine.importRoot(root, base)
  if (lacking.includes(node)) await engine.importRoot(await withNode(root), node)
}

function cacheFolder(): string {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flotilla', 'images')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A tar of Debian bookworm, without manuals and translations, like its slim image. */
async function debianRoot(): Promise<string> {
  const tar = join(cacheFolder(), 'bookworm.tar')
  if (existsSync(tar)) return tar
  const draft = `${tar}.${process.pid}.tar`
  const left = ['man/*', 'locale/*', 'doc/*'].map(path => `--dpkgopt=path-exclude=/usr/share/${path}`)
  const kept = '--dpkgopt=path-include=/usr/share/doc/*/copyright'
  const mirror = 'http://deb.debian.org/debian'
  await runCommand('mmdebstrap', ['--variant=minbase', '--mode=root', ...left, kept, 'bookworm', draft, mirror], {
    withinMs: bootstrapMsMax,
  })
  renameSync(draft, tar)
  return tar
}

/** The same with Node and npm where the official image has them. */
async function withNode(root: string): Promise<string> {
  const folder = join(cacheFolder(), `node-${process.pid}`)
  const tar = join(cacheFolder(), `node-${process.version}.tar`)
  try {
    const modules = join(folder, 'usr/local/lib/node_modules')
    const bin = join(folder, 'usr/local/bin')
    mkdirSync(folder, { recursive: true })
    await runCommand('tar', ['-C', folder, '-xf', root])
    mkdirSync(modules, { recursive: true })
    cpSync(process.execPath, join(bin, 'node'))
    // Where the npm of this machine really is: …/npm/bin/npm-cli.js.
    const npm = realpathSync((await runCommand('sh', ['-c', 'command -v npm'])).trim())
    cpSync(join(npm, '../..'), join(modules, 'npm'), { recursive: true })
    for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(bin, name))
    await runCommand('tar', ['-C', folder, '-cf', tar, '.'], { withinMs: 120_000 })
    return tar
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
