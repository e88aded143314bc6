import { expect, test } from 'vitest'
import { serveHealth } from './health.ts'
import { createRegistry } from './metrics.ts'

test('the port for operators tells health, readiness with its reason, and metrics', async () => {
  let reason: string | undefined = 'no lease'
  const health = await serveHealth({
    host: '127.0.0.1',
    port: 0,
    registry: createRegistry({ process: 'test' }),
    ready: () => reason,
  })
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`)
    return [response.status, await response.text()] as const
  }
  expect(await get('/healthz')).toEqual([200, 'ok\n'])
  expect(await get('/readyz')).toEqual([503, 'no lease\n'])
  reason = undefined
  expect(await get('/readyz')).toEqual([200, 'ready\n'])
  expect((await get('/metrics'))[1]).toMatch(/process_cpu_user_seconds_total\{process="test"\}/)
  const ask = async (method: string, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${health.port}${path}`, { method })
    return [answer.status, answer.headers.get('allow'), await answer.text()] as const
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect(await ask('HEAD', path)).toEqual([200, null, ''])
    const [status, allow, body] = await ask('POST', path)
    expect([status, allow, JSON.parse(body)]).toMatchObject([
      405,
      'GET, HEAD',
      { error: { code: 'method_not_allowed' } },
    ])
  }
  const [status, , body] = await ask('GET', '/other')
  expect([status, JSON.parse(body)]).toMatchObject([404, { error: { code: 'route_unknown' } }])
  await health.close()
})
