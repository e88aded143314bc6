/**
 * The rules of the layout (docs/architecture.md), read from the import statements themselves. What each package may
 * import of ours, and who owns each thing from outside; the tables come first, the reading of sources after them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What may import what. A package that is not named here fails. */
const ladder: Readonly<Record<string, readonly string[]>> = {
  // 1. The wire and the process import nothing of ours.
  'libs/protocol': [],
  'libs/service': [],
  'libs/files': ['libs/protocol'],
  // 2. and 3. The domain, the routing and the client import the wire alone, and do not know each other.
  'libs/chat': ['libs/protocol'],
  'libs/routing': ['libs/protocol'],
  'libs/sdk': ['libs/protocol'],
  'libs/node': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing'],
  'libs/testing': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/sdk'],
  // 4. No app imports an app, but for the one that is composed of them.
  'apps/gateway': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/node'],
  'apps/api': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/files', 'libs/routing', 'libs/node'],
  'apps/worker': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/files', 'libs/routing', 'libs/node'],
  'apps/web': ['libs/protocol', 'libs/sdk'],
  'apps/admin': ['libs/protocol', 'libs/sdk'],
  'apps/cli': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/node', 'libs/sdk'],
  'apps/standalone': [
    'libs/protocol',
    'libs/service',
    'libs/chat',
    'libs/files',
    'libs/routing',
    'libs/sdk',
    'apps/cli',
    'apps/gateway',
    'apps/api',
    'apps/worker',
  ],
  'apps/bench': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/sdk', 'libs/testing'],
}

/**
 * The wings of libs/chat, the lowest first: a wing imports itself and what stands below it. Beside them stand the
 * permissions, which import nothing, and what joins the wings.
 */
const wings = [
  'text',
  'store',
  'users',
  'notices',
  'accounts',
  'privacy',
  'log',
  'people',
  'push',
  'operators',
  'lifecycle',
] as const
const wingsFolder = 'libs/chat/src'

/** What a test may import beyond its package: the tests' own library, and for an app's tests every library. */
const testsOf: Readonly<Record<'libs' | 'apps', readonly string[]>> = {
  libs: ['libs/testing'],
  apps: ['libs/testing', 'libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/sdk'],
}

interface Ownership {
  readonly what: string
  /** Specifiers of imports. */
  readonly imports?: RegExp
  /** Text of the source, comments left out. */
  readonly text?: RegExp
  /** Files that own it. */
  readonly owners: RegExp
}

/** Tests, and what the tests of one package share. */
const testFile = String.raw`(\.(test|bench)|[/.]testbed)\.tsx?$`
const testsAndTools = String.raw`^libs/testing/|^apps/bench/|${testFile}`

/** 5. One owner for each thing from outside. */
const owners: readonly Ownership[] = [
  {
    what: 'uWebSockets.js',
    imports: /^(uWebSockets\.js|uws-pack)$/,
    owners: /^apps\/gateway\/src\/server\.ts$|^apps\/bench\//,
  },
  {
    what: 'pictures and object stores',
    imports: /^(sharp|file-type|@aws-sdk\/.+)$/,
    owners: new RegExp(String.raw`^libs/files/|${testFile}`),
  },
  {
    what: 'mail and push',
    imports: /^(nodemailer|web-push|firebase-admin)(\/.+)?$/,
    owners: new RegExp(String.raw`^apps/worker/|${testFile}`),
  },
  {
    what: 'OpenTelemetry',
    imports: /^@opentelemetry\/.+$/,
    owners: new RegExp(String.raw`^libs/service/src/tracing\.ts$|${testFile}`),
  },
  { what: 'fastify', imports: /^(fastify|@fastify\/.+)$/, owners: /^apps\/api\// },
  {
    what: 'PostgreSQL',
    imports: /^(pg|pg-.+|drizzle-orm)(\/.+)?$/,
    owners: new RegExp(String.raw`^libs/chat/|${testsAndTools}`),
  },
  { what: 'Redis', imports: /^ioredis(\/.+)?$/, owners: new RegExp(String.raw`^libs/routing/|${testsAndTools}`) },
  {
    what: 'the environment',
    text: /\bprocess\s*(\?\.|\.|\[\s*['"])\s*env\b|\bimport\s[^'"]*\benv\b[^'"]*from\s*['"](node:)?process['"]/,
    owners: new RegExp(String.raw`/config\.ts$|${testsAndTools}`),
  },
]

export interface SourcePackage {
  /** `libs/chat` */
  readonly folder: string
  /** `@flotilla/chat` */
  readonly name: string
  /** Entry points, as package.json exports them: `.` and perhaps `./react`. */
  readonly entries: readonly string[]
}

export interface SourceFile {
  /** From the root: `libs/chat/src/log/inserts.ts` */
  readonly path: string
  readonly text: string
}

/** @returns every breach, as a sentence that begins with the file */
export function findBreaches(packages: readonly SourcePackage[], files: readonly SourceFile[]): string[] {
  const breaches: string[] = []
  const edges = new Map<string, Set<string>>(packages.map(one => [one.folder, new Set()]))
  for (const one of packages)
    if (ladder[one.folder] === undefined) breaches.push(`${one.folder}: has no place in the ladder of boundaries.ts`)
  for (const file of files) {
    const code = withoutComments(file.text)
    const home = packages.find(one => file.path.startsWith(`${one.folder}/`))
    if (home === undefined) {
      breaches.push(`${file.path}: belongs to no package`)
      continue
    }
    for (const specifier of importsOf(code)) {
      breaches.push(...judgeImport(file, home, specifier, packages))
      const target = packages.find(one => isOf(one, specifier))
      if (target !== undefined && !isTest(file.path)) edges.get(home.folder)?.add(target.folder)
    }
    for (const { what, imports, text, owners: allowed } of owners) {
      const used =
        (imports !== undefined && importsOf(code).some(one => imports.test(one))) || text?.test(code) === true
      if (used && !allowed.test(file.path)) breaches.push(`${file.path}: uses ${what}, which is not its to use`)
    }
  }
  return [...breaches, ...findCycles(edges)]
}

const isTest = (path: string) => new RegExp(testFile).test(path)
const isOf = (one: SourcePackage, specifier: string) => specifier === one.name || specifier.startsWith(`${one.name}/`)

function judgeImport(
  file: SourceFile,
  home: SourcePackage,
  specifier: string,
  packages: readonly SourcePackage[],
): string[] {
  if (specifier.startsWith('.') || specifier.startsWith('/')) {
    const target = normalize(join(dirname(file.path), specifier))
    if (!target.startsWith(`${home.folder}/`)) return [`${file.path}: reaches out of its package for ${specifier}`]
    if (!isTest(file.path) && climbs(file.path, target)) return [`${file.path}: reaches up for ${specifier}`]
    return isTest(target) && !isTest(file.path) ? [`${file.path}: imports ${specifier}, which is for tests alone`] : []
  }
  const target = packages.find(one => isOf(one, specifier))
  if (target === undefined)
    return specifier.startsWith('@flotilla/') ? [`${file.path}: imports ${specifier}, which does not exist`] : []
  if (!target.entries.includes(`.${specifier.slice(target.name.length)}`))
    return [`${file.path}: imports ${specifier}, which is not an entry point`]
  const kind = home.folder.startsWith('apps/') ? 'apps' : 'libs'
  const allowed = [...(ladder[home.folder] ?? []), ...(isTest(file.path) ? [home.folder, ...testsOf[kind]] : [])]
  return allowed.includes(target.folder) ? [] : [`${file.path}: ${home.folder} may not import ${target.folder}`]
}

/** Whether a file of a wing imports one that stands above it, or what joins the wings. */
function climbs(path: string, target: string): boolean {
  const [from, to] = [path, target].map(one => wings.findIndex(wing => one.startsWith(`${wingsFolder}/${wing}/`)))
  return from! >= 0 && (to! > from! || target === `${wingsFolder}/context.ts`)
}

function findCycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (folder: string, path: readonly string[]) => {
    const at = path.indexOf(folder)
    if (at >= 0) cycles.push(`${folder}: imports itself by way of ${[...path.slice(at + 1), folder].join(', ')}`)
    if (at >= 0 || done.has(folder)) return
    for (const next of edges.get(folder) ?? []) walk(next, [...path, folder])
    done.add(folder)
  }
  for (const folder of edges.keys()) walk(folder, [])
  return cycles
}

/** Specifiers of every import and export statement, static or dynamic, of types too. */
export function importsOf(code: string): string[] {
  const found: string[] = []
  const forms = [
    /(?:^|[\n;}])[ \t]*(?:import|export)\b(?![ \t]*[(.])[^'"`;]*?\bfrom[ \t\n]*['"]([^'"\n]+)['"]/g,
    /(?:^|[\n;}])[ \t]*import[ \t]*['"]([^'"\n]+)['"]/g,
    /\b(?:import|require|resolve)[ \t]*\([ \t\n]*['"`]([^'"`\n$]+)['"`]/g,
  ]
  for (const form of forms) for (const match of code.matchAll(form)) if (match[1] !== undefined) found.push(match[1])
  return found
}

/** Comments become nothing; what stands in quotes stays, also when it looks like a comment. */
function withoutComments(text: string): string {
  return text.replace(
    /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\/\*[^]*?\*\/|(?<![:\\/])\/\/[^\n]*/g,
    (_, quoted: string | undefined) => quoted ?? ' ',
  )
}

/** The packages and sources of this project. */
export function readSources(root: string = fileURLToPath(new URL('../../..', import.meta.url))): {
  packages: SourcePackage[]
  files: SourceFile[]
} {
  const packages: SourcePackage[] = []
  const files: SourceFile[] = []
  for (const kind of ['libs', 'apps'])
    for (const name of readdirSync(join(root, kind))) {
      const folder = `${kind}/${name}`
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
        name: string
        exports?: object
      }
      packages.push({ folder, name: manifest.name, entries: Object.keys(manifest.exports ?? {}) })
      for (const file of readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' }))
        if (/\.(ts|tsx|mts|js|mjs)$/.test(file))
          files.push({ path: `${folder}/src/${file}`, text: readFileSync(join(root, folder, 'src', file), 'utf8') })
    }
  return { packages, files }
}
