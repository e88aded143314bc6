import { expect, test } from 'vitest'
import { createPool } from './pool.ts'

test('a connection that is lost idle is told; one of a pool that ends is not', async () => {
  const told: string[] = []
  const logger = { debug() {}, info() {}, warn: (_fields: object, text: string) => told.push(text), error() {} }
  const pool = createPool({
    url: 'postgres://nobody@127.0.0.1:1/none',
    connectionsMax: 1,
    logger,
    applicationName: 'test',
  })
  pool.emit('error', new Error('lost'), undefined as never)
  expect(told).toHaveLength(1)
  await pool.end()
  pool.emit('error', new Error('lost'), undefined as never)
  expect(told).toHaveLength(1)
})
