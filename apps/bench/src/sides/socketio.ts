/** Socket.IO with its Redis adapter and one INSERT a message, on tables that such a server would have. */
import { chatDefaults } from '@flotilla/chat'
import { fileURLToPath } from 'node:url'
import { generateSecretKey } from '@flotilla/service'
import { freePort, until } from '@flotilla/testing'
import type { Ground } from '../bed.ts'
import type { Address } from '../load/messenger.ts'
import type { Ending } from '../load/window.ts'
import { answers, type NodeProcess, startNode } from './node-process.ts'
import { type Population, type Side, type Stand, type StandOptions, textLength } from './side.ts'

const ticketKeys = generateSecretKey('bench')

export const socketIo: Side = { name: 'Socket.IO', populate, start, verify }

/** The window of our own commits, counted likewise. */
const batchMs = String(chatDefaults.commitWindowMs)

/** The same, with messages that share an INSERT. */
export const socketIoBatched: Side = {
  name: 'Socket.IO, batched',
  populate,
  start: (ground, options) => start(ground, { ...options, env: { BATCH_MS: batchMs, ...options.env } }),
  verify,
}

async function populate(
  ground: Ground,
  { directs = 0, groups, past = { directs: 0, messagesEach: 0 } }: Population,
): Promise<void> {
  await ground.query(
    `CREATE TABLE messages (
       id bigserial PRIMARY KEY, conversation_id uuid NOT NULL, sender_id uuid NOT NULL, body text NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now(), pinned boolean NOT NULL DEFAULT false, changes integer NOT NULL DEFAULT 0
     )`,
  )
  await ground.query(
    'CREATE TABLE reactions (message_id bigint NOT NULL REFERENCES messages, user_id uuid NOT NULL, emoji text NOT NULL, PRIMARY KEY (message_id, user_id, emoji))',
  )
  await ground.query(
    `INSERT INTO messages (conversation_id, sender_id, body)
     SELECT md5('direct-' || n)::uuid, md5('user-' || 2 * n + seq % 2)::uuid, repeat('x', ${textLength})
       FROM generate_series($1::int, $1::int + $2::int - 1) n, generate_series(1, $3::int) seq`,
    [directs, past.directs, past.messagesEach],
  )
  await ground.query('CREATE INDEX messages_conversation_idx ON messages (conversation_id, id)')
  await ground.query(
    'CREATE TABLE members (conversation_id uuid NOT NULL, user_id uuid NOT NULL, in_group boolean NOT NULL, PRIMARY KEY (user_id, conversation_id))',
  )
  await ground.query(
    `INSERT INTO members SELECT md5('direct-' || n / 2)::uuid, md5('user-' || n)::uuid, false FROM generate_series(0, 2 * $1::int - 1) n`,
    [directs + past.directs],
  )
  await ground.query(
    `INSERT INTO members SELECT md5('group-' || n / $2::int)::uuid, md5('user-' || n)::uuid, true FROM generate_series(0, $1::int * $2::int - 1) n`,
    [groups?.count ?? 0, groups?.size ?? 1],
  )
}

async function start(ground: Ground, options: StandOptions): Promise<Stand> {
  const servers = await Promise.all(
    Array.from({ length: options.nodes }, (_, at) => startServer(ground, options, at + 1)),
  )
  const nodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return {
    fleet: { side: 'socketio', nodes, ticketKeys },
    processes: servers,
    async counters(names) {
      const counts = await Promise.all(nodes.map(node => readCounts(node)))
      const sums = names.map(name => [name, counts.reduce((sum, count) => sum + (count[name] ?? 0), 0)] as const)
      return Object.fromEntries(sums)
    },
    async stop() {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

async function startServer(
  ground: Ground,
  options: StandOptions,
  number: number,
): Promise<NodeProcess & { readonly port: number }> {
  const port = await freePort()
  const server = await startNode({
    name: options.nodes === 1 ? 'server' : `server ${number}`,
    file: fileURLToPath(new URL('../baseline/socketio-server.ts', import.meta.url)),
    core: options.core,
    fromSource: true,
    inspect: options.inspect === true,
    env: {
      PORT: String(port),
      DATABASE_URL: ground.databaseUrl,
      REDIS_URL: ground.redisUrl,
      TICKET_KEYS: ticketKeys,
      ...options.env,
    },
    ready: () => answers(`http://127.0.0.1:${port}/`),
  })
  return { ...server, port }
}

async function readCounts(node: Address): Promise<Record<string, number>> {
  const response = await fetch(`http://${node.host}:${node.port}/`)
  return (await response.json()) as Record<string, number>
}

async function verify(ground: Ground, stand: Stand, ending: Ending, told: boolean): Promise<string[]> {
  const problems: string[] = []
  const [stored] = await ground.query<{ rows: number }>(
    `SELECT (count(*) + sum(changes))::int + (SELECT count(*)::int FROM reactions) AS rows FROM messages`,
  )
  const { acked, past = 0 } = ending
  if (stored!.rows !== acked + past)
    problems.push(`${stored!.rows} things are stored, ${past} of them before, ${acked} were acknowledged`)
  // The last acknowledgements may be on their way.
  if (told)
    await until(
      async () => (await stand.counters(['delivered']))['delivered'] === ending.received - (ending.acted ?? 0),
      {
        what: `the servers know of ${ending.received} deliveries`,
      },
    )
  return problems
}
