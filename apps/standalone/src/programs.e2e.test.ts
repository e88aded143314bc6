/** Whatever can be started: `--help` says what it is, and nothing happens. What is not known is refused. */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dropFolder, makeFolder } from '@flotilla/testing'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = makeFolder('help')
afterAll(() => dropFolder(folder))

/** Started by other programs alone, with what these know. */
const internal = ['relay.ts', 'custom-metrics.ts']

const scripts = Object.values(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts,
).flatMap(script => /node --conditions=source (\S+\.ts)/.exec(script)?.[1] ?? [])
const textOf = (path: string) => readFileSync(join(root, path), 'utf8')
const sources = globSync(['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts', 'tools/*/src/**/*.ts'], { cwd: root }).filter(
  path => !/\.test\.ts$|[/.]testbed\.ts$/.test(path) && !path.startsWith('libs/service/'),
)
const reading = sources.filter(path => textOf(path).includes('readCommandLine({'))

/** What people start. The others differ in nothing but what they say. */
const started = ['standalone/src/main', 'cli/src/chat', 'gateway/src/main', 'api/src/main', 'worker/src/main']
const once = [
  'api/src/migrate',
  'api/src/make-keys',
  'cli/src/operate',
  'api/src/regions/country-regions',
  'standalone/src/operate',
]

const run = (path: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['--conditions=source', join(root, path), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    timeout: 60_000,
  }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: number; stderr: string }) => ({ code: error.code, said: error.stderr }),
  )

test('every script, every main and whatever looks at its arguments reads them in the one way', () => {
  const programs = sources.filter(
    path => scripts.includes(path) || basename(path) === 'main.ts' || /process\.argv\b/.test(textOf(path)),
  )
  expect(scripts.length).toBeGreaterThan(5)
  expect(programs.filter(path => !reading.includes(path) && !internal.includes(basename(path)))).toEqual([])
})

test.each([...started, ...once])('%s --help', { timeout: 120_000 }, async name => {
  const { code, said } = await run(`apps/${name}.ts`, '--help')
  expect(said).toMatch(/^usage: (npm|node) [\s\S]+\n {2}--help +show this help\n/)
  expect(said).toMatch(/docs\/configuration\.md lists them all under "\w+"|npm run chat/)
  expect(code).toBe(0)
})

test.each([
  ['apps/standalone/src/main.ts', '--port=80'],
  ['apps/api/src/migrate.ts', 'now'],
])('%s %s is refused', { timeout: 120_000 }, async (path, what) => {
  const { code, said } = await run(path, what)
  expect(said).toMatch(
    /^unable to start: (unknown option '--\w+'|unexpected argument 'now')\nusage: .+\nSee --help\.\n$/,
  )
  expect(code).toBe(2)
})

test.each(['gateway', 'api', 'worker'])(
  'the %s says in a sentence what is wrong with its settings',
  { timeout: 120_000 },
  async app => {
    const { code, said } = await run(`apps/${app}/src/main.ts`)
    expect(said).toMatch(/^unable to start: [^\n]*DATABASE_URL[^\n]*\n$/)
    expect(code).toBe(1)
  },
)
