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
  expect((await get('/other'))[0]).toBe(404)
  await health.close()
})
