/**
 * People with the real SDK who talk to each other, with everything that they do and see on record. A crowd is made of
 * them, and so is each process of a load.
 */
import { randomUUID } from 'node:crypto'
import { type Client, type ClientOptions, createClient } from '@flotilla/sdk'
import type { History } from './history.ts'
import type { Person } from './population.ts'

export interface TalkersOptions {
  readonly people: readonly Person[]
  readonly history: History
  /** What the client of this one is made of. */
  client(nth: number): ClientOptions
  /** Makes it; the present SDK does, if it is left out. */
  clientOf?(nth: number, options: ClientOptions): Client
  /** A message was acknowledged so long after it was handed to the client. */
  acknowledged?(ms: number): void
}

export interface Talkers {
  /** In the order of the people. */
  readonly clients: readonly Client[]
  /** Messages acknowledged so far. */
  acknowledged(): number
  /** Messages that wait for their acknowledgement. What a client that was stopped had not sent stays in its outbox. */
  unanswered(): number
  /**
   * Sends at this rate until the answer is called.
   * @param pick who is next; anybody, if it is left out
   */
  talk(messagesPerSecond: number, pick?: () => number): () => void
  /** Who has not seen everything below these heads, each with a sentence. Those whose client was not started, or was stopped, owe nothing. */
  behind(heads: ReadonlyMap<string, number>): string[]
}

const silent = { debug() {}, warn() {} }

export function createTalkers(options: TalkersOptions): Talkers {
  const { people, history, clientOf = (_nth, given) => createClient(given) } = options
  /** By person, then by conversation: the highest seq that the application was given. */
  const seen = people.map(() => new Map<string, number>())
  let acknowledged = 0
  const clients = people.map(({ device, user }, nth) => {
    history.opened(device, user)
    // Everything is on record and judged, so everything is heard; and what fails for a while is expected to.
    const client = clientOf(nth, { history: 'all', logger: silent, ...options.client(nth) })
    recordClient(client, device, history, seen[nth]!)
    return client
  })

  function say(nth: number): void {
    const { user, conversations } = people[nth]!
    const conversation = conversations[Math.floor(Math.random() * conversations.length)]!
    const text = randomUUID()
    const startedAt = performance.now()
    let send: ReturnType<Client['send']>
    try {
      send = clients[nth]!.send({ conversation, body: { text } })
    } catch {
      // Its outbox is full, or it was stopped: nothing was taken, so nothing is owed.
      return
    }
    const { clientId } = send
    history.sent({ user, conversation, clientId, text })
    send.acknowledged.then(
      ack => {
        acknowledged++
        options.acknowledged?.(performance.now() - startedAt)
        history.acknowledged(user, conversation, clientId, ack.seq)
      },
      (error: { code: string }) => history.failed(user, conversation, clientId, error.code),
    )
  }

  return {
    clients,
    acknowledged: () => acknowledged,
    unanswered: () => clients.reduce((sum, client) => sum + (owesNothing(client) ? 0 : client.pending().length), 0),
    talk: (messagesPerSecond, pick = () => Math.floor(Math.random() * people.length)) =>
      atRate(messagesPerSecond, () => say(pick())),
    behind: heads =>
      people.flatMap(({ device, conversations }, nth) => {
        if (owesNothing(clients[nth]!)) return []
        const { state } = clients[nth]!
        return conversations
          .map(conversation => ({
            conversation,
            has: seen[nth]!.get(conversation) ?? 0,
            head: heads.get(conversation) ?? 0,
          }))
          .filter(({ has, head }) => has < head)
          .map(({ conversation, has, head }) => `${device} (${state.name}) has ${has} of ${head} in ${conversation}`)
      }),
  }
}

/** It was not started, or went home. */
const owesNothing = ({ state }: Client) =>
  state.name === 'idle' || (state.name === 'stopped' && state.reason === 'stopped')

/** Takes down what a client's application is told. `seen` gets the highest seq of each conversation. */
export function recordClient(client: Client, device: string, history: History, seen: Map<string, number>): void {
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

const tickMs = 20
/** What a process that was held up makes good at once, at the most: more would be a burst that nobody asked for. */
const owedMsMax = 1_000

/** Calls at this rate, also when timers come late. The answer ends it. */
export function atRate(perSecond: number, call: () => void): () => void {
  let owed = 0
  let before = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    owed += (Math.min(owedMsMax, now - before) * perSecond) / 1_000
    before = now
    for (; owed >= 1; owed--) call()
  }, tickMs)
  return () => clearInterval(timer)
}
