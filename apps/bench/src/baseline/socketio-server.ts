/**
 * What people would otherwise write: Socket.IO 4 with its Redis adapter, one INSERT a message over a pool, then an emit
 * to the receiver's room, and the acknowledgement by callback. WebSocket only, no compression (its default). It stores
 * the text as it is, keeps no cursors and no index of who was away, and promises no order. With BATCH_MS set it does what a
 * good engineer would do next: messages that arrive within so many milliseconds share one INSERT.
 */
import { createServer } from 'node:http'
import { parseSecretKeys, verifyTicket } from '@flotilla/service'
import { createAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Server, type Socket } from 'socket.io'

const { PORT, DATABASE_URL, REDIS_URL, TICKET_KEYS, BATCH_MS } = process.env
const ticketKeys = parseSecretKeys(TICKET_KEYS!)
const pool = new pg.Pool({ connectionString: DATABASE_URL!, max: 10 })
const publisher = new Redis(REDIS_URL!)
let delivered = 0
const http = createServer((_request, response) => void response.end(JSON.stringify({ delivered })))
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  adapter: createAdapter(publisher, publisher.duplicate()),
})

interface Message {
  readonly to?: string
  readonly conversation: string
  readonly text: string
}
interface Action {
  readonly to: string
  readonly conversation: string
  readonly message: number
  readonly do: 'react' | 'edit' | 'pin' | 'unpin'
  readonly emoji?: string
  readonly text?: string
}
type Acknowledge = (reply: { id: number } | { error: string }) => void

io.use((socket, next) => void admit(socket, next))

async function admit(socket: Socket, next: (refusal?: Error) => void): Promise<void> {
  const { ticket } = socket.handshake.auth as { ticket?: string }
  const who = verifyTicket(ticketKeys, ticket ?? '', Date.now())
  if (typeof who === 'string') return next(new Error('the ticket is not valid'))
  socket.data.user = who.user
  try {
    const { rows } = await pool.query<{ id: string }>({
      name: 'groups',
      text: 'SELECT conversation_id AS id FROM members WHERE user_id = $1 AND in_group',
      values: [who.user],
    })
    await socket.join([`user:${who.user}`, ...rows.map(row => `group:${row.id}`)])
    next()
  } catch (error) {
    next(new Error('unable to read the groups', { cause: error }))
  }
}

io.on('connection', socket => {
  socket.on('message', (message: Message, acknowledge: Acknowledge) => {
    store(socket.data.user, message).then(
      id => {
        const room = message.to === undefined ? `group:${message.conversation}` : `user:${message.to}`
        socket
          .to(room)
          .emit('message', { id, by: socket.data.user, conversation: message.conversation, text: message.text })
        acknowledge({ id })
      },
      (error: unknown) => acknowledge({ error: String(error) }),
    )
  })
  socket.on('act', (action: Action, acknowledge: Acknowledge) => {
    act(socket.data.user, action).then(
      () => {
        socket.to(`user:${action.to}`).emit('acted', { ...action, id: action.message, by: socket.data.user })
        acknowledge({ id: action.message })
      },
      (error: unknown) => acknowledge({ error: String(error) }),
    )
  })
  socket.on('delivered', () => {
    delivered++
  })
})

const store = BATCH_MS === undefined ? storeAlone : batched(Number(BATCH_MS))

async function storeAlone(sender: string, { conversation, text }: Message): Promise<number> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'store',
    text: 'INSERT INTO messages (conversation_id, sender_id, body) VALUES ($1, $2, $3) RETURNING id',
    values: [conversation, sender, text],
  })
  return Number(rows[0]!.id)
}

/** Whether somebody may, such a server asks in the same statement. What is done is counted, so that nothing is done twice or never. */
async function act(user: string, action: Action): Promise<void> {
  const { conversation, message, emoji, text } = action
  const place = [message, conversation]
  const done =
    action.do === 'react'
      ? await pool.query({
          name: 'react',
          text: `INSERT INTO reactions (message_id, user_id, emoji)
                 SELECT id, $3, $4 FROM messages WHERE id = $1 AND conversation_id = $2 ON CONFLICT DO NOTHING`,
          values: [...place, user, emoji],
        })
      : action.do === 'edit'
        ? await pool.query({
            name: 'edit',
            text: 'UPDATE messages SET body = $4, changes = changes + 1 WHERE id = $1 AND conversation_id = $2 AND sender_id = $3',
            values: [...place, user, text],
          })
        : await pool.query({
            name: 'pin',
            text: 'UPDATE messages SET pinned = $3, changes = changes + 1 WHERE id = $1 AND conversation_id = $2',
            values: [...place, action.do === 'pin'],
          })
  if (done.rowCount !== 1) throw new Error(`there is no message ${message} to ${action.do}`)
}

interface Waiting extends PromiseWithResolvers<number> {
  readonly sender: string
  readonly message: Message
}

/** One batch at a time; what comes meanwhile is the next one. Ids come back in the order of the rows. */
function batched(windowMs: number): typeof storeAlone {
  let waiting: Waiting[] = []
  let busy = false

  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    try {
      const { rows } = await pool.query<{ id: string }>({
        name: 'store-batch',
        text: `INSERT INTO messages (conversation_id, sender_id, body)
               SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[]) RETURNING id`,
        values: [
          batch.map(one => one.message.conversation),
          batch.map(one => one.sender),
          batch.map(one => one.message.text),
        ],
      })
      batch.forEach((one, at) => one.resolve(Number(rows[at]!.id)))
    } catch (error) {
      for (const one of batch) one.reject(error)
    }
    busy = false
    if (waiting.length > 0) begin()
  }
  function begin(): void {
    busy = true
    setTimeout(() => void flush(), windowMs)
  }
  return (sender, message) => {
    const one = { ...Promise.withResolvers<number>(), sender, message }
    waiting.push(one)
    if (!busy) begin()
    return one.promise
  }
}

http.listen(Number(PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit())
