/** Folders that cannot be used: each is refused with a sentence that says whose it is and what to do, and stays as it was. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openFolder, silentLogger, unusable } from '@flotilla/service'
import { dropFolder, freePort, makeFolder, until } from '@flotilla/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { takeFolder } from './instance.ts'
import { findBinaries, findOwner } from './postgres-binaries.ts'
import { type StandaloneOptions, startStandalone } from './standalone.ts'

vi.setConfig({ testTimeout: 60_000 })
const main = fileURLToPath(new URL('main.ts', import.meta.url))
const undo: (() => Promise<unknown> | void)[] = []
const isRoot = process.getuid?.() === 0
/** Somebody else than root, whom permissions hold back. */
const nobody = 65_534

afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

function folderFor(name: string): string {
  const folder = makeFolder(name)
  undo.push(() => dropFolder(folder))
  return folder
}

const start = (folder: string, more: Partial<StandaloneOptions> = {}) =>
  startStandalone({ folder, host: '127.0.0.1', port: 0, logger: silentLogger, ...more })
const refusal = (folder: string, more: Partial<StandaloneOptions> = {}) =>
  start(folder, more).then(
    async standalone => {
      await standalone.stop()
      return 'it started'
    },
    (error: Error) => error.message,
  )

/** `npm start` as a process. As root it is run as somebody else, because nothing is closed to root. */
async function run(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=source', main], {
    cwd: '/',
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
  })
  undo.push(() => void child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

test('a folder that this user may not write to, or make', async () => {
  const folder = folderFor('closed')
  chmodSync(folder, 0o555)
  undo.push(() => chmodSync(folder, 0o755))
  const paths = [folder, join(folder, 'below', 'it')]
  const runs = await Promise.all(paths.map(async path => ({ path, ...(await run({ FLOTILLA_FOLDER: path })) })))
  for (const { path, code, said } of runs) {
    if (said.includes('ERR_MODULE_NOT_FOUND') || said.includes('EACCES: permission denied, open')) {
      console.warn('SKIPPED, a folder of somebody else: the user nobody may not read this project')
      return
    }
    expect(code).toBe(1)
    expect(said).toContain(`unable to use ${path}: `)
    expect(said).toMatch(isRoot ? /belongs to root, and this is nobody\. Start as root/ : /permissions keep .* out/)
    expect(said).toContain('FLOTILLA_FOLDER=')
    expect(said).not.toContain('    at ')
  }
})

test('a file system that can only be read, a full disk, a file in the way', () => {
  const folder = folderFor('other')
  const because = (code: string) => unusable(folder, Object.assign(new Error(code), { code })).message
  expect(because('EROFS')).toContain('the file system can only be read. Mount it for writing, or take another folder')
  expect(because('ENOSPC')).toContain('the disk is full')
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below')]) expect(() => openFolder(path)).toThrow(`${file} is not a folder`)
})

test('a folder that another Flotilla has: which process, and where it is', async () => {
  const folder = folderFor('held')
  const port = await freePort()
  const holder = { pid: 4_711, url: `http://localhost:${port}` }
  const giveBack = await takeFolder(folder, holder)
  expect(await refusal(folder)).toContain(
    `unable to use ${folder}: another Flotilla is running on it: process 4711, http://localhost:${port}. Stop that one (kill 4711), or`,
  )
  await giveBack()
  // A version that says nothing of itself, and one that hangs.
  for (const answer of [true, false]) {
    const silent = createServer(socket => void (answer && socket.destroy()))
    await new Promise<void>(resolve => silent.listen(join(folder, 'lock'), resolve))
    expect(await refusal(folder)).toContain('another Flotilla is running on it. Stop that one, or')
    silent.close()
  }
  writeFileSync(join(folder, 'lock'), 'of a package manager')
  expect(await refusal(folder)).toMatch(/lock: it is not a Flotilla lock\. Move it away$/)
  expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe('of a package manager')
})

test('a port that somebody has, of which setting, and an address of another machine', async () => {
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  undo.push(() => void other.close())
  const { port } = other.address() as { port: number }
  const folder = folderFor('port')
  expect(await refusal(folder, { port })).toMatch(/the port is in use\. Choose another: PORT=\d+ npm start/)
  expect(await refusal(folder, { host: '192.0.2.1' })).toContain('this machine has no such address')
})

test('data of another user, of another version, or no data at all: nothing is touched', async () => {
  const folder = folderFor('foreign')
  const data = join(folder, 'postgres')
  mkdirSync(data)
  const owner = findOwner()
  if (owner !== undefined) chownSync(data, owner.uid, owner.gid)
  writeFileSync(join(data, 'holiday.jpg'), '')
  // With keys, as after a first start.
  const keys = folderFor('keys')
  await refusal(keys, { databaseUrl: 'postgres://127.0.0.1:1/none' })
  writeFileSync(join(folder, 'keys.json'), readFileSync(join(keys, 'keys.json')), { mode: 0o600 })
  expect(await refusal(folder)).toContain('something else is in that folder')
  writeFileSync(join(data, 'PG_VERSION'), '13\n')
  expect(await refusal(folder)).toMatch(
    /its data is from version 13, but this is version \d\d\. Start the Flotilla that/,
  )
  expect(existsSync(join(data, 'holiday.jpg'))).toBe(true)
  if (!isRoot) return
  chownSync(data, nobody, nobody)
  expect(await refusal(folder)).toContain('it belongs to nobody, and PostgreSQL would run as postgres')
})

test('a cluster that is not of these keys, and one that another server runs on', async () => {
  const folder = folderFor('stranger')
  expect(await refusal(folder)).toBe('it started')
  const data = join(folder, 'postgres')
  const owner = findOwner()
  const port = await freePort()
  const options = { cwd: data, env: { LC_ALL: 'C' }, stdio: 'ignore', ...owner } as const
  const args = [
    '-D',
    owner === undefined ? data : '/proc/self/cwd',
    '-c',
    `port=${port}`,
    '-c',
    'unix_socket_directories=/tmp',
    '-c',
    'listen_addresses=127.0.0.1',
  ]
  const theirs = spawn(findBinaries(owner).postgres, args, options)
  undo.push(() => void theirs.kill('SIGQUIT'))
  const state = () => existsSync(join(data, 'postmaster.pid')) && readFileSync(join(data, 'postmaster.pid'), 'utf8')
  const isTheirs = (pidFile: string) => pidFile.startsWith(`${theirs.pid}\n`) && pidFile.includes('ready')
  await until(() => isTheirs(String(state())), { what: 'their server is up', withinMs: 20_000 })
  expect(await refusal(folder)).toContain(`process ${theirs.pid}, that Flotilla did not start. Stop it, or use it`)
  expect(theirs.exitCode).toBeNull()
  const ended = once(theirs, 'exit')
  theirs.kill('SIGINT')
  await ended

  const file = join(folder, 'keys.json')
  const keys = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  writeFileSync(file, JSON.stringify({ ...keys, POSTGRES_PASSWORD: 'of another folder' }))
  expect(await refusal(folder)).toContain('The two belong together: restore both from the same backup')
  rmSync(file)
  expect(await refusal(folder)).toContain('its keys.json is missing')
})

test('the folder keeps itself out of git, and one that is somebody’s project it leaves alone', () => {
  const folder = join(folderFor('git'), 'new')
  openFolder(folder)
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n')
  writeFileSync(join(folder, '.gitignore'), 'mine\n')
  openFolder(folder)
  expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('mine\n')
  rmSync(join(folder, '.gitignore'))
  for (const name of ['keys.json', 'postgres.log', 'postgres', 'files', 'chat-alice.json', 'chat-alice.json.lock'])
    writeFileSync(join(folder, name), '')
  openFolder(folder)
  expect(existsSync(join(folder, '.gitignore'))).toBe(true)
  const project = folderFor('project')
  writeFileSync(join(project, 'package.json'), '{}')
  openFolder(project)
  expect(existsSync(join(project, '.gitignore'))).toBe(false)
})
