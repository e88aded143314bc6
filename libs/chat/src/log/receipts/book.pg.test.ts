import { makeConversation, makeUsers, type TestDatabase, testDatabase } from '@flotilla/testing'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool, type Pool } from '../../store/pool.ts'
import { createReceipts, type Risen } from './book.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const headSeq = 10
let database: TestDatabase
let pool: Pool
let user: string

beforeAll(async () => {
  database = await testDatabase()
  pool = createPool({ url: database.url, connectionsMax: 8, logger, applicationName: 'test' })
  user = (await makeUsers(pool, 1))[0]!
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

async function conversationWithHead(): Promise<string> {
  const conversation = await makeConversation(pool, [user])
  await pool.query('UPDATE conversations SET head_seq = $2 WHERE id = $1', [conversation, headSeq])
  return conversation
}

test('whatever two processes note, cursors only rise and read <= delivered <= head (P7)', async () => {
  const note = fc.record({ node: fc.nat(1), delivered: fc.nat(headSeq * 2), read: fc.nat(headSeq * 2) })
  await fc.assert(
    fc.asyncProperty(fc.array(note, { minLength: 1, maxLength: 12 }), async notes => {
      const conversation = await conversationWithHead()
      const nodes = [0, 1].map(() => createReceipts({ pool, logger, windowMs: 1 }))
      const risen: Risen[] = []
      await Promise.all(
        notes.map(({ node, ...cursor }) => nodes[node]!.note(conversation, user, cursor, one => risen.push(one))),
      )
      const row = await pool.query<{ delivered: number; read: number }>(
        'SELECT delivered_seq AS delivered, read_seq AS read FROM members WHERE conversation_id = $1',
        [conversation],
      )
      const wanted = {
        read: Math.max(...notes.map(one => one.read)),
        delivered: Math.max(...notes.map(one => Math.max(one.delivered, one.read))),
      }
      expect(row.rows[0]).toEqual({
        delivered: Math.min(headSeq, wanted.delivered),
        read: Math.min(headSeq, wanted.read),
      })
      for (const one of risen) {
        expect(one.read).toBeLessThanOrEqual(one.delivered)
        expect(one.delivered).toBeLessThanOrEqual(headSeq)
      }
      await Promise.all(nodes.map(node => node.close()))
    }),
    { numRuns: 25 },
  )
})

test('what was delivered leaves the offline index, and a receipt that raises nothing tells nobody', async () => {
  const conversation = await conversationWithHead()
  for (const seq of [1, 2, 3])
    await pool.query('INSERT INTO offline_messages (user_id, conversation_id, seq) VALUES ($1, $2, $3)', [
      user,
      conversation,
      seq,
    ])
  const receipts = createReceipts({ pool, logger, windowMs: 1 })
  const risen: Risen[] = []
  await receipts.note(conversation, user, { delivered: 2, read: 0 }, one => risen.push(one))
  await receipts.note(conversation, user, { delivered: 1, read: 0 }, one => risen.push(one))
  const rose = { deliveredRose: true, readRose: false, unmarked: false, version: 1 }
  expect(risen).toEqual([{ conversation, user, delivered: 2, read: 0, ...rose }])
  const left = await pool.query('SELECT seq FROM offline_messages WHERE conversation_id = $1', [conversation])
  expect(left.rows).toEqual([{ seq: 3 }])
  await receipts.close()
})

test('notes of one window become one statement, and closing writes what waits', async () => {
  const conversation = await conversationWithHead()
  const receipts = createReceipts({ pool, logger, windowMs: 60_000 })
  const risen: Risen[] = []
  const notes = [3, 7, 5].map(delivered =>
    receipts.note(conversation, user, { delivered, read: 0 }, one => risen.push(one)),
  )
  expect(receipts.queued).toBe(1)
  await receipts.close()
  await Promise.all(notes)
  expect(risen.map(one => one.delivered)).toEqual([7])
})
