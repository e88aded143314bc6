/**
 * The SDK as an application gets it: its packages packed, installed from their tarballs into an empty project, checked
 * under each way in which TypeScript looks for types, run both as ESM and as CommonJS, and bundled. Compilers and linters
 * are fetched into a folder beside the project, so that nothing of this repository is in reach.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The oldest TypeScript that the SDK's README names, which is also one that still knows `node10`, and the newest. */
const tools = ['typescript@5.7.3', 'typescript-newest@npm:typescript@7.0.2', 'publint@0.3.25']
const analyser = '@arethetypeswrong/cli@0.18.5'
const bed = mkdtempSync(join(tmpdir(), 'flotilla-package-'))
const project = join(bed, 'project')

function run(folder: string, command: string, args: readonly string[]): SpawnSyncReturns<string> {
  const { npm_config_conditions: _, NODE_OPTIONS: __, ...env } = process.env
  return spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 120_000, env })
}

function mustRun(folder: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = run(folder, command, args)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stdout}${stderr}`, { cause: error })
  return stdout
}

const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--loglevel=error']
const registryAnswers = run(root, 'npm', ['view', 'publint@0.3.25', 'version', '--prefer-offline']).status === 0
if (!registryAnswers) console.warn('skipped: no npm registry answers, so the packages cannot be installed anywhere')

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

function pack(library: string): Packed {
  const printed = mustRun(join(root, 'libs', library), 'npm', ['pack', '--json', '--pack-destination', bed])
  const [packed] = JSON.parse(printed.slice(printed.indexOf('[\n'))) as Packed[]
  if (packed === undefined) throw new Error(`npm pack has packed nothing: ${printed}`)
  return packed
}

const app = `
import { createClient, createMemoryStore, createSignIn, FlotillaError, textOf } from '@flotilla/sdk'
import { type Entry, errors, limits } from '@flotilla/protocol'

const account = createSignIn('http://127.0.0.1:9')
const client = createClient({ api: 'http://127.0.0.1:9', getToken: account.getToken, store: createMemoryStore() })
client.on('message', message => show(textOf(message.body)))
const show = (text: string): number => text.length
export const entryText = (entry: Entry) => (entry.event === 'message.new' ? textOf(entry.body) : undefined)
export const tell = (thrown: unknown) => (thrown instanceof FlotillaError ? thrown.code : errors.internal.meaning)
export const most: number = limits.textLengthMax
export const name = async (): Promise<string> => (await client.rest.me()).username
// @ts-expect-error what REST answers is not any either
export const phone = async () => (await client.rest.me()).phone
// @ts-expect-error a type that is lost would be any, and take this
client.send({ conversation: 1 })
`

const published = ['protocol', 'sdk', 'react']
const packed: Record<string, Packed> = {}

beforeAll(() => {
  for (const library of published) packed[library] = pack(library)
  if (!registryAnswers) return
  for (const folder of ['project', 'tools']) {
    mkdirSync(join(bed, folder))
    writeFileSync(join(bed, folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  }
  const tarballs = Object.values(packed).map(one => join(bed, one.filename))
  mustRun(project, 'npm', ['install', ...quiet, ...tarballs])
  mustRun(join(bed, 'tools'), 'npm', ['install', ...quiet, ...tools, analyser])
  for (const name of ['app.ts', 'app.mts', 'app.cts']) writeFileSync(join(project, name), app)
}, 120_000)

afterAll(() => rmSync(bed, { recursive: true, force: true }))

test.each(published)('%s carries code, types and whole maps, and no tests', library => {
  const paths = new Set(packed[library]?.files.map(file => file.path))
  for (const path of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/index.cjs', 'dist/index.d.cts'])
    expect(paths).toContain(path)
  expect([...paths].filter(path => /\.test\.|testbed|simulation|tsbuildinfo/.test(path))).toEqual([])
  const maps = [...paths].filter(path => path.endsWith('.map'))
  expect(maps.length).toBeGreaterThan(5)
  for (const path of maps) {
    const map = JSON.parse(readFileSync(join(root, 'libs', library, path), 'utf8')) as {
      sources: string[]
      sourcesContent?: (string | null)[]
    }
    const missing = map.sources.filter(
      (source, at) => map.sourcesContent?.[at] == null && !paths.has(join(dirname(path), source)),
    )
    expect(missing, path).toEqual([])
  }
})

describe.skipIf(!registryAnswers)('in an empty project', () => {
  const inNode = ['--lib', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
  const inBrowser = ['--lib', 'es2022,dom']
  const again = process.env['PACKAGE'] === 'long' ? [] : ['--skipLibCheck']
  const oldest = 'typescript'
  const newest = 'typescript-newest'

  // node10 finds the files that bundler checks from end to end; to check them again takes the oldest compiler some twelve seconds: PACKAGE=long does.
  test.each([
    ['node10', oldest, ['--moduleResolution', 'node10', '--module', 'esnext', ...inNode, ...again], ['app.ts']],
    ['node16', newest, ['--module', 'node16', ...inNode], ['app.mts', 'app.cts']],
    ['bundler', newest, ['--moduleResolution', 'bundler', '--module', 'esnext', ...inBrowser], ['app.ts']],
  ])(
    'the types hold under %s, strict',
    (_, compiler, options, files) => {
      const tsc = join(bed, 'tools/node_modules', compiler, 'bin/tsc')
      const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022']
      expect(run(project, process.execPath, [tsc, ...strict, ...options, ...files])).toMatchObject({
        stdout: '',
        status: 0,
      })
    },
    120_000,
  )

  const use = `
    const refused = await createSignIn('http://127.0.0.1:9').signIn({ username: 'a', password: 'b' }).catch(thrown => thrown)
    if (!(refused instanceof FlotillaError)) throw refused
    console.log(refused.code, errors.internal.http)
  `

  test('it runs as ESM', () => {
    const code = `import { createSignIn, FlotillaError } from '@flotilla/sdk'; import { errors } from '@flotilla/protocol'; ${use}
      const { createChatState } = await import('@flotilla/sdk/state'); const { useMessages } = await import('@flotilla/react')
      console.log(typeof createChatState, typeof useMessages)`
    writeFileSync(join(project, 'run.mjs'), code)
    expect(mustRun(project, process.execPath, ['run.mjs'])).toBe('unreachable 500\nfunction function\n')
  })

  test('it runs by require, where require takes no ESM as in the first versions of Node 20', () => {
    const code = `const { createSignIn, FlotillaError } = require('@flotilla/sdk'); const { errors } = require('@flotilla/protocol')`
    const state = `console.log(typeof require('@flotilla/sdk/state').createChatState, typeof require('@flotilla/react').useMessages)`
    writeFileSync(join(project, 'run.cjs'), `${code}; ${state}; void (async () => { ${use} })()`)
    expect(mustRun(project, process.execPath, ['--no-experimental-require-module', 'run.cjs'])).toBe(
      'function function\nunreachable 500\n',
    )
  })

  test('an app bundles it, without the schemas that only a server needs', async () => {
    writeFileSync(
      join(project, 'browser.js'),
      `import { createClient, createIndexedDbStore, createSignIn } from '@flotilla/sdk'
       globalThis.app = { createClient, createIndexedDbStore, createSignIn }`,
    )
    const built = await build({
      root: project,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, minify: true, target: 'es2022', rolldownOptions: { input: join(project, 'browser.js') } },
    })
    if (!('output' in built)) throw new Error('there is no bundle')
    const [chunk, ...others] = built.output
    if (chunk.type !== 'chunk') throw new Error('there is no code')
    expect(others).toEqual([])
    const used = Object.entries(chunk.modules).filter(([, module]) => module.renderedLength > 0)
    expect(used.map(([id]) => id).filter(id => id.includes('typebox'))).toEqual([])
    expect(used.some(([id]) => id.includes('/sdk/dist/'))).toBe(true)
    console.info(`an app with the SDK: ${chunk.code.length} bytes, ${gzipSync(chunk.code).length} with gzip`)
  })

  test.each(published)(
    'the linters of packages find nothing in %s',
    library => {
      const tarball = join(bed, packed[library]?.filename ?? '')
      const bin = join(bed, 'tools/node_modules/.bin')
      expect(mustRun(bed, join(bin, 'publint'), [tarball, '--strict'])).toContain('All good')
      expect(mustRun(bed, join(bin, 'attw'), [tarball, '--format', 'ascii', '--no-emoji'])).toContain(
        'No problems found',
      )
    },
    60_000,
  )
})
