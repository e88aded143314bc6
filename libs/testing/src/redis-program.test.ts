import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dropFolder, makeFolder } from './reaper.ts'
import { findRedis, surroundings } from './redis-program.ts'

const folder = makeFolder('ladder')
afterAll(() => dropFolder(folder))
const nothing = { path: '', engineSockets: [], cacheFolder: join(folder, 'cache') }

function plant(file: string, script: string): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

test('a server in PATH comes first; valkey will do', async () => {
  plant(join(folder, 'valkey', 'valkey-server'), 'exit 0')
  const valkey = { kind: 'binary', command: join(folder, 'valkey', 'valkey-server'), env: {} }
  expect(await findRedis({ ...nothing, path: `/nowhere:${join(folder, 'valkey')}` })).toEqual(valkey)
  plant(join(folder, 'redis', 'redis-server'), 'exit 0')
  const both = { ...nothing, path: `${join(folder, 'valkey')}:${join(folder, 'redis')}` }
  expect(await findRedis(both)).toMatchObject({ command: join(folder, 'redis', 'redis-server') })
})

test('then a container engine, but only one that answers', async () => {
  const [silent, sick, well] = ['silent', 'sick', 'well'].map(name => join(folder, `${name}.sock`)) as [
    string,
    string,
    string,
  ]
  const engines = [
    createServer((_, response) => response.writeHead(500).end()).listen(sick),
    createServer((request, response) => response.writeHead(request.url === '/_ping' ? 200 : 404).end('OK')).listen(
      well,
    ),
  ]
  expect(await findRedis({ ...nothing, engineSockets: [silent, sick, well] })).toEqual({
    kind: 'container',
    socket: well,
  })
  for (const engine of engines) engine.close()
})

test('then packages that were unpacked before', async () => {
  const root = join(folder, 'kept', 'debian', 'usr')
  mkdirSync(join(root, 'lib', 'x86_64-linux-gnu'), { recursive: true })
  plant(join(root, 'bin', 'redis-server'), 'exit 0')
  expect(await findRedis({ ...nothing, cacheFolder: join(folder, 'kept') })).toEqual({
    kind: 'binary',
    command: join(root, 'bin', 'redis-server'),
    env: { LD_LIBRARY_PATH: join(root, 'lib', 'x86_64-linux-gnu') },
  })
})

test('else an error that says what to install and why the last rung broke', async () => {
  plant(join(folder, 'broken', 'debian', 'usr', 'bin', 'redis-server'), 'echo "no libssl" >&2; exit 1')
  mkdirSync(join(folder, 'broken', 'debian', 'usr', 'lib'), { recursive: true })
  await expect(findRedis({ ...nothing, cacheFolder: join(folder, 'broken') })).rejects.toThrow(
    /install redis-server or valkey-server.*no libssl/s,
  )
})

test('the engine that DOCKER_HOST names is asked before the usual ones', () => {
  expect(surroundings({ DOCKER_HOST: 'unix:///mine.sock' }).engineSockets[0]).toBe('/mine.sock')
  expect(surroundings({ DOCKER_HOST: 'tcp://far:1' }).engineSockets[0]).toBe('/var/run/docker.sock')
})
