/**
 * Every operation with all that its schema allows and much that it does not, against a real PostgreSQL: `npm run test:api`.
 * No answer may be a server error, and each must be as the document says. FUZZ_SECONDS and FUZZ_SEED change the run.
 */
import type { AddressInfo } from 'node:net'
import { testDatabase } from '@flotilla/testing'
import { expect, test } from 'vitest'
import { apiDefaults, type ApiSettings } from '../config.ts'
import { createFixture, openChat } from '../api.testbed.ts'
import { fuzz, installSchemathesis } from './schemathesis.testbed.ts'

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 600)
const seed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 1e9))

/** Limits would answer most of the calls, as would shedding on a busy machine; they have tests of their own. */
function withoutLimits(): Partial<ApiSettings> {
  const settings = Object.entries(apiDefaults).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'object' && value !== null && 'windowMs' in value ? { ...value, max: 1e9 } : value,
  ])
  const unlimited = {
    requestsMax: 1e9,
    requestsInFlightMax: 1e9,
    requestsPerAddressMax: 1e9,
    httpConnectionsPerAddressMax: 1e9,
    eventLoopDelayMsMax: 1e9,
  }
  return { ...(Object.fromEntries(settings) as ApiSettings), ...unlimited }
}

const gateway = {
  node: 'gateway',
  generation: 1,
  state: 'live' as const,
  beatAt: 0,
  beatAgeMs: 0,
  swept: false,
  info: { kind: 'gateway' as const, url: 'ws://gateway/v1/socket', region: 'local', connections: 0, accepting: true },
}

test(`seed ${seed}`, { timeout: (seconds + 600) * 1000 }, async () => {
  installSchemathesis()
  const database = await testDatabase()
  const store = await openChat(database.url)
  // Whoever asks is an operator, so that what they may do is called too.
  const operators = Object.assign([], { includes: () => true })
  const api = createFixture({
    chat: store.chat,
    node: { nodes: () => [gateway], hit: async () => undefined },
    settings: { ...withoutLimits(), operators },
  })
  try {
    await api.app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = api.app.server.address() as AddressInfo
    expect(await fuzz({ origin: `http://127.0.0.1:${port}`, seconds, seed })).toBe(true)
    expect(api.broken()).toEqual([])
  } finally {
    await api.app.close()
    await store.close()
    await database.drop()
  }
})
