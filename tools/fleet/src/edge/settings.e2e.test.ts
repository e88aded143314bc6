/** Settings that an edge refuses, each with a sentence that says what to do; and those that it makes do without. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, freePort, makeFolder } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { makeCertificate } from '../certificates.ts'
import { startEdge } from '../nginx.ts'
import { inProject } from '../root.ts'
import { ask, nginxOrSkip, startBackend } from './edge.testbed.ts'

// Each starts a shell and nginx, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 })
const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('settings of the edge', () => {
  const folder = makeFolder('settings')
  const file = (name: string) => join(folder, name)

  beforeAll(() => {
    const pair = makeCertificate(['edge.example'])
    writeFileSync(file('tls.crt'), pair.certificate)
    writeFileSync(file('tls.key'), pair.key)
    writeFileSync(file('other.key'), makeCertificate(['other.example']).key)
    writeFileSync(file('no.mmdb'), 'not a database')
  })
  afterAll(() => dropFolder(folder))

  /** The edge as it would start, which it does not. */
  function refusal(env: Record<string, string>): string {
    const run = spawnSync('sh', [inProject('docker/edge/entrypoint.sh')], {
      env: {
        PATH: process.env['PATH'],
        NGINX: nginx!.command,
        NGINX_MODULES: nginx!.modules,
        TMPDIR: folder,
        RESOLVER: '127.0.0.1',
        ...env,
      },
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect(run.status, run.stderr).toBe(1)
    return run.stderr
  }

  test.each<[string, Record<string, string>, string]>([
    [
      'a number that is none',
      { REQUESTS_PER_SECOND: 'many' },
      "REQUESTS_PER_SECOND must be a whole number from 1 to 1000000, not 'many'",
    ],
    ['a number out of its range', { PORT: '70000' }, "PORT must be a whole number from 1 to 65535, not '70000'"],
    [
      'a port with something behind it',
      { PORT: '80; evil' },
      "PORT must be a whole number from 1 to 65535, not '80; evil'",
    ],
    [
      'gateways without a port',
      { GATEWAYS: 'gateway' },
      "GATEWAYS must be host:port, or several with commas, not 'gateway'",
    ],
    [
      'gateways by URL',
      { GATEWAYS: 'http://gateway:8081' },
      "GATEWAYS must be host:port, or several with commas, not 'http://gateway:8081'",
    ],
    ['no API', { API: ',' }, 'API must name at least one host:port'],
    [
      'a certificate without its key',
      { TLS_CERTIFICATE: '/dev/null' },
      'TLS_CERTIFICATE is set and TLS_KEY is not: set both, or none for plain HTTP',
    ],
    [
      'a file that is not there',
      { TLS_CERTIFICATE: '/nowhere', TLS_KEY: '/nowhere' },
      "TLS_CERTIFICATE: there is no '/nowhere', or user",
    ],
    [
      'a path that would break out',
      { GEO_DATABASE: '/x;evil on' },
      "GEO_DATABASE must be an absolute path of letters, digits and . _ / @ + -, not '/x;evil on'",
    ],
    [
      'networks that are none',
      { TRUSTED_PROXIES: '10.0.0.0/8,proxy.example' },
      "TRUSTED_PROXIES must be addresses or networks (10.0.0.0/8), not 'proxy.example'",
    ],
    [
      'the PROXY protocol from anybody',
      { PROXY_PROTOCOL: 'on' },
      'PROXY_PROTOCOL=on needs TRUSTED_PROXIES: the load balancers whose word counts',
    ],
    [
      'pages that are no path',
      { WEB: 'maybe' },
      "WEB must be off, or a path of letters, digits and . _ / @ + -, not 'maybe'",
    ],
    [
      'an origin with a path',
      { WEB_CONNECTS_TO: 'wss://us.chat.example/v1/socket' },
      "WEB_CONNECTS_TO must be origins (wss://us.chat.example), not 'wss://us.chat.example/v1/socket'",
    ],
    ['a flag that is neither', { PROXY_PROTOCOL: 'maybe' }, "PROXY_PROTOCOL must be on or off, not 'maybe'"],
    ['a country from anybody', { COUNTRY_HEADER: 'CF-IPCountry' }, 'COUNTRY_HEADER needs TRUSTED_PROXIES'],
    [
      'a header that is none',
      { COUNTRY_HEADER: 'a b', TRUSTED_PROXIES: '10.0.0.1' },
      "COUNTRY_HEADER must be the name of a header, not 'a b'",
    ],
    [
      'a region that nobody serves',
      { COUNTRY_REGIONS: 'DE=eu' },
      'COUNTRY_REGIONS sends DE to eu, which REGION_UPSTREAMS does not name',
    ],
    [
      'a country that is none',
      { COUNTRY_REGIONS: 'Germany=local' },
      "COUNTRY_REGIONS must be COUNTRY=region with two capital letters, not 'Germany=local'",
    ],
    [
      'itself as another region',
      { REGION: 'eu', REGION_UPSTREAMS: 'eu=edge.eu.example:443' },
      'REGION_UPSTREAMS names eu, which is the REGION of this edge',
    ],
    [
      'another region without a port',
      { REGION_UPSTREAMS: 'eu=edge.eu.example' },
      'REGION_UPSTREAMS must be region=host:port',
    ],
    [
      'a resolver that is none',
      { RESOLVER: 'dns resolver;' },
      "RESOLVER must be addresses of name servers, not 'resolver;'",
    ],
    [
      'more files than are allowed',
      { WORKER_CONNECTIONS: '1048576' },
      'WORKER_CONNECTIONS=1048576 asks for 1049088 open files',
    ],
  ])('%s is refused with a sentence', (_what, env, sentence) => {
    // One that is right everywhere else, or the fault could be another's. The limit of files is the machine's.
    const text = 'WORKER_CONNECTIONS' in env ? refusalOfFiles(env) : refusal(env)
    expect(text).toContain('unable to start the edge:\n')
    expect(text).toContain(sentence)
  })

  function refusalOfFiles(env: Record<string, string>): string {
    const script = `ulimit -n 4096; exec sh ${inProject('docker/edge/entrypoint.sh')}`
    const variables = {
      PATH: process.env['PATH'],
      NGINX: nginx!.command,
      TMPDIR: folder,
      RESOLVER: '127.0.0.1',
      ...env,
    }
    return spawnSync('sh', ['-c', script], { env: variables, encoding: 'utf8', timeout: 60_000 }).stderr
  }

  test('the largest of every number is one that nginx takes', async () => {
    const script = readFileSync(inProject('docker/edge/entrypoint.sh'), 'utf8')
    const numbers = [...script.matchAll(/whole ([A-Z_]+) \d+ \d+ (\d+)/g)].map(([, name = '', most = '']) => [
      name,
      most,
    ])
    const own = ['PORT', 'TLS_PORT', 'OPERATOR_PORT', 'WORKERS', 'WORKER_CONNECTIONS']
    const env = Object.fromEntries(numbers.filter(([name = '']) => !own.includes(name)))
    expect(Object.keys(env).length).toBeGreaterThan(10)
    const edge = await startEdge({ nginx: nginx!, env: { ...env, GATEWAYS: '127.0.0.1:9', API: '127.0.0.1:9' } })
    expect((await ask({ port: edge.port })).status).toBe(503)
    await edge.end()
  })

  test('all that is wrong is said at once', () => {
    const text = refusal({ PORT: 'x', API: 'y', REGION: 'z z' })
    for (const name of ['PORT', 'API', 'REGION']) expect(text).toContain(`${name} must be`)
  })

  test('a key that does not fit, and a database that is none, are refused by nginx before anything starts', () => {
    const pair = { TLS_CERTIFICATE: file('tls.crt'), TLS_KEY: file('other.key') }
    expect(refusal(pair)).toMatch(/nginx refuses the configuration:[^]*key values mismatch/)
    expect(refusal({ GEO_DATABASE: file('no.mmdb') })).toMatch(/nginx refuses the configuration:[^]*no\.mmdb/)
  })

  test('a policy of a page that would break out is refused', () => {
    for (const policy of ['default-src \'self"; x', 'connect-src $http_cookie', 'img-src \\', '']) {
      writeFileSync(file('policy.txt'), policy)
      expect(refusal({ WEB: folder }), policy).toContain(`WEB: ${folder}/policy.txt must be directives of a policy`)
    }
  })

  test('an nginx that is too old is refused, and none at all', () => {
    const old = file('old-nginx')
    writeFileSync(old, '#!/bin/sh\necho nginx version: nginx/1.26.3 >&2\n', { mode: 0o755 })
    expect(refusal({ NGINX: old })).toContain('nginx 1.26.3 is too old: 1.27.3 or newer is needed')
    expect(refusal({ NGINX: '/nowhere/nginx' })).toContain("there is no nginx to run ('/nowhere/nginx')")
  })

  test('it starts before anybody is behind it, and with fewer files than it would like', async () => {
    const api = await startBackend({ name: 'api' })
    const edge = await startEdge({
      nginx: nginx!,
      env: {
        GATEWAYS: 'nobody.test:8081',
        API: api.at,
        RESOLVER: `127.0.0.1:${await freePort()}`,
        WORKER_CONNECTIONS: '',
      },
      launcher: ['sh', '-c', 'ulimit -n 2048; exec "$@"', 'sh'],
    })
    expect((await ask({ port: edge.port })).status).toBe(200)
    const socket = await ask({ port: edge.port, path: '/v1/socket' })
    expect([socket.status, socket.json]).toMatchObject([503, { error: { code: 'unavailable' } }])
    expect(edge.log()).toContain('open-file limit is 2048: each worker takes 768 sockets instead of 65536')
    await edge.end()
    await api.close()
  })

  test('every setting is in the README, and the README names no other', () => {
    const script = readFileSync(inProject('docker/edge/entrypoint.sh'), 'utf8')
    const readme = readFileSync(inProject('docker/edge/README.md'), 'utf8')
    const documented = [...readme.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(match => match[1] ?? '')
    expect(documented.length).toBeGreaterThan(25)
    for (const name of documented) expect(script, name).toMatch(new RegExp(`\\b${name}\\b`))
    const read = [
      ...script.matchAll(/\b(?:whole|flag|readable|servers) ([A-Z_]+)/g),
      ...script.matchAll(/\$\{([A-Z_]+):[-+]/g),
    ]
    for (const [, name] of read) expect(documented, name).toContain(name)
  })
})
