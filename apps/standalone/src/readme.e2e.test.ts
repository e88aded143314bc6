/** What the README tells newcomers to write and to run, and the figures that it tells them. */
import { spawn, spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient, createMemoryStore, createSignIn } from '@flotilla/sdk'
import { silentLogger } from '@flotilla/service'
import { dropFolder, makeFolder } from '@flotilla/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startStandalone } from './standalone.ts'

// Each starts a compiler or servers, on a machine that may have other work.
vi.setConfig({ testTimeout: 120_000 })
const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')
const [, code = ''] = /```ts\n([^]*?)```/.exec(readme) ?? []

/** Where a reader saves it: below the project, so that it finds the SDK as theirs does. */
function save(text: string): string {
  mkdirSync(join(root, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(root, '.cache', 'readme-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'hello.ts'), text)
  return join(folder, 'hello.ts')
}

test('the code has the right types', () => {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024']
  const more = ['--allowImportingTsExtensions', '--customConditions', 'source', '--types', 'node', '--ignoreConfig']
  const { stdout, status } = spawnSync('tsc', [...options, ...more, save(code)], { cwd: root, encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

test('the code runs, and Alice is asked whether she wants to hear from Carol', async () => {
  const folder = makeFolder('readme')
  onTestFinished(() => dropFolder(folder))
  const options = { folder, host: '127.0.0.1', port: 0, logger: silentLogger, eventLoopDelayMsMax: 60_000 }
  const server = await startStandalone(options)
  onTestFinished(() => server.stop())
  const account = createSignIn(server.url)
  await account.register({ username: 'alice', password: 'a long enough phrase' })
  const alice = createClient({ api: server.url, getToken: account.getToken, store: createMemoryStore() })

  const program = spawn(
    process.execPath,
    ['--conditions=source', save(code.replace('http://localhost:8080', server.url))],
    {
      cwd: root,
    },
  )
  onTestFinished(() => void program.kill('SIGKILL'))
  let said = ''
  for (const stream of [program.stdout, program.stderr]) stream.on('data', bytes => (said += String(bytes)))
  await vi.waitUntil(() => said.includes('epoch') || program.exitCode !== null, { timeout: 60_000, interval: 50 })
  expect(said).toMatch(/seq: \d+/)
  const { requests } = await alice.rest.conversationRequests.list({ direction: 'received' })
  expect(requests.map(({ from, messages }) => [from.username, messages])).toEqual([['carol', 1]])
})

/** A figure is copied from the page that the same line links, or the last line that links one. */
function wrongFigures(text: string): string[] {
  let page = ''
  return text.split('\n').flatMap(line => {
    const [, linked] = /\]\((docs\/[\w-]+\.md)/.exec(line) ?? []
    if (linked !== undefined) page = read(linked)
    return (line.match(/\d+[.,]\d+(?= |\b)/g) ?? []).filter(figure => !page.includes(figure))
  })
}

test('the figures are those of the pages that are linked', () => {
  const [, figures = ''] = /\n## Figures\n([^]*?)\n## /.exec(readme) ?? []
  expect(figures.match(/\d[.,]\d/g)?.length).toBeGreaterThan(5)
  expect(wrongFigures(figures)).toEqual([])
  expect(wrongFigures('12.34 messages: [page](docs/benchmarks.md)')).toEqual(['12.34'])
})

test('the map names every app, every example and every library', () => {
  const packages = globSync('{apps,examples,libs}/*/package.json', { cwd: root }).map(path =>
    path.replace('/package.json', ''),
  )
  expect(packages.filter(name => !readme.includes(`[${name}](${name})`))).toEqual([])
})
