/** The web client at the edge, as the image has it: the same files and the same headers as `npm start` has, from nginx. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { dropFolder, freePort, makeFolder, type StartedProcess, startProcess, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Edge, startEdge } from '../nginx.ts'
import { inProject } from '../root.ts'
import { ask, nginxOrSkip } from './edge.testbed.ts'

const nginx = await nginxOrSkip()
/** The first start builds the client. */
const readyWithinMs = 180_000
/** What a browser goes by. Of the API's HSTS the edge leaves the subdomains out, which may not be its own. */
const telling = [
  'cache-control',
  'content-security-policy',
  'content-type',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'origin-agent-cluster',
  'referrer-policy',
  'x-content-type-options',
  'x-frame-options',
]

describe.skipIf(nginx === undefined)('the web client at the edge', () => {
  const folder = makeFolder('edge-page')
  const web = join(folder, 'web')
  let standalone: StartedProcess
  let standalonePort = 0
  let edge: Edge
  let host = ''

  beforeAll(async () => {
    standalonePort = await freePort()
    host = `localhost:${standalonePort}`
    standalone = await startProcess({
      command: process.execPath,
      args: ['--conditions=source', inProject('apps/standalone/src/main.ts')],
      folder,
      env: {
        PORT: String(standalonePort),
        FLOTILLA_FOLDER: join(folder, 'data'),
        // On a busy machine every process is late now and then.
        EVENT_LOOP_DELAY_MS_MAX: '60000',
      },
      ready: async () => (await fetch(`http://${host}/readyz`)).ok,
      readyWithinMs,
    })
    cpSync(inProject('apps/web/dist/site'), web, { recursive: true })
    execFileSync(process.execPath, [inProject('docker/edge/pack.mjs'), web])
    edge = await start({ WEB: web })
  }, readyWithinMs + 60_000)
  afterAll(async () => {
    await edge?.end()
    await standalone?.end('SIGTERM', 30_000)
    dropFolder(folder)
  }, 60_000)

  const start = (env: Readonly<Record<string, string>>) =>
    startEdge({
      nginx: nginx!,
      env: {
        GATEWAYS: `127.0.0.1:${standalonePort}`,
        API: `127.0.0.1:${standalonePort}`,
        REQUESTS_BURST: '1000',
        ...env,
      },
    })
  const at = (port: number, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    ask({ port, path, method, headers: { host, ...headers } })
  /** The bytes as they come. */
  const fetchFrom = async (port: number, path: string, encoding: string) => {
    const response = await fetch(`http://localhost:${port}${path}`, { headers: { 'accept-encoding': encoding } })
    return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const files = () =>
    readdirSync(inProject('apps/web/dist/site'), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(inProject('apps/web/dist/site').length))

  test('every address of the page, and every file, has the headers that `npm start` sends', async () => {
    const paths = [
      ...files().filter(path => path !== '/index.html'),
      '/',
      '/signin',
      '/join',
      '/c/7',
      '/settings',
      '/contacts',
    ]
    expect(paths.length).toBeGreaterThan(50)
    const tell = async (port: number, path: string) => {
      const { status, text, headers } = await at(port, path)
      return { status, text, ...Object.fromEntries(telling.map(name => [name, headers[name]])) }
    }
    for (const path of paths) {
      const [there, here] = [await tell(standalonePort, path), await tell(edge.port, path)]
      // A file's own policy means nothing: there it is the API's, here the page's.
      const ignored = path.includes('.') ? { 'content-security-policy': expect.any(String) } : {}
      expect(here, path).toEqual({ ...there, ...ignored })
    }
    const { headers } = await at(edge.port, '/')
    expect(headers['content-security-policy']).toContain(`connect-src 'self' ws://${host};`)
    expect(headers['content-security-policy']).toContain(
      "require-trusted-types-for 'script'; trusted-types flotilla-worker",
    )
  })

  test('files come packed as they were built, with brotli where nginx has it', async () => {
    const hasBrotli = existsSync(join(nginx!.modules, 'ngx_http_brotli_static_module.so'))
    const script = files().find(path => /\/assets\/index-.*\.js$/.test(path))!
    for (const path of ['/', '/signin', script, '/licenses.txt']) {
      const plain = await fetchFrom(edge.port, path, 'identity')
      expect([plain.headers.get('content-encoding'), plain.headers.get('vary')], path).toEqual([
        null,
        'Accept-Encoding',
      ])
      const gzip = await ask({ port: edge.port, path, headers: { 'accept-encoding': 'gzip' }, encoding: 'latin1' })
      const file = join(web, path.includes('.') ? path : 'index.html')
      expect([gzip.headers['content-encoding'], gzip.headers['vary']], path).toEqual(['gzip', 'Accept-Encoding'])
      expect(Buffer.from(gzip.text, 'latin1').equals(readFileSync(`${file}.gz`)), path).toBe(true)
      expect(gunzipSync(Buffer.from(gzip.text, 'latin1')).equals(plain.bytes), path).toBe(true)
      const best = await ask({ port: edge.port, path, headers: { 'accept-encoding': 'gzip, br' }, encoding: 'latin1' })
      expect(best.headers['content-encoding'], path).toBe(hasBrotli ? 'br' : 'gzip')
      if (hasBrotli) expect(brotliDecompressSync(Buffer.from(best.text, 'latin1')).equals(plain.bytes), path).toBe(true)
    }
  })

  test('a new page is never taken for the one before, though both have one time and one size', async () => {
    const pages = join(folder, 'pages')
    mkdirSync(join(pages, 'assets'), { recursive: true })
    const write = (path: string, text: string) => {
      writeFileSync(join(pages, path), text)
      utimesSync(join(pages, path), 0, 0)
    }
    write('index.html', '<script src="/assets/a-1.js"></script>')
    write('assets/a-1.js', '1')
    const one = await start({ WEB: pages })
    onTestFinished(() => one.end())
    const before = await at(one.port, '/')
    write('index.html', '<script src="/assets/a-2.js"></script>')
    const { etag = '"0-26"', 'last-modified': modified = '' } = before.headers
    const known = { 'if-none-match': etag, 'if-modified-since': modified }
    for (const headers of [known, { 'if-none-match': etag }, { 'if-modified-since': modified }]) {
      const after = await at(one.port, '/', headers)
      expect([after.status, after.text]).toEqual([200, '<script src="/assets/a-2.js"></script>'])
      expect(after.headers['cache-control']).toBe('no-cache')
    }
    const asset = await at(one.port, '/assets/a-1.js')
    const again = await at(one.port, '/assets/a-1.js', { 'if-none-match': asset.headers.etag ?? '' })
    expect([again.status, again.headers['cache-control']]).toEqual([304, 'public, max-age=31536000, immutable'])
  })

  test('any address that is no file is the page; what looks like a file, and what operators ask for, is unknown', async () => {
    for (const path of ['/', '/c/0190-7', '/settings/profile', '/rooms/7?x=1', '/v2', '/docs.7/8'])
      expect((await at(edge.port, path)).text, path).toContain('<div id="app">')
    const unknown = [
      '/nothing.js',
      '/robots.txt',
      '/.git/config',
      '/assets/nothing.js',
      '/assets/',
      '/assets/..%2fnothing.js',
    ]
    for (const path of [
      ...unknown,
      '/healthz',
      '/readyz',
      '/metrics',
      '/stub_status',
      '/.edge/limited',
      '/.edge/web',
    ]) {
      const answer = await at(edge.port, path)
      expect([answer.status, answer.headers['cache-control']], path).toEqual([404, 'no-store'])
      expect(answer.json, path).toEqual({ error: { code: 'route_unknown', message: 'No such URL.' } })
    }
  })

  test('the API, the socket and the pictures are where they were, and the API says itself what it does not have', async () => {
    // An answer is there before its line in the log is.
    const ids: string[] = []
    const asking = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
      const answer = await at(edge.port, path, headers)
      ids.push(String(answer.headers['x-request-id']))
      return answer
    }
    const paths = ['/v1/nothing', '/v1/nothing/index.html', '/v1', '/v1/avatars/nobody.png', '/.well-known/nothing']
    for (const path of paths) {
      const { status, json, headers } = await asking(path, { accept: 'text/html' })
      expect([status, headers['content-type']], path).toEqual([404, 'application/json; charset=utf-8'])
      expect(json, path).toMatchObject({ error: { code: 'route_unknown' } })
    }
    expect((await asking('/v1/socket')).status).toBe(426)
    expect((await asking('/v1/me')).status).toBe(401)
    expect((await asking('/docs')).headers['content-security-policy']).not.toContain('trusted-types')
    const asked = () => edge.requests().filter(line => ids.includes(line.requestId))
    await until(() => asked().length === paths.length + 3, { what: 'all are logged' })
    expect(
      asked()
        .filter(line => line.upstream === '')
        .map(line => line.path),
    ).toEqual([])
  })

  test('the page is read, and nothing else', async () => {
    const script = files().find(path => path.startsWith('/assets/'))!
    for (const path of ['/', '/signin', '/policy.txt', script]) {
      expect(await at(edge.port, path, {}, 'HEAD'), path).toMatchObject({ status: 200, text: '' })
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const { status, headers, json } = await at(edge.port, path, {}, method)
        expect([status, headers['allow']], `${method} ${path}`).toEqual([405, 'GET, HEAD'])
        expect(json, `${method} ${path}`).toMatchObject({ error: { code: 'method_not_allowed' } })
      }
    }
  })

  test('the policy names where sockets are, and no caller writes into it', async () => {
    const far = await start({ WEB: web, WEB_CONNECTS_TO: 'wss://us.chat.example, https://bucket.s3.example:9000' })
    onTestFinished(() => far.end())
    const policy = async (port: number, host: string) =>
      (await ask({ port, path: '/', headers: { host } })).headers['content-security-policy']
    expect(await policy(far.port, 'chat.example')).toContain(
      "; connect-src 'self' ws://chat.example wss://us.chat.example https://bucket.s3.example:9000; ",
    )
    for (const host of ['a;script-src *', "a' 'unsafe-inline", 'a,b']) {
      expect(await policy(far.port, host), host).toMatch(/connect-src 'self' {2}wss:/)
    }
  })

  test('WEB=off leaves the page out, and nothing but the page', async () => {
    const bare = await start({ WEB: 'off' })
    onTestFinished(() => bare.end())
    for (const path of ['/', '/signin', '/index.html', '/assets/a.js'])
      expect(await at(bare.port, path), path).toMatchObject({ status: 404, json: { error: { code: 'route_unknown' } } })
    expect((await at(bare.port, '/v1/me')).status).toBe(401)
    expect((await at(bare.port, '/docs')).status).toBe((await at(standalonePort, '/docs')).status)
  })
})
