/** What the edge believes of a caller, what it passes on, and what it writes into its log. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '@flotilla/testing'
import { type Edge, startEdge } from '../nginx.ts'
import { ask, type Backend, nginxOrSkip, openSocket, sendRaw, startBackend } from './edge.testbed.ts'

const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('callers at the edge', () => {
  let api: Backend
  let gateway: Backend
  let edge: Edge
  /** Takes only connections that begin as the PROXY protocol says. */
  let proxied: Edge
  const trusted = '127.0.0.9'

  beforeAll(async () => {
    api = await startBackend({ name: 'api' })
    gateway = await startBackend({ name: 'gateway' })
    const env = { GATEWAYS: gateway.at, API: api.at, COUNTRY_HEADER: 'CF-IPCountry', REQUESTS_BURST: '1000' }
    edge = await startEdge({ nginx: nginx!, env: { ...env, TRUSTED_PROXIES: `10.0.0.0/8, ${trusted}` } })
    proxied = await startEdge({
      nginx: nginx!,
      env: { ...env, TRUSTED_PROXIES: `${trusted}/32`, PROXY_PROTOCOL: 'on' },
    })
  })
  afterAll(async () => {
    await edge?.end()
    await proxied?.end()
    await api?.close()
    await gateway?.close()
  })

  const claims = {
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    'x-real-ip': '203.0.113.8',
    forwarded: 'for=203.0.113.9',
    'x-request-id': 'claimed-by-the-caller',
    'cf-ipcountry': 'DE',
    'x-flotilla-country': 'FR',
  }

  test('nothing that a stranger claims reaches the API', async () => {
    const { json, headers } = await ask({ port: edge.port, headers: claims, from: '127.0.0.5' })
    expect(json.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.5', 'x-forwarded-proto': 'http' })
    for (const name of ['x-forwarded-host', 'x-real-ip', 'forwarded', 'cf-ipcountry', 'x-flotilla-country'])
      expect(json.headers?.[name], name).toBeUndefined()
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(json.headers?.['x-request-id']).toBe(headers['x-request-id'])
  })

  test('what a trusted proxy says is believed: address, scheme, country, request id', async () => {
    const { json, headers } = await ask({ port: edge.port, headers: claims, from: trusted })
    expect(json.headers).toMatchObject({
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-flotilla-country': 'DE',
      'x-request-id': 'claimed-by-the-caller',
    })
    expect(headers['x-request-id']).toBe('claimed-by-the-caller')
    expect(headers['strict-transport-security']).toBeDefined()
    for (const name of ['x-forwarded-host', 'x-real-ip', 'forwarded', 'cf-ipcountry'])
      expect(json.headers?.[name], name).toBeUndefined()
  })

  test('of a chain, the last address that is nobody’s proxy counts: what was claimed before it does not', async () => {
    const chain = { 'x-forwarded-for': '8.8.8.8, 198.51.100.4, 10.1.2.3' }
    const { json } = await ask({ port: edge.port, headers: chain, from: trusted })
    expect(json.headers?.['x-forwarded-for']).toBe('198.51.100.4')
  })

  test.each([
    ['with a port', '203.0.113.7:50123', '203.0.113.7'],
    ['in brackets, with a port', '[2001:db8::7]:50123', '2001:db8::7'],
    ['behind a proxy of ours with a port', '8.8.8.8, 203.0.113.7:1, 10.1.2.3:2', '203.0.113.7'],
    ['that is unknown', '203.0.113.7, unknown', trusted],
    ['that is hidden', '203.0.113.7, _hidden', trusted],
    ['that is markup', '<script>', trusted],
    ['that is unknown to a proxy of ours', 'unknown, 10.1.2.3', '10.1.2.3'],
    ['behind empty elements', '203.0.113.7, ,', '203.0.113.7'],
  ])('an address %s is read as the API reads it', async (_what, said, address) => {
    const { json } = await ask({ port: edge.port, headers: { 'x-forwarded-for': said }, from: trusted })
    expect(json.headers?.['x-forwarded-for']).toBe(address)
  })

  test.each([
    ['too short', 'abc'],
    ['too long', 'a'.repeat(65)],
    ['with what breaks logs', 'abcdefgh"},{"x'],
  ])('a request id that is %s is replaced, whoever sends it', async (_what, id) => {
    const { headers } = await ask({ port: edge.port, headers: { 'x-request-id': id }, from: trusted })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
  })

  test('an unknown country is none, in whatever letters', async () => {
    const country = async (said: string) => {
      const { json } = await ask({ port: edge.port, headers: { 'cf-ipcountry': said }, from: trusted })
      return json.headers?.['x-flotilla-country']
    }
    expect([await country('XX'), await country('T1'), await country('Germany'), await country('us')]).toEqual([
      undefined,
      undefined,
      undefined,
      'us',
    ])
  })

  test('the gateway gets the request id, the address and the ticket too', async () => {
    const socket = await openSocket({ port: edge.port, from: '127.0.0.5', headers: claims })
    await socket.echo('hello')
    const { url, headers } = gateway.seen.at(-1)!
    expect(url).toBe('/v1/socket?ticket=t1cket')
    expect(headers['x-forwarded-for']).toBe('127.0.0.5')
    expect(headers['x-request-id']).toBe(socket.headers['x-request-id'])
    socket.end()
  })

  /** What a load balancer puts before the bytes of its caller. */
  const askProxied = (from: string, address: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: proxied.port, localAddress: from })
      let got = ''
      socket.on('data', (chunk: Buffer) => (got += chunk.toString()))
      socket.on('close', () => resolve(got))
      socket.on('error', reject)
      const said = Object.entries(claims).map(([name, value]) => `${name}: ${value}`)
      const head = ['GET /v1/me HTTP/1.1', 'host: edge.example', 'connection: close', ...said, '\r\n'].join('\r\n')
      socket.write(`PROXY TCP4 ${address} 127.0.0.1 5000 443\r\n${head}`)
    })

  test('by the PROXY protocol the address comes from the load balancer, and no header is believed', async () => {
    await askProxied(trusted, '203.0.113.77')
    expect(api.seen.at(-1)?.headers).toMatchObject({ 'x-forwarded-for': '203.0.113.77' })
    expect(api.seen.at(-1)?.headers['x-flotilla-country']).toBeUndefined()
    // Whoever reaches the edge past the load balancer is who it is.
    await askProxied('127.0.0.6', '203.0.113.78')
    expect(api.seen.at(-1)?.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.6' })
    // And whoever does not speak it is not answered.
    const seen = api.seen.length
    await sendRaw(proxied.port, 'GET /v1/me HTTP/1.1\r\nhost: x\r\n\r\n', { from: trusted })
    expect(api.seen).toHaveLength(seen)
  })

  test('the API and the gateways say it, or the edge does: security headers once, CORS from the API alone', async () => {
    api.behave({
      status: 200,
      headers: {
        'access-control-allow-origin': 'https://chat.example',
        'content-security-policy': "default-src 'none'",
        'x-frame-options': 'SAMEORIGIN',
      },
    })
    const answer = await ask({ port: edge.port, headers: { origin: 'https://evil.example' } })
    api.behave('well')
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://chat.example',
      'content-security-policy': "default-src 'none'",
      'x-frame-options': 'SAMEORIGIN',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    })
    const own = await ask({ port: edge.port, path: '/nothing-here', headers: { origin: 'https://evil.example' } })
    expect(own.status).toBe(404)
    expect(own.json).toEqual({ error: { code: 'route_unknown', message: 'No such URL.' } })
    expect(own.headers['access-control-allow-origin']).toBeUndefined()
    expect(own.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(own.headers).toMatchObject({ server: 'nginx', 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
  })

  test('the operator’s paths are not for callers, and not from the API either', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/stub_status', '/.edge/limited', '/.edge/silence'])
      expect((await ask({ port: edge.port, path })).status, path).toBe(404)
  })

  test('what takes GET and HEAD alone says so: the operator’s port, and the API of its own', async () => {
    for (const path of ['/healthz', '/readyz', '/stub_status']) {
      expect((await ask({ port: edge.operatorPort, path, method: 'HEAD' })).status, path).toBe(200)
      const wrong = await ask({ port: edge.operatorPort, path, method: 'POST' })
      expect([wrong.status, wrong.headers['allow'], wrong.headers['content-type']], path).toEqual([
        405,
        'GET, HEAD',
        'application/json',
      ])
      expect(wrong.json).toMatchObject({ error: { code: 'method_not_allowed' } })
    }
    api.behave({ status: 405, headers: { allow: 'PATCH' } })
    const answer = await ask({ port: edge.port, method: 'PUT' })
    api.behave('well')
    expect([answer.status, answer.headers['allow'], answer.json.backend]).toEqual([405, 'PATCH', 'api'])
  })

  test('the log is JSON, and holds neither ticket nor token nor what somebody injects', async () => {
    const secret = 's3cr3t'
    const before = edge.requests().length
    const bearer = {
      authorization: `Bearer ${secret}`,
      cookie: `refresh=${secret}`,
      referer: `https://x/${secret}?t=${secret}`,
    }
    const agent = { 'user-agent': 'an "agent"\\ {}' }
    const socket = await openSocket({ port: edge.port, path: `/v1/socket?ticket=${secret}`, headers: bearer })
    socket.end()
    await ask({ port: edge.port, path: `/v1/providers/x/callback?code=${secret}`, headers: { ...bearer, ...agent } })
    await ask({ port: edge.port, path: `/v1/socket%3Fticket=${secret}` })
    // Failures, which nginx writes with the whole request line: nobody there, broken off, too large, unreadable.
    gateway.behave('cut')
    await openSocket({ port: edge.port, path: `/v1/socket?ticket=${secret}`, headers: bearer }).catch(() => {})
    gateway.behave('well')
    await sendRaw(edge.port, `GET /v1/socket?ticket=${secret} x y HTTP/1.1\r\nhost: ${secret}"\r\n\r\n`)
    await sendRaw(edge.port, `GET /v1/me?token=${secret} HTTP/1.1\r\nhost: x\r\nx: ${secret.repeat(5_000)}\r\n\r\n`)
    await ask({
      port: edge.port,
      path: `/v1/me?t=${secret}`,
      method: 'POST',
      headers: bearer,
      body: 'x'.repeat(70_000),
    })
    const failures = ['upstream prematurely closed connection', 'client intended to send too large body']
    // What fails takes another way into the log than the requests: through a filter.
    await until(() => edge.requests().length >= before + 7 && failures.every(failure => edge.log().includes(failure)), {
      what: 'all are logged',
    })
    const log = edge.log().slice(0, edge.log().lastIndexOf('\n'))
    expect(log).not.toContain(secret)
    for (const line of log.trim().split('\n')) expect(() => JSON.parse(line) as unknown, line).not.toThrow()
    const paths = edge.requests().map(line => line.path)
    expect(paths).toContain('/v1/socket')
    expect(paths).toContain('/v1/providers/x/callback')
  })
})
