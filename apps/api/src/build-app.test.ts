import { connect } from 'node:net'
import { validate } from '@scalar/openapi-parser'
import { errors, limits } from '@flotilla/protocol'
import { type AddressHeader, createLogger } from '@flotilla/service'
import type { ChatContext } from '@flotilla/chat'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { openApiDocument } from './http/document.ts'
import { createFixture } from './api.testbed.ts'

const chat = { epoch: () => 1, settings: { sessionIdleMs: 1_000 } } as ChatContext
const { app, call, unanswered } = createFixture({ chat, settings: { requestsMax: 10_000 } })
afterAll(() => app.close())

const person = { username: 'alice', password: 'correct horse battery' }

test.each([
  ['an unknown URL', 'route_unknown', 'GET /v1/nothing', {}],
  ['another method', 'method_not_allowed', 'PUT /v1/me', {}],
  ['a URL that cannot be decoded', 'route_unknown', 'GET /v1/users/%ff', {}],
  ['a URL without end', 'route_unknown', `GET /v1/users/${'x'.repeat(2_000)}`, {}],
  ['no JSON', 'frame_malformed', 'POST /v1/sessions', { raw: '{"username":' }],
  [
    'bad UTF-8',
    'frame_malformed',
    'POST /v1/sessions',
    { raw: Buffer.from('{"username":"\xff","password":"x"}', 'latin1') },
  ],
  ['a key of the prototype', 'field_invalid', 'POST /v1/sessions', { raw: '{"__proto__":{"a":1}}' }],
  ['a hostile nesting', 'frame_malformed', 'POST /v1/sessions', { raw: '['.repeat(30_000) }],
  ['a body too large', 'frame_too_large', 'POST /v1/sessions', { raw: `"${'x'.repeat(limits.frameBytesMax)}"` }],
])('%s is refused as %s', async (_name, code, request, options) => {
  const { status, body } = await call(request, options)
  expect(body.error.code).toBe(code)
  expect(status).toBe(errors[code as keyof typeof errors].http)
})

test.each([
  ['no body', undefined, 'body', 'required'],
  ['a body of nothing', '', 'body', 'required'],
  ['null', 'null', 'body', 'required'],
  ['an array', '[]', '', 'type object'],
  ['a missing field', JSON.stringify({ username: 'alice' }), 'password', 'required'],
  ['a wrong type, which is not coerced', JSON.stringify({ ...person, username: 7 }), 'username', 'type string'],
  ['an empty text', JSON.stringify({ ...person, username: '' }), 'username', 'minLength 1'],
  ['a text too long', JSON.stringify({ ...person, username: 'x'.repeat(321) }), 'username', 'maxLength 320'],
  ['half of a surrogate pair', '{"username":"a\\ud800","password":"x"}', 'username', 'well-formed Unicode, no U+0000'],
  ['U+0000', '{"username":"a\\u0000","password":"x"}', 'username', 'well-formed Unicode, no U+0000'],
  ['a key that stands twice', '{"username":"a","username":"b","password":"x"}', 'username', 'each key once'],
  ['a number that is rounded', '{"username":9007199254740993}', 'username', 'a number that a double holds'],
  ['an unknown field, which is not stripped', JSON.stringify({ ...person, admin: true }), 'admin', 'not a known field'],
])('%s is refused by field and rule', async (_name, raw, field, rule) => {
  const { status, body } = await call('POST /v1/sessions', raw === undefined ? {} : { raw })
  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: 'field_invalid', field, rule })
})

test('a body that is null is no body that is missing, where one may be', async () => {
  const { status, body } = await call('POST /v1/sessions/refresh', { raw: 'null' })
  expect(status).toBe(400)
  expect(body.error).toMatchObject({ code: 'field_invalid', field: 'body', rule: 'required' })
  expect((await call('POST /v1/sessions/refresh')).body.error.code).toBe('refresh_token_invalid')
})

test('another content type than JSON is refused', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    const answer = await call('POST /v1/sessions', { raw: '{}', headers: { 'content-type': type } })
    expect(answer.body.error).toMatchObject({ code: 'field_invalid', field: 'content-type', rule: 'application/json' })
  }
})

test('whoever is not signed in is told so before anything else', async () => {
  for (const request of ['GET /v1/me', 'POST /v1/conversations', 'GET /v1/conversations/x', 'GET /v1/connect']) {
    const answer = await call(request)
    expect(answer.body.error.code).toBe('unauthenticated')
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  }
})

test('an error that nobody expected is logged and not told', async () => {
  const lines: { err?: { message: string }; route?: string }[] = []
  const logger = createLogger('test', 'error', { write: line => void lines.push(JSON.parse(line)) })
  const broken = createFixture({
    chat,
    logger,
    ready: () => {
      throw new Error('the secret of the house')
    },
  })
  onTestFinished(() => broken.app.close())
  const answer = await broken.app.inject('/readyz')
  expect(answer.statusCode).toBe(500)
  expect(answer.json()).toEqual({ error: { code: 'internal', message: errors.internal.meaning } })
  expect(lines).toMatchObject([{ err: { message: 'the secret of the house' }, route: '/readyz' }])
})

test('health and readiness are told, the reason too', async () => {
  let reason: string | undefined
  const here = createFixture({ chat, ready: () => reason })
  onTestFinished(() => here.app.close())
  expect(await here.call('GET /healthz')).toMatchObject({ status: 200, body: 'ok\n' })
  expect(await here.call('GET /readyz')).toMatchObject({ status: 200, body: 'ready\n' })
  reason = 'no store'
  expect(await here.call('GET /readyz')).toMatchObject({ status: 503, body: 'no store\n' })
})

test('HEAD is answered as GET is, without the body: health, documents, pages', async () => {
  for (const url of ['/healthz', '/readyz', '/v1/openapi.json', '/v1/.well-known/jwks.json', '/docs/']) {
    const [head, get] = await Promise.all([app.inject({ method: 'HEAD', url }), app.inject({ method: 'GET', url })])
    expect([head.statusCode, head.body], url).toEqual([200, ''])
    for (const name of ['content-type', 'content-length', 'cache-control', 'content-security-policy'])
      expect(head.headers[name], `${url} ${name}`).toBe(get.headers[name])
  }
  // Good once: a scanner of links must not use it up.
  const back = await call('HEAD /v1/providers/github/callback')
  expect([back.status, back.headers['allow']]).toEqual([405, 'GET'])
})

test('a URL that is there says which methods it takes; one that is not stays unknown', async () => {
  const answer = async (request: string) => {
    const { status, headers, body } = await call(request)
    return [status, headers['allow'], body.error.code]
  }
  expect(await answer('PUT /v1/me?x=1')).toEqual([405, 'GET, HEAD, PATCH', 'method_not_allowed'])
  expect(await answer('PUT /v1/sessions')).toEqual([405, 'GET, HEAD, POST, DELETE', 'method_not_allowed'])
  expect(await answer('GET /v1/sessions/refresh')).toEqual([405, 'POST, DELETE', 'method_not_allowed'])
  expect(await answer('POST /v1/conversations/some-id/nothing')).toEqual([404, undefined, 'route_unknown'])
  expect(await answer('PUT /v1/users/%ff')).toEqual([404, undefined, 'route_unknown'])
  expect(await answer('POST /healthz')).toEqual([405, 'GET, HEAD', 'method_not_allowed'])
  expect(await answer('POST /docs/')).toEqual([405, 'GET, HEAD', 'method_not_allowed'])
  expect(await answer('GET /')).toEqual([404, undefined, 'route_unknown'])
})

test('every URL refuses the methods that it does not take, and names those that it does', async () => {
  const taken = new Map<string, string[]>()
  for (const route of allRoutes) {
    const [method = '', url = ''] = route.split(' ')
    taken.set(url, [...(taken.get(url) ?? []), method])
  }
  for (const [pattern, own] of taken) {
    const url = pattern.replaceAll(/:\w+/g, '11111111-1111-4111-8111-111111111111')
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (own.includes(method)) continue
      const { statusCode, headers } = await app.inject({ method: method as 'GET', url })
      const allowed = (headers['allow'] ?? '').split(', ')
      // Another pattern may take it: /v1/sessions/with-code is a /v1/sessions/:id too.
      if (statusCode !== 405) expect(statusCode, `${method} ${pattern}`).toBe(401)
      else expect(allowed, `${method} ${pattern}`).toEqual(expect.arrayContaining(own))
    }
  }
})

test('the OpenAPI document is valid 3.1 and names every route', async () => {
  const document = (await openApiDocument()) as { openapi: string; paths: Record<string, Record<string, Operation>> }
  interface Operation {
    readonly summary?: string
    readonly tags?: string[]
    readonly operationId?: string
    readonly responses: Record<string, { content?: Record<string, { schema: unknown }> }>
  }
  expect(document.openapi).toMatch(/^3\.1/)
  expect(await validate(document as never)).toMatchObject({ valid: true })
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
  )
  const routes = [...allRoutes].map(route => route.replaceAll(/:(\w+)/g, '{$1}'))
  expect(operations.map(operation => operation.name).sort()).toEqual(routes.sort())
  for (const operation of operations) {
    expect(operation.summary, operation.name).toBeTruthy()
    expect(operation.tags, operation.name).toHaveLength(1)
    if (!operation.name.includes('/v1/')) continue
    expect(operation.responses['429']?.content?.['application/json']?.schema, operation.name).toEqual({
      $ref: '#/components/schemas/ErrorAnswer',
    })
  }
  expect(new Set(operations.map(operation => operation.operationId)).size).toBe(operations.length)
})

/** Taken before any test has called one. */
await app.ready()
const allRoutes = unanswered()

test('the document is made when the process begins to listen, and not for who asks first', async () => {
  const here = createFixture({ chat, settings: { requestsMax: 100 } })
  onTestFinished(() => here.app.close())
  let made = 0
  await here.app.ready()
  const { swagger } = here.app
  here.app.swagger = ((...options: []) => {
    made++
    return swagger(...options)
  }) as typeof swagger
  await here.app.listen({ host: '127.0.0.1', port: 0 })
  expect(made).toBe(1)
  for (let turn = 0; turn < 2; turn++) expect((await here.call('GET /v1/openapi.json')).body.openapi).toMatch(/^3/)
  expect(made).toBe(1)
})

test('the document is served, and the page that shows it loads nothing from elsewhere', async () => {
  expect((await call('GET /v1/openapi.json')).body.info.title).toBe('Flotilla API')
  const page = await app.inject('/docs/')
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain('/v1/openapi.json')
  expect(page.body).not.toMatch(/src="https?:/)
  const policy = String(page.headers['content-security-policy'])
  expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/]{43}='/)
  expect(policy).not.toMatch(/script-src[^;]*unsafe/)
  expect((await app.inject('/docs')).statusCode).toBe(301)
  expect((await app.inject({ url: '/docs/', headers: { host: 'no host' } })).json().error.code).toBe('frame_malformed')
  expect((await app.inject('/docs/js/scalar.js')).statusCode).toBe(200)
})

test('answers carry the headers that keep browsers safe, and are not cached', async () => {
  const { headers } = await call('GET /v1/me')
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none';base-uri 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
  })
  expect(headers['access-control-allow-origin']).toBeUndefined()
})

test('only origins that are named may call with credentials, and any origin never may', async () => {
  const preflight = { origin: 'https://chat.example', 'access-control-request-method': 'POST' }
  const named = createFixture({ chat, settings: { allowedOrigins: ['https://chat.example'] } })
  const open = createFixture({ chat, settings: { allowedOrigins: ['*'] } })
  onTestFinished(async () => {
    await Promise.all([named.app.close(), open.app.close()])
  })
  expect((await named.call('OPTIONS /v1/sessions', { headers: preflight })).headers).toMatchObject({
    'access-control-allow-origin': 'https://chat.example',
    'access-control-allow-credentials': 'true',
  })
  const foreign = await named.call('OPTIONS /v1/sessions', {
    headers: { ...preflight, origin: 'https://evil.example' },
  })
  expect(foreign.headers['access-control-allow-origin']).not.toBe('https://evil.example')
  const any = await open.call('OPTIONS /v1/sessions', { headers: preflight })
  expect(any.headers['access-control-allow-origin']).toBe('*')
  expect(any.headers['access-control-allow-credentials']).toBeUndefined()
})

test('too many requests of one address are told when to come back; others and the probes are not concerned', async () => {
  const here = createFixture({ chat, settings: { requestsMax: 2, requestWindowMs: 60_000 } })
  onTestFinished(() => here.app.close())
  const from = (address: string) => here.call('GET /v1/.well-known/jwks.json', { address })
  for (let turn = 0; turn < 2; turn++) expect((await from('10.0.0.1')).status).toBe(200)
  const refused = await from('10.0.0.1')
  expect(refused.status).toBe(429)
  expect(refused.body.error.code).toBe('rate_limited')
  expect(refused.body.error.retryMs).toBeGreaterThan(0)
  expect(Number(refused.headers['retry-after'])).toBe(Math.ceil(refused.body.error.retryMs / 1000))
  expect((await from('10.0.0.2')).status).toBe(200)
  expect((await here.call('GET /healthz', { address: '10.0.0.1' })).status).toBe(200)
  // Nothing else is free: neither the page nor what is not there.
  for (const url of ['/docs/', '/docs/js/scalar.js', '/v1/nothing', '/nothing'])
    expect((await here.app.inject({ url, remoteAddress: '10.0.0.1' })).statusCode, url).toBe(429)
  expect((await here.call('GET /nothing', { address: '10.0.0.3' })).status).toBe(404)
})

test('the count is the one that all processes share, and an IPv6 network of 64 bits is one caller', async () => {
  const keys: string[] = []
  const hit = async (key: string) => ({ count: keys.push(key), resetMs: 1_000 })
  const here = createFixture({ chat, node: { nodes: () => [], hit }, settings: { requestsMax: 2 } })
  onTestFinished(() => here.app.close())
  const statuses: number[] = []
  for (const address of ['2001:db8:0:1::1', '2001:db8:0:1::2', '2001:db8:0:1:5::3'])
    statuses.push((await here.call('GET /v1/.well-known/jwks.json', { address })).status)
  expect(statuses).toEqual([200, 200, 429])
  expect(new Set(keys).size).toBe(1)
})

test('the address of a caller is believed only from a proxy that is trusted', async () => {
  const keys: string[] = []
  const hit = async (key: string) => ({ count: keys.push(key), resetMs: 1_000 })
  const trusting = createFixture({ chat, node: { nodes: () => [], hit }, settings: { trustedProxies: ['127.0.0.1'] } })
  onTestFinished(() => trusting.app.close())
  const headers = { 'x-forwarded-for': '10.9.9.9' }
  await trusting.call('GET /v1/.well-known/jwks.json', { headers })
  await trusting.call('GET /v1/.well-known/jwks.json', { headers, address: '10.0.0.7' })
  expect(keys).toEqual(['api:address:10.9.9.9', 'api:address:10.0.0.7'])
})

test('a port, or nonsense, behind the address makes no new caller', async () => {
  const here = createFixture({ chat, settings: { trustedProxies: ['127.0.0.1'], requestsMax: 15 } })
  onTestFinished(() => here.app.close())
  const statuses = async (said: (turn: number) => string) => {
    const counts: Record<number, number> = {}
    for (let turn = 0; turn < 40; turn++) {
      const { status } = await here.call('GET /v1/.well-known/jwks.json', {
        headers: { 'x-forwarded-for': said(turn) },
      })
      counts[status] = (counts[status] ?? 0) + 1
    }
    return counts
  }
  const limited = { 200: 15, 429: 25 }
  expect(await statuses(turn => `203.0.113.7:${50_000 + turn}`)).toEqual(limited)
  expect(await statuses(turn => `[2001:db8::${turn}]:${50_000 + turn}`)).toEqual(limited)
  expect(await statuses(turn => `<b>${turn}</b>`), 'all of the proxy').toEqual(limited)
})

test('several lines of a header are one list, and `Forwarded` is read where it is asked for', async () => {
  const keys: string[] = []
  const hit = async (key: string) => ({ count: keys.push(key), resetMs: 1_000 })
  const ask = async (addressHeader: AddressHeader, lines: readonly string[]) => {
    const settings = { trustedProxies: ['127.0.0.1', '10.0.0.0/8'], addressHeader }
    const here = createFixture({ chat, node: { nodes: () => [], hit }, settings })
    onTestFinished(() => here.app.close())
    await here.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = here.app.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.end(
      ['GET /v1/.well-known/jwks.json HTTP/1.1', 'host: x', 'connection: close', ...lines, '', ''].join('\r\n'),
    )
    for await (const _ of socket);
  }
  const listed = ['X-Forwarded-For: 8.8.8.8', 'X-Forwarded-For: 203.0.113.7, 10.1.1.1', 'X-Forwarded-For: 10.2.2.2']
  const told = ['Forwarded: for="8.8.8.8', 'Forwarded: for="[2001:db8::7]:1";proto=https', 'Forwarded: for=10.1.1.1']
  await ask('x-forwarded-for', [...listed, ...told])
  await ask('forwarded', [...listed, ...told])
  expect(keys).toEqual(['api:address:203.0.113.7', 'api:address:2001:db8::'])
})

test('a request is called as a trusted proxy calls it, and every answer says how', async () => {
  const trusting = createFixture({ chat, settings: { trustedProxies: ['127.0.0.1'] } })
  onTestFinished(() => trusting.app.close())
  const given = '0123456789abcdef0123456789abcdef'
  const nameOf = async (request: string, address: string, name = given) =>
    (await trusting.call(request, { address, headers: { 'x-request-id': name } })).headers['x-request-id']
  for (const request of ['GET /healthz', 'GET /v1/nothing', 'GET /v1/me', 'GET /v1/users/%ff'])
    expect(await nameOf(request, '127.0.0.1')).toBe(given)
  const ours = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  expect(await nameOf('GET /healthz', '10.0.0.7')).toMatch(ours)
  expect(await nameOf('GET /healthz', '127.0.0.1', 'a name with blanks')).toMatch(ours)
  const { headers } = await call('GET /v1/nothing', { headers: { 'x-request-id': given } })
  expect(headers['x-request-id']).toMatch(ours)
})

test('beyond the number of requests under way the next is shed, and room comes back', async () => {
  let release = () => {}
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const node = { nodes: () => [], hit: () => gate.then(() => undefined) }
  const here = createFixture({ chat, node, settings: { requestsInFlightMax: 1 } })
  onTestFinished(() => here.app.close())
  const first = here.call('GET /v1/.well-known/jwks.json')
  await expect.poll(async () => (await here.call('GET /v1/.well-known/jwks.json')).body.error?.code).toBe('overloaded')
  expect(await here.registry.getSingleMetricAsString('flotilla_api_requests_in_flight')).toMatch(/ 1$/m)
  expect((await here.call('GET /healthz')).status).toBe(200)
  release()
  expect((await first).status).toBe(200)
  expect((await here.call('GET /v1/.well-known/jwks.json')).status).toBe(200)
  expect(await here.registry.getSingleMetricAsString('flotilla_api_requests_in_flight')).toMatch(/ 0$/m)
})

test('a busy event loop sheds, and says when to come back', async () => {
  const script = { type: 'text/javascript', bytes: Buffer.from('0'), packed: [], tag: '"0"', isHashed: true }
  const ownPort = { files: new Map([['/script.js', script]]), socketPath: '/v1/socket' }
  const here = createFixture({ chat, ownPort, settings: { eventLoopDelayMsMax: 10 }, random: () => 0.5 })
  onTestFinished(() => here.app.close())
  await here.app.ready()
  const busy = setInterval(() => {
    for (const until = Date.now() + 60; Date.now() < until; );
  }, 1)
  onTestFinished(() => clearInterval(busy))
  const shed = () => here.call('GET /v1/.well-known/jwks.json')
  await expect.poll(async () => (await shed()).body.error?.retryMs, { timeout: 15_000 }).toBe(1_250)
  // What a page is made of is not asked for again by whoever loads it.
  await expect
    .poll(async () => [(await shed()).status, (await here.app.inject('/script.js')).statusCode], { timeout: 15_000 })
    .toEqual([503, 200])
  clearInterval(busy)
  await expect.poll(async () => (await shed()).status, { timeout: 15_000 }).toBe(200)
})

test('bytes that are no HTTP get an answer with a code, and the process goes on', async () => {
  const here = createFixture({ chat })
  onTestFinished(() => here.app.close())
  await here.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = here.app.server.address() as { port: number }
  const say = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      let heard = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
      socket.on('data', chunk => void (heard += String(chunk)))
      socket.on('close', () => resolve(heard))
      socket.on('error', reject)
    })
  expect(await say('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"frame_malformed"/)
  const huge = `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`
  expect(await say(huge)).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"frame_too_large"/)
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
})

test('how long requests took is measured by the route, not by the URL', async () => {
  const here = createFixture({ chat })
  onTestFinished(() => here.app.close())
  await here.call('GET /v1/users/someone')
  const metrics = await here.registry.getSingleMetricAsString('flotilla_api_request_duration_seconds')
  expect(metrics).toContain('route="/v1/users/:id",status="401"')
  await here.call('GET /v1/no/such/url')
  expect(await here.registry.metrics()).not.toContain('no/such')
})
