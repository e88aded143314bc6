/**
 * Many people with the real SDK on a fleet, talking to each other while a test breaks things, with everything that
 * they did and saw on record. `settle` waits until everybody has everything; `check` lets the checker decide.
 */
import { randomUUID } from 'node:crypto'
import { type ChatContext, toEntries } from '@flotilla/chat'
import { type Client, createClient } from '@flotilla/sdk'
import type { Fleet } from './fleet.ts'
import { History } from './history.ts'
import { checkHistory, type Violation } from './history-checker.ts'
import { makeConversation, makeSessions, makeUsers } from './population.ts'
import { dumpStore } from './store-dump.ts'
import { until } from './until.ts'

export interface CrowdOptions {
  readonly fleet: Fleet
  /** Opens the store with the keys of the fleet; its pool is used to make people and to look at heads. */
  readonly chat: Pick<ChatContext, 'pool' | 'seal' | 'epoch'>
  readonly people: number
  /** Each person is in one group of this size, and in one direct conversation. */
  readonly groupSize: number
  readonly messagesPerSecond: number
  /** Makes the client of the nth person; the present SDK's when missing. */
  readonly clientOf?: (nth: number, options: Parameters<typeof createClient>[0]) => Client
  /** Of the connections, cut through the fault proxies each second: 0.05 is one in twenty. */
  readonly cutsPerSecond: number
}

export interface Crowd {
  readonly history: History
  readonly clients: readonly Client[]
  readonly conversations: readonly string[]
  readonly users: readonly string[]
  /** Messages acknowledged so far. */
  acknowledged(): number
  /** Begins to send and to be cut. */
  start(): void
  /** Ends sending and cutting. */
  pause(): void
  /** How long the slowest device needed from now on until it had everything that is stored. @throws when it does not come to that */
  settle(withinMs: number): Promise<number>
  check(): Promise<Violation[]>
  stop(): Promise<void>
}

const tickMs = 20

/** Makes the people and connects them. Resolves when all are live. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const { fleet, chat, clientOf = (_nth, given) => createClient(given) } = options
  const history = new History()
  const users = await makeUsers(chat.pool, options.people)
  const sessions = await makeSessions(chat.pool, users)
  const { conversations, conversationsOf } = await makeTalks(chat.pool, users, options.groupSize)
  /** Device → conversation → the highest seq that its application was given. */
  const seen = users.map(() => new Map<string, number>())
  let acknowledged = 0
  let timer: NodeJS.Timeout | undefined

  const clients = users.map((user, nth) => {
    const device = `device-${nth}`
    history.opened(device, user)
    const client = clientOf(nth, {
      api: 'http://fleet.test',
      getToken: () => Promise.resolve('token'),
      fetch: async () => Response.json(fleet.connect(user, sessions[nth]!)),
    })
    record(client, device, history, seen[nth]!)
    return client
  })
  await Promise.all(clients.map(client => client.start()))
  await until(() => clients.every(client => client.state.name === 'live'), {
    what: 'everybody is live',
    withinMs: 60_000,
    everyMs: 50,
  })

  function say(nth: number) {
    const [user, client] = [users[nth]!, clients[nth]!]
    const own = conversationsOf.get(user)!
    const conversation = own[Math.floor(Math.random() * own.length)]!
    const text = randomUUID()
    let send: ReturnType<Client['send']>
    try {
      send = client.send({ conversation, body: { text } })
    } catch {
      // Its outbox is full: nothing was taken, so nothing is owed.
      return
    }
    const { clientId } = send
    history.sent({ user, conversation, clientId, text })
    send.acknowledged.then(
      ack => {
        acknowledged++
        history.acknowledged(user, conversation, clientId, ack.seq)
      },
      (error: { code: string }) => history.failed(user, conversation, clientId, error.code),
    )
  }

  function start() {
    let owedSends = 0
    let owedCuts = 0
    timer = setInterval(() => {
      owedSends += (options.messagesPerSecond * tickMs) / 1_000
      for (; owedSends >= 1; owedSends--) say(Math.floor(Math.random() * users.length))
      owedCuts += (users.length * options.cutsPerSecond * tickMs) / 1_000
      for (; owedCuts >= 1; owedCuts--) cutOne(fleet)
    }, tickMs)
  }
  const pause = () => clearInterval(timer)

  return {
    history,
    clients,
    conversations,
    users,
    acknowledged: () => acknowledged,
    start,
    pause,
    async settle(withinMs) {
      const startedAt = performance.now()
      await until(() => clients.every(client => client.pending().length === 0), {
        what: 'every send is answered',
        withinMs,
        everyMs: 20,
      })
      const rows = await chat.pool.query<{ id: string; head_seq: number }>('SELECT id, head_seq FROM conversations')
      const heads = new Map(rows.rows.map(row => [row.id, row.head_seq]))
      const behind = () =>
        users.flatMap((user, nth) =>
          conversationsOf
            .get(user)!
            .filter(conversation => (seen[nth]!.get(conversation) ?? 0) < heads.get(conversation)!)
            .map(
              conversation =>
                `device-${nth} (${clients[nth]!.state.name}) has ${seen[nth]!.get(conversation) ?? 0} of ${heads.get(conversation)} in ${conversation}`,
            ),
        )
      const left = withinMs - (performance.now() - startedAt)
      await until(() => behind().length === 0, { what: 'everybody has everything', withinMs: left, everyMs: 20 }).catch(
        (error: unknown) => {
          const list = behind()
          throw new Error(`${String(error)}\n${list.length} behind, such as:\n${list.slice(0, 5).join('\n')}`, {
            cause: error,
          })
        },
      )
      return performance.now() - startedAt
    },
    async check() {
      // Receipts are still on their way: what is shown after the store was read is not in what was read.
      const records = [...history.records]
      const dump = await dumpStore(chat.pool, rows => toEntries(chat.seal, rows, chat.epoch()))
      return checkHistory(records, dump)
    },
    async stop() {
      pause()
      await Promise.all(clients.map(client => client.stop()))
    },
  }
}

function record(client: Client, device: string, history: History, seen: Map<string, number>): void {
  let live = false
  client.on('state', state => {
    if ((state.name === 'live') === live) return
    live = state.name === 'live'
    if (live) history.connected(device)
    else history.disconnected(device)
  })
  client.on('entry', entry => {
    history.saw(device, entry)
    seen.set(entry.conversation, entry.seq)
  })
  client.on('receipt', ({ conversation, user, kind, seq }) =>
    history.receipt(device, { conversation, user, type: kind, seq }),
  )
  client.on('resync', ({ conversation, head }) => history.resync(device, conversation, head))
  client.on('left', ({ conversation }) => history.left(device, conversation))
}

async function makeTalks(pool: ChatContext['pool'], users: readonly string[], groupSize: number) {
  const conversations: string[] = []
  const conversationsOf = new Map<string, string[]>(users.map(user => [user, []]))
  const make = async (members: readonly string[], kind: 'direct' | 'group') => {
    const conversation = await makeConversation(pool, members, kind)
    conversations.push(conversation)
    for (const member of members) conversationsOf.get(member)!.push(conversation)
  }
  for (let from = 0; from < users.length; from += groupSize) await make(users.slice(from, from + groupSize), 'group')
  const half = users.length >> 1
  for (let nth = 0; nth < half; nth++) await make([users[nth]!, users[nth + half]!], 'direct')
  return { conversations, conversationsOf }
}

/** Breaks one connection of one node off, in the way in which a phone loses its network: without a close. */
function cutOne(fleet: Fleet): void {
  const node = fleet.nodes[Math.floor(Math.random() * fleet.nodes.length)]!
  const open = node.proxy.connections().filter(connection => connection.open)
  const one = open[Math.floor(Math.random() * open.length)]
  if (one !== undefined) node.proxy.reset(one.index)
}
