import { randomUUID } from 'node:crypto'
import type { EntryRow } from '@flotilla/chat'
import type { Entry } from '@flotilla/protocol'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from './databases.ts'
import { makeConversation, makeUsers } from './population.ts'
import { dumpStore, membershipsOf } from './store-dump.ts'

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url })
})
afterAll(async () => {
  await pool.end()
  await database.drop()
})

/** Bodies lie open here: what opens sealed ones is the domain's and tested there. */
const readOpen = async (rows: readonly EntryRow[]) =>
  rows.map(row => {
    const { event, ...rest } = JSON.parse(row.body.toString()) as { event: string }
    return {
      event,
      conversation: row.conversation_id,
      seq: row.seq,
      epoch: 1,
      at: row.at,
      by: row.sender_id,
      ...rest,
    } as Entry
  })

test('the dump has the log, the heads, the cursors and who was a member from when to when', async () => {
  const [ann, bob, cid] = (await makeUsers(pool, 3)) as [string, string, string]
  const conversation = await makeConversation(pool, [ann, bob])
  const clientIds = [randomUUID(), randomUUID(), randomUUID()]
  const bodies = [
    { event: 'member.added', members: [{ user: cid, role: 'member' }] },
    { event: 'message.new', clientId: clientIds[1], body: { text: 'hello' } },
    { event: 'member.removed', user: cid },
  ]
  for (const [index, body] of bodies.entries())
    await pool.query(
      'INSERT INTO messages (conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body) VALUES ($1, $2, now(), $3, $4, 1, 1, $5)',
      [conversation, index + 1, ann, clientIds[index], Buffer.from(JSON.stringify(body))],
    )
  await pool.query('UPDATE conversations SET head_seq = 3 WHERE id = $1', [conversation])
  await pool.query('UPDATE members SET delivered_seq = 2, read_seq = 1 WHERE user_id = $1', [bob])

  const dump = await dumpStore(pool, readOpen)
  const place = (seq: number) => ({ conversation, seq, sender: ann, clientId: clientIds[seq - 1] })
  expect(dump.entries).toEqual([
    { ...place(1), event: 'member.added', text: undefined },
    { ...place(2), event: 'message.new', text: 'hello' },
    { ...place(3), event: 'member.removed', text: undefined },
  ])
  expect(dump.heads).toEqual([{ conversation, head: 3 }])
  expect(dump.cursors).toHaveLength(2)
  expect(dump.cursors).toContainEqual({ conversation, user: bob, delivered: 2, read: 1 })
  expect(dump.memberships).toContainEqual({ conversation, user: cid, from: 1, to: 3 })
  expect(dump.memberships).toContainEqual({ conversation, user: ann, from: 1 })
  await expect(dumpStore(pool, async rows => (await readOpen(rows)).slice(1))).rejects.toThrow('no entry came for row')
})

test('somebody may come, leave and come back, and see what was before; the row counts where the log tells nothing', () => {
  const place = { conversation: 'crew', epoch: 1, at: 0, by: 'ann' }
  const log = [
    { ...place, seq: 1, event: 'conversation.created', kind: 'group', members: [{ user: 'ann', role: 'owner' }] },
    { ...place, seq: 2, event: 'member.added', members: [{ user: 'bob', role: 'member' }] },
    { ...place, seq: 4, event: 'member.left', by: 'bob' },
    { ...place, seq: 6, event: 'member.added', members: [{ user: 'bob', role: 'member' }] },
    { ...place, seq: 7, event: 'member.removed', user: 'dee' },
    { ...place, seq: 8, event: 'member.added', members: [{ user: 'dee', role: 'member' }], since: 3 },
  ] as Entry[]
  const present = [
    { conversation: 'crew', user: 'ann', joined: 5 },
    { conversation: 'crew', user: 'bob', joined: 6 },
    { conversation: 'crew', user: 'cid', joined: 3 },
  ]
  expect(membershipsOf(log, present)).toEqual([
    { conversation: 'crew', user: 'bob', from: 2, to: 4 },
    { conversation: 'crew', user: 'dee', from: 1, to: 7 },
    { conversation: 'crew', user: 'ann', from: 1 },
    { conversation: 'crew', user: 'bob', from: 6 },
    { conversation: 'crew', user: 'dee', from: 3, joined: 8 },
    { conversation: 'crew', user: 'cid', from: 3 },
  ])
})
