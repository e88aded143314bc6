/** What the edge cuts and turns away: too many, too large, too slow. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, startEdge } from '../nginx.ts'
import { inProject } from '../root.ts'
import {
  type Answer,
  ask,
  type Backend,
  nginxOrSkip,
  openSocket,
  sendRaw,
  startBackend,
  tally,
} from './edge.testbed.ts'

const nginx = await nginxOrSkip()

describe.skipIf(nginx === undefined)('limits of the edge', () => {
  let apis: Backend[]
  let gateway: Backend
  let edge: Edge
  const behave = (how: Parameters<Backend['behave']>[0]) => {
    for (const api of apis) api.behave(how)
  }
  const seen = () => apis.flatMap(api => api.seen)
  const trusted = '127.0.0.9'
  let callers = 0
  /** An address that nobody has called from yet, as a trusted proxy tells it. */
  const newcomer = () => ({ 'x-forwarded-for': `203.0.${113 + Math.floor(++callers / 250)}.${callers % 250}` })
  const askAs = (headers: Record<string, string>, path = '/v1/me', method = 'GET') =>
    ask({ port: edge.port, path, method, headers, from: trusted })
  const statuses = (answers: readonly Answer[]) => Object.fromEntries(tally(answers.map(answer => answer.status)))

  beforeAll(async () => {
    apis = [await startBackend({ name: 'api' }), await startBackend({ name: 'another api' })]
    gateway = await startBackend({ name: 'gateway' })
    edge = await startEdge({
      nginx: nginx!,
      env: {
        GATEWAYS: gateway.at,
        API: apis.map(api => api.at).join(','),
        TRUSTED_PROXIES: trusted,
        SIGN_INS_PER_MINUTE: '3',
        CONNECTS_BURST: '200',
        CONNECTIONS_PER_ADDRESS_MAX: '4',
        SOCKETS_PER_ADDRESS_MAX: '150',
      },
    })
  })
  afterAll(async () => {
    await edge?.end()
    for (const api of apis ?? []) await api.close()
    await gateway?.close()
  })

  test('ten requests a second and twenty at once; the rest hears 429 as the API would say it', async () => {
    const me = newcomer()
    const answers: Answer[] = []
    const begun = performance.now()
    while (answers.length < 400 && answers.at(-1)?.status !== 429) answers.push(await askAs(me))
    const seconds = (performance.now() - begun) / 1_000
    const { 200: passed = 0, 429: refused = 0 } = statuses(answers)
    expect([passed + refused, refused]).toEqual([answers.length, 1])
    expect(passed).toBeGreaterThanOrEqual(21)
    // While the machine stood still there was time for more.
    expect(passed).toBeLessThanOrEqual(21 + Math.ceil(10 * seconds))
    const { headers, json } = answers.find(answer => answer.status === 429)!
    const retryMs = Number(headers['retry-after']) * 1000
    expect(retryMs).toBeGreaterThan(0)
    expect(json).toEqual({
      error: { code: 'rate_limited', message: 'Too many requests. Retry after `retryMs`.', retryMs },
    })
    expect(headers['content-type']).toBe('application/json')
    expect((await askAs(newcomer())).status).toBe(200)
  })

  test('an IPv6 network of 64 bits is one caller', async () => {
    const within: Answer[] = []
    const isRefused = () => within.some(answer => answer.status === 429)
    for (let round = 0; round < 10 && !isRefused(); round++)
      within.push(
        ...(await Promise.all(
          Array.from({ length: 30 }, (_, nth) => askAs({ 'x-forwarded-for': `2001:db8:1:2:${nth}::${nth + 1}` })),
        )),
      )
    expect(isRefused()).toBe(true)
    expect((await askAs({ 'x-forwarded-for': '2001:db8:1:3::1' })).status).toBe(200)
  })

  /** Every route of the API that somebody who is not signed in may post to, but for those that are asked all the time. */
  const { paths } = JSON.parse(readFileSync(inProject('docs/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { security: readonly unknown[]; tags: string[] }>>
  }
  const often = ['/v1/sessions/refresh']
  const openPosts = Object.entries(paths)
    .filter(
      ([path, methods]) =>
        methods['post'] !== undefined && methods['post'].security.length === 0 && !often.includes(path),
    )
    .map(([path]) => path)
  const reauthentications = Object.keys(paths).filter(path => path.startsWith('/v1/sessions/current/reauthentication'))

  test.each([...new Set([...openPosts, ...reauthentications])])('POST %s is a sign-in: few a minute', async path => {
    const me = newcomer()
    const at = path.replace(/\{\w+\}/g, 'some-thing')
    const answers = await Promise.all(Array.from({ length: 4 }, () => askAs(me, at, 'POST')))
    expect(statuses(answers)).toEqual({ 200: 4 })
    const refused = await askAs(me, at, 'POST')
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '20'])
    expect((await askAs(me)).status).toBe(200)
  })

  test('the list of sign-in routes is not empty', () => {
    expect(openPosts.length).toBeGreaterThan(10)
  })

  test('a storm of reconnects behind one address passes: sockets, tickets and fresh tokens', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 120 }, () => openSocket({ port: edge.port, from: '127.0.0.20' })),
    )
    const tickets = []
    for (let nth = 0; nth < 60; nth++)
      tickets.push(
        await ask({ port: edge.port, path: '/v1/connect', from: '127.0.0.20' }),
        await ask({ port: edge.port, path: '/v1/sessions/refresh', method: 'POST', from: '127.0.0.20' }),
      )
    expect(tally(sockets.map(socket => socket.status))).toEqual(new Map([[101, 120]]))
    expect(statuses(tickets)).toEqual({ 200: 120 })
    const more = await Promise.all(
      Array.from({ length: 40 }, () => openSocket({ port: edge.port, from: '127.0.0.20' })),
    )
    expect(Object.fromEntries(tally(more.map(socket => socket.status)))).toEqual({ 101: 30, 429: 10 })
    const other = await openSocket({ port: edge.port, from: '127.0.0.21' })
    expect(other.status).toBe(101)
    for (const socket of [...sockets, ...more, other]) socket.end()
  })

  test('so many requests of one address are under way at once', async () => {
    behave('hang')
    const asked = Array.from({ length: 6 }, () => ask({ port: edge.port, from: '127.0.0.22' }))
    const first = await Promise.race(asked)
    expect(first.status).toBe(429)
    await until(() => edge.requests().filter(line => line.address === '127.0.0.22').length === 2, {
      what: 'two are turned away',
    })
    behave('well')
    expect(statuses(await Promise.all(asked))).toEqual({ 200: 4, 429: 2 })
  })

  test('headers and URLs that are too long are cut, bodies too; a picture may be large', async () => {
    const before = seen().length
    const tooLarge = {
      error: { code: 'frame_too_large', message: 'The headers or the body exceed the size limit.' },
    }
    const refusals = [
      await askAs({ ...newcomer(), 'x-large': 'x'.repeat(16_000) }),
      await askAs(newcomer(), `/v1/${'x'.repeat(16_000)}`),
      await ask({ port: edge.port, method: 'POST', headers: newcomer(), body: Buffer.alloc(70_000), from: trusted }),
      await ask({
        port: edge.port,
        path: '/v1/me/avatar',
        method: 'PUT',
        headers: newcomer(),
        body: Buffer.alloc(6_291_457),
        from: trusted,
      }),
    ]
    for (const { status, json } of refusals) expect([status, json]).toEqual([413, tooLarge])
    const many = Array.from({ length: 200 }, (_, nth) => `x-${nth}: ${'x'.repeat(100)}`).join('\r\n')
    expect(await sendRaw(edge.port, `GET /v1/me HTTP/1.1\r\nhost: x\r\n${many}\r\n\r\n`)).toContain('413')
    expect(seen()).toHaveLength(before)
    const picture = {
      port: edge.port,
      method: 'PUT',
      headers: newcomer(),
      body: Buffer.alloc(5_242_880),
      from: trusted,
    }
    for (const path of ['/v1/me/avatar', '/v1/uploads/b3f0c9de'])
      expect((await ask({ ...picture, path })).status).toBe(200)
    expect(seen().filter(one => one.bodyBytes === 5_242_880)).toHaveLength(2)
    // Headers as large as a gateway and the API still read.
    expect((await askAs({ ...newcomer(), authorization: 'x'.repeat(14_000) })).status).toBe(200)
  })

  test.concurrent('headers and bodies that drip in are cut', async () => {
    const drip = (head: string, piece: string) =>
      new Promise<number>(resolve => {
        const begun = Date.now()
        const socket = connect({ host: '127.0.0.1', port: edge.port, localAddress: '127.0.0.30' })
        socket.on('error', () => {})
        socket.write(head)
        const timer = setInterval(() => socket.write(piece), 500)
        socket.on('close', () => {
          clearInterval(timer)
          resolve(Date.now() - begun)
        })
        socket.resume()
      })
    const [headers, body] = await Promise.all([
      drip('GET /v1/me HTTP/1.1\r\nhost: x\r\n', 'x-drip: x\r\n'),
      drip('POST /v1/me HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n', ''),
    ])
    for (const ms of [headers, body]) {
      expect(ms).toBeGreaterThan(5_000)
      // Without an end it would be many minutes.
      expect(ms).toBeLessThan(60_000)
    }
  }, 90_000)

  test('what cannot be read is answered as the API would', async () => {
    const answer = await sendRaw(edge.port, 'NONSENSE\r\n\r\n')
    expect(answer).toContain('400')
    expect(answer).toContain('"code":"frame_malformed"')
    expect(await sendRaw(edge.port, 'GET /v1/me HTTP/1.1\r\n\r\n')).toContain('"code":"frame_malformed"')
  })

  test('an API that breaks off: reads are asked again, a POST is sent once', async () => {
    const before = seen().length
    behave('cut')
    const read = await ask({ port: edge.port, from: '127.0.0.31' })
    const reads = seen().length - before
    const post = await ask({ port: edge.port, method: 'POST', body: '{}', from: '127.0.0.31' })
    behave('well')
    expect([reads, seen().length - before - reads]).toEqual([2, 1])
    for (const { status, json, headers } of [read, post]) {
      expect(status).toBe(503)
      const { error } = json as { error: { code: string; retryMs: number } }
      expect(error).toMatchObject({ code: 'unavailable', retryMs: Number(headers['retry-after']) * 1000 })
    }
  })
})
