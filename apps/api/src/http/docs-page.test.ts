/** The page that shows the API, and what is there where it was left out. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { createFixture } from '../api.testbed.ts'

vi.mock('@scalar/fastify-api-reference', () => {
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
})

test('without it the API answers as ever, and /docs says what is lacking', async () => {
  const { app } = createFixture()
  onTestFinished(() => app.close())
  expect((await app.inject('/v1/openapi.json')).statusCode).toBe(200)
  const page = await app.inject('/docs')
  expect(page.statusCode).toBe(404)
  expect(page.json().error.message).toContain('@scalar/fastify-api-reference is not installed')
})
