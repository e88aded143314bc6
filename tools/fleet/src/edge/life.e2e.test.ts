/** An edge from its start to its end: TLS, reloads, pages, and a stop that has an end. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { dropFolder, makeFolder, until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificate } from '../certificates.ts'
import { type Edge, startEdge } from '../nginx.ts'
import { ask, type Backend, nginxOrSkip, openSocket, startBackend } from './edge.testbed.ts'

const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('the life of an edge', () => {
  const folder = makeFolder('edge-files')
  const files = { TLS_CERTIFICATE: join(folder, 'tls.crt'), TLS_KEY: join(folder, 'tls.key') }
  const web = join(folder, 'web')
  let api: Backend
  let gateway: Backend
  let edge: Edge
  /** As they are renewed in earnest. In place and within a second, nginx would take the new file for the old one. */
  const replace = (file: string, text: string) => {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  const writeCertificate = () => {
    const made = makeCertificate(['edge.example', '127.0.0.1'])
    replace(files.TLS_CERTIFICATE, made.certificate)
    replace(files.TLS_KEY, made.key)
    return made
  }
  let current = writeCertificate()

  beforeAll(async () => {
    mkdirSync(join(web, 'assets'), { recursive: true })
    writeFileSync(join(web, 'index.html'), '<title>Flotilla</title>')
    writeFileSync(join(web, 'assets', 'app-1a2b.js'), `console.log('${'x'.repeat(2_000)}')`)
    api = await startBackend({ name: 'api' })
    gateway = await startBackend({ name: 'gateway' })
    edge = await startEdge({
      nginx: nginx!,
      env: { GATEWAYS: gateway.at, API: api.at, WEB: web, TLS_CHECK_SECONDS: '1', ...files },
    })
  })
  afterAll(async () => {
    await edge?.end()
    await api?.close()
    await gateway?.close()
    dropFolder(folder)
  })

  const dial = (options: { session?: Buffer; maxVersion?: 'TLSv1.2' | 'TLSv1.1'; alpn?: string } = {}) =>
    new Promise<{ socket: TLSSocket; session: Promise<Buffer> }>((resolve, reject) => {
      const { session: before, maxVersion, alpn } = options
      const socket = connect({
        host: '127.0.0.1',
        port: edge.tlsPort,
        servername: 'edge.example',
        ca: current.certificate,
        ...(before === undefined ? {} : { session: before }),
        ...(maxVersion === undefined ? {} : { maxVersion, minVersion: maxVersion }),
        ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
      })
      const session = new Promise<Buffer>(got => socket.once('session', got))
      socket.on('error', reject)
      socket.on('secureConnect', () => resolve({ socket, session }))
    })
  const speak = (socket: TLSSocket, text: string) =>
    new Promise<string>(resolve => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
      socket.write(text)
    })
  const upgrade =
    'GET /v1/socket?ticket=t HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: a\r\n\r\n'

  test('TLS is 1.3, or 1.2 with forward secrecy, and nothing older', async () => {
    const newest = await dial()
    expect([newest.socket.getProtocol(), newest.socket.authorized]).toEqual(['TLSv1.3', true])
    newest.socket.destroy()
    const older = await dial({ maxVersion: 'TLSv1.2' })
    expect(older.socket.getCipher().name).toMatch(/^ECDHE-.*(GCM|POLY1305)/)
    older.socket.destroy()
    await expect(dial({ maxVersion: 'TLSv1.1' })).rejects.toThrow()
  })

  test.each(['TLSv1.3', 'TLSv1.2'] as const)('a session of %s is resumed', async version => {
    const options = version === 'TLSv1.2' ? { maxVersion: version } : {}
    const first = await dial(options)
    await speak(first.socket, 'GET /v1/me HTTP/1.1\r\nhost: x\r\n\r\n')
    const session = await first.session
    first.socket.destroy()
    const second = await dial({ ...options, session })
    expect(second.socket.isSessionReused()).toBe(true)
    second.socket.destroy()
  })

  test('REST goes over HTTP/2, many at once on one connection', async () => {
    const client = connectHttp2(`https://127.0.0.1:${edge.tlsPort}`, { ca: current.certificate })
    const get = (path: string) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const stream = client.request({ ':path': path })
        let text = ''
        let headers: Record<string, unknown> = {}
        stream.on('response', got => (headers = got))
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
        stream.on('end', () => resolve({ ...headers, body: JSON.parse(text) }))
        stream.on('error', reject)
      })
    const answers = await Promise.all(['/v1/me', '/v1/contacts', '/v1/blocks'].map(get))
    client.close()
    expect(answers.map(answer => answer[':status'])).toEqual([200, 200, 200])
    expect(answers[0]).toMatchObject({ 'strict-transport-security': 'max-age=31536000' })
    expect(answers[0]?.['body']).toMatchObject({ backend: 'api', headers: { 'x-forwarded-proto': 'https' } })
  })

  test('without TLS nothing of the API is answered, and pages are sent on', async () => {
    const before = api.seen.length
    const answer = await ask({ port: edge.port, method: 'POST', body: '{}' })
    expect([answer.status, answer.json]).toMatchObject([404, { error: { code: 'route_unknown' } }])
    const page = await ask({ port: edge.port, path: '/rooms', headers: { host: 'chat.example' } })
    expect([page.status, page.headers['location']]).toEqual([308, 'https://chat.example/rooms'])
    expect((await openSocket({ port: edge.port })).status).toBe(404)
    expect(api.seen).toHaveLength(before)
  })

  test('a page is not posted to', async () => {
    const { socket } = await dial()
    const answer = await speak(socket, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 405 [\s\S]*allow: GET, HEAD\r\n[\s\S]*"code":"method_not_allowed"/i)
  })

  test('pages are served where there are some: any path is the app, a file that is missing is not', async () => {
    const get = async (path: string) => {
      const { socket } = await dial()
      const answer = await speak(
        socket,
        `GET ${path} HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n`,
      )
      socket.destroy()
      return answer
    }
    expect(await get('/rooms/7')).toMatch(/200 OK[^]*cache-control: no-cache/i)
    expect(await get('/rooms/7')).toMatch(/content-security-policy: default-src 'self'/i)
    expect(await get('/assets/app-1a2b.js')).toMatch(/content-encoding: gzip/i)
    expect(await get('/assets/app-1a2b.js')).toMatch(/immutable/)
    expect(await get('/assets/none.js')).toMatch(/404[^]*no-store/)
    expect(await get('/%2e%2e/tls.key')).not.toContain('PRIVATE')
  })

  test('a renewed certificate is taken by itself, and the sockets stay', async () => {
    const before = await dial()
    expect(await speak(before.socket, upgrade)).toContain('101')
    expect(before.socket.getPeerCertificate().fingerprint256).toBe(current.fingerprint)
    const renewed = writeCertificate()
    await until(
      async () => {
        current = renewed
        const now = await dial()
        const { fingerprint256 } = now.socket.getPeerCertificate()
        now.socket.destroy()
        return fingerprint256 === renewed.fingerprint
      },
      { what: 'the renewed certificate is shown', everyMs: 100 },
    )
    expect(await speak(before.socket, 'still here')).toBe('still here')
    before.socket.destroy()
  })

  test('a reload keeps every socket, and what cannot be loaded changes nothing', async () => {
    // A worker of before may still take callers, with the certificate of before.
    const socket = await until(() => dial(), { what: 'the renewed certificate is shown' })
    await speak(socket.socket, upgrade)
    await edge.reload()
    expect(await speak(socket.socket, 'over the reload')).toBe('over the reload')
    replace(files.TLS_KEY, makeCertificate(['other.example']).key)
    await until(() => edge.log().includes('key values mismatch'), { what: 'nginx refuses the pair', withinMs: 15_000 })
    expect(edge.log()).toContain('"level":60')
    const fresh = await dial()
    expect(await speak(fresh.socket, 'GET /v1/me HTTP/1.1\r\nhost: x\r\n\r\n')).toContain('200')
    for (const one of [socket, fresh]) one.socket.destroy()
  })

  test('a stop answers what was begun, lets sockets go in waves, and ends in time', { timeout: 90_000 }, async () => {
    // The first wave goes after a third of the time: a machine that stands still must not miss what is before it.
    const stopping = await startEdge({
      nginx: nginx!,
      env: { GATEWAYS: gateway.at, API: api.at, STOP_SECONDS: '18', WORKERS: '2' },
    })
    const sockets = await Promise.all(Array.from({ length: 40 }, () => openSocket({ port: stopping.port })))
    api.behave('hang')
    const seen = api.seen.length
    const begun = ask({ port: stopping.port }).catch(() => undefined)
    await until(() => api.seen.length > seen, { what: 'the request has arrived' })
    const since = Date.now()
    const gone = sockets.map(socket => socket.closed.then(() => Date.now() - since))
    const ended = stopping.stop()
    await until(
      () =>
        ask({ port: stopping.port, path: '/nowhere' }).then(
          () => false,
          () => true,
        ),
      { what: 'nobody new is let in' },
    )
    expect(sockets.every(socket => socket.open)).toBe(true)
    await sockets[0]?.echo('until the end')
    api.behave('well')
    expect((await begun)?.status).toBe(200)
    expect(await ended).toBe(0)
    const times = await Promise.all(gone)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(1_000)
    expect(Math.max(...times)).toBeLessThan(45_000)
    expect(stopping.log().trim().split('\n').at(-1)).toContain('"msg":"stopped"')
    await stopping.end()
  })

  test('with nobody connected a stop takes no time', { timeout: 60_000 }, async () => {
    const idle = await startEdge({ nginx: nginx!, env: { GATEWAYS: gateway.at, API: api.at, STOP_SECONDS: '40' } })
    const begun = Date.now()
    expect(await idle.stop()).toBe(0)
    expect(Date.now() - begun).toBeLessThan(30_000)
    await idle.end()
  })

  test('when nginx dies, the edge ends and says so', async () => {
    const broken = await startEdge({ nginx: nginx!, env: { GATEWAYS: gateway.at, API: api.at } })
    broken.killNginx()
    await until(() => !broken.running(), { what: 'the edge has ended' })
    expect(broken.log()).toContain('nginx exited with')
    await broken.end()
  })
})
