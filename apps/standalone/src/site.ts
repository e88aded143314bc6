/**
 * The web client as it is served here: built from its sources where that has not been done since they changed, then read
 * into memory as a whole. The policy lets in nothing but what comes from here, and no text as a script.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { SiteFile } from '@flotilla/api'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const app = join(root, 'apps/web')
const built = join(app, 'dist/site')
const buildMsMax = 180_000

/** What the client is made of. A test of it is no reason to build it anew. */
const sources = [
  'apps/web/{index.html,package.json,vite.config.ts}',
  'apps/web/{src,public}/**/*',
  'libs/{protocol,sdk,react}/{package.json,src/**/*}',
]
const isTest = (path: string) => /\.(test|testbed)\.tsx?$/.test(path)

/** Pages that the client knows how to show: whichever is opened, it is the same file. */
const pages = ['/', '/signin', '/contacts', '/join', '/c/*', '/settings', '/settings/*']

/** Whether there is a build, and whether something has changed since. */
function isCurrent(): boolean {
  const page = join(built, 'index.html')
  if (!existsSync(page)) return false
  const { mtimeMs } = statSync(page)
  const newer = (path: string) => !isTest(path) && statSync(join(root, path)).mtimeMs > mtimeMs
  return !globSync(sources, { cwd: root }).some(newer)
}

/**
 * Builds the client if need be.
 * @param say told before it takes its time
 * @returns the folder
 * @throws Error with what the build has said
 */
export async function buildSite(say: (sentence: string) => void): Promise<string> {
  if (isCurrent()) return built
  say('Building the web client, once …')
  // Aside first: a process that starts meanwhile finds the one before or the new one, whole.
  const aside = `${built}-${process.pid}`
  try {
    await runVite(aside)
    rmSync(built, { recursive: true, force: true })
    renameSync(aside, built)
  } catch (error) {
    // Another process was faster.
    if (!isCurrent()) throw error
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  return built
}

async function runVite(folder: string): Promise<void> {
  const manifest = createRequire(join(app, 'package.json')).resolve('vite/package.json')
  const args = [join(manifest, '../bin/vite.js'), 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']
  const child = spawn(process.execPath, args, { cwd: app, stdio: ['ignore', 'pipe', 'pipe'], timeout: buildMsMax })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', bytes => (said += String(bytes)))
  const code = await new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('close', (status, signal) => resolve(status ?? signal))
  })
  if (code !== 0) throw new Error(`unable to build the web client: ${said.trim() || String(code)}`)
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}
/** These are small already. */
const isPacked = (name: string) => /\.(png|ico|woff2)$/.test(name)

/**
 * @param directives the page's own policy.txt, which the edge of a fleet reads too
 * @param socketUrl where the client opens its socket, which may be another host than the page's
 */
export function sitePolicy(directives: string, socketUrl: string): string {
  const lines = directives.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return lines.join('; ').replace('{sockets}', new URL(socketUrl).origin)
}

/** Every file by its path, and the page at each of the client's addresses. */
export async function readSite(folder: string, socketUrl: string): Promise<Map<string, SiteFile>> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/'))
  const files = await Promise.all(
    names.map(async path => [path, await pack(path, readFileSync(join(folder, path)))] as const),
  )
  const site = new Map(files)
  const page = site.get('/index.html')
  if (page === undefined) throw new Error(`unable to serve the web client: there is no index.html in ${folder}`)
  const directives = site.get('/policy.txt')
  if (directives === undefined) throw new Error(`unable to serve the web client: there is no policy.txt in ${folder}`)
  const policy = sitePolicy(Buffer.from(directives.bytes).toString(), socketUrl)
  site.delete('/index.html')
  for (const path of pages) site.set(path, { ...page, policy })
  return site
}

const [packBrotli, packGzip] = [promisify(brotliCompress), promisify(gzip)]
/** Near the best, at a tenth of the time. */
const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }

export async function pack(path: string, bytes: Uint8Array): Promise<SiteFile> {
  const packed = isPacked(path) ? [] : await Promise.all([packBrotli(bytes, brotli), packGzip(bytes)])
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    bytes,
    packed: packed.map((one, at) => [at === 0 ? 'br' : 'gzip', one] as const),
    tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    isHashed: path.startsWith('/assets/'),
  }
}
