/**
 * A log that is full already, of direct conversations that are there. Bodies are sealed as the product seals them, so that
 * whoever reads the rows can open them.
 */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Sealer } from '@flotilla/chat'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import type { Ground } from '../bed.ts'
import { idOf } from '../ids.ts'
import { writeStamp } from '../load/messenger.ts'
import { textLength } from './side.ts'

export interface Filling {
  /** So many, from `idOf('direct', from)` on. */
  readonly conversations: number
  readonly from?: number
  readonly messagesEach: number
  /** How a message stands now. */
  standing(conversation: number, seq: number): Standing
}

export interface Standing {
  /** By the last entry of its conversation. */
  readonly edited: boolean
  /** As in `messages.parts`; the rows of the parts are for the caller to write. */
  readonly parts: number
}

export const untouched: Standing = { edited: false, parts: 0 }
const kindOfMessages = 1
/** NULL, as COPY reads it. */
const none = '\\N'
const rowsAtOnce = 1_000

/** The rows of the log. Of a conversation both people have written, by turns. */
export async function fillLog(ground: Ground, seal: Sealer, filling: Filling): Promise<void> {
  const { conversations, messagesEach, from = 0 } = filling
  const client = new pg.Client({ connectionString: ground.databaseUrl, application_name: 'bench' })
  await client.connect()
  try {
    const columns =
      'conversation_id, seq, created_at, sender_id, client_id, key_id, kind, body, changed_seq, edited_at, parts'
    await pipeline(
      Readable.from(rowsOf(seal, filling)),
      client.query(copyFrom(`COPY messages (${columns}) FROM STDIN`)),
    )
  } finally {
    await client.end()
  }
  await ground.query(
    `UPDATE conversations SET head_seq = $2, fed_seq = $2, head_at = now()
       FROM generate_series($3::int, $3::int + $1::int - 1) n WHERE id = md5('direct-' || n)::uuid`,
    [conversations, messagesEach, from],
  )
  await ground.query(
    `UPDATE members SET delivered_seq = $2, read_seq = $2
       FROM generate_series($3::int, $3::int + $1::int - 1) n WHERE conversation_id = md5('direct-' || n)::uuid`,
    [conversations, messagesEach, from],
  )
}

function* rowsOf(seal: Sealer, { conversations, from = 0, messagesEach, standing }: Filling): Generator<string> {
  const at = new Date().toISOString()
  const plain = JSON.stringify({ body: { text: writeStamp(0, 0, 0, textLength) } })
  let lines: string[] = []
  for (let number = from; number < from + conversations; number++) {
    const conversation = idOf('direct', number)
    const people = [idOf('user', number * 2), idOf('user', number * 2 + 1)]
    for (let seq = 1; seq <= messagesEach; seq++) {
      const sender = people[seq % 2]!
      const clientId = randomUUID()
      const { keyId, body } = seal.seal({ conversation, sender, clientId, kind: kindOfMessages }, plain)
      const hex = body.toString('hex')
      const { edited, parts } = standing(number, seq)
      const changed = edited ? `${messagesEach}\t${at}` : `${none}\t${none}`
      const sent = `${conversation}\t${seq}\t${at}\t${sender}\t${clientId}\t${keyId}\t${kindOfMessages}\t\\\\x${hex}`
      lines.push(`${sent}\t${changed}\t${parts === 0 ? none : parts}\n`)
      if (lines.length < rowsAtOnce) continue
      yield lines.join('')
      lines = []
    }
  }
  yield lines.join('')
}
