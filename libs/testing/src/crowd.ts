/**
 * Many people with the real SDK on a fleet, talking to each other while a test breaks things, with everything that
 * they did and saw on record. `settle` waits until everybody has everything; `check` lets the checker decide.
 */
import { type ChatContext, toEntries } from '@flotilla/chat'
import type { Client } from '@flotilla/sdk'
import type { Fleet } from './fleet.ts'
import { History } from './history.ts'
import { checkHistory, type Violation } from './history-checker.ts'
import { makePeople } from './population.ts'
import { dumpStore } from './store-dump.ts'
import { atRate, createTalkers, type TalkersOptions } from './talkers.ts'
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
  readonly clientOf?: TalkersOptions['clientOf']
  /** Of the connections, cut through the fault proxies each second: 0.05 is one in twenty. */
  readonly cutsPerSecond: number
}

export interface Crowd {
  readonly history: History
  readonly clients: readonly Client[]
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

/** Makes the people and connects them. Resolves when all are live. */
export async function startCrowd(options: CrowdOptions): Promise<Crowd> {
  const { fleet, chat, groupSize, clientOf } = options
  const history = new History()
  const people = await makePeople(chat.pool, { count: options.people, groupSize })
  const talkers = createTalkers({
    people,
    history,
    ...(clientOf === undefined ? {} : { clientOf }),
    client: nth => ({
      api: 'http://fleet.test',
      getToken: () => Promise.resolve('token'),
      fetch: async () => Response.json(fleet.connect(people[nth]!.user, people[nth]!.session)),
    }),
  })
  const { clients } = talkers
  let endings: (() => void)[] = []
  await Promise.all(clients.map(client => client.start()))
  await until(() => clients.every(client => client.state.name === 'live'), {
    what: 'everybody is live',
    withinMs: 60_000,
    everyMs: 50,
  })
  const pause = () => {
    for (const end of endings) end()
    endings = []
  }
  return {
    history,
    clients,
    acknowledged: () => talkers.acknowledged(),
    start() {
      endings = [
        talkers.talk(options.messagesPerSecond),
        atRate(people.length * options.cutsPerSecond, () => cutOne(fleet)),
      ]
    },
    pause,
    settle: withinMs =>
      settle({
        withinMs,
        heads: () => readHeads(chat.pool),
        unanswered: () => talkers.unanswered(),
        behind: heads => talkers.behind(heads),
      }),
    check: () => checkAgainstStore(history.records, chat),
    async stop() {
      pause()
      await Promise.all(clients.map(client => client.stop()))
    },
  }
}

/**
 * Waits until every send is answered and everybody has everything that is stored.
 * @returns how long it took, in milliseconds
 * @throws Error that names some of those who lack something
 */
export async function settle(options: {
  readonly withinMs: number
  readonly everyMs?: number
  /** How far each conversation is. */
  heads(): Promise<ReadonlyMap<string, number>>
  unanswered(): number | Promise<number>
  behind(heads: ReadonlyMap<string, number>): string[] | Promise<string[]>
}): Promise<number> {
  const { withinMs, everyMs = 20 } = options
  const startedAt = performance.now()
  await until(async () => (await options.unanswered()) === 0, { what: 'every send is answered', withinMs, everyMs })
  const heads = await options.heads()
  const left = withinMs - (performance.now() - startedAt)
  let behind: string[] = []
  await until(
    async () => {
      behind = await options.behind(heads)
      return behind.length === 0
    },
    { what: 'everybody has everything', withinMs: left, everyMs },
  ).catch((error: unknown) => {
    const examples = behind.slice(0, 5).join('\n')
    throw new Error(`${String(error)}\n${behind.length} behind, such as:\n${examples}`, { cause: error })
  })
  return performance.now() - startedAt
}

/** The highest seq of every conversation. */
export async function readHeads(pool: ChatContext['pool']): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; head_seq: number }>('SELECT id, head_seq FROM conversations')
  return new Map(rows.map(row => [row.id, row.head_seq]))
}

/**
 * What the checker says of this history and of what is stored now.
 * @param conversations those that the history is about; all, if they are left out
 */
export async function checkAgainstStore(
  records: History['records'],
  chat: CrowdOptions['chat'],
  conversations?: readonly string[],
): Promise<Violation[]> {
  // Receipts are still on their way: what is shown after the store was read is not in what was read.
  const shown = [...records]
  const dump = await dumpStore(chat.pool, rows => toEntries(chat.seal, rows, chat.epoch()), conversations)
  return checkHistory(shown, dump)
}

/** Breaks one connection of one node off, in the way in which a phone loses its network: without a close. */
function cutOne(fleet: Fleet): void {
  const node = fleet.nodes[Math.floor(Math.random() * fleet.nodes.length)]!
  const open = node.proxy.connections().filter(connection => connection.open)
  const one = open[Math.floor(Math.random() * open.length)]
  if (one !== undefined) node.proxy.reset(one.index)
}
