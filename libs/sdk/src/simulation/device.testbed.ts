/**
 * One person's device: an application with a store of its own, a client that can be stopped or killed and started
 * again, and a record of what the application was given, which complains as soon as a promise is broken.
 */
import { conversationOf, type Entry, type EntryOp, foldAll } from '@flotilla/protocol'
import { Client } from '../client.ts'
import type { Change } from '../delivery.ts'
import type { FlotillaErrorCode } from '../flotilla-error.ts'
import { FlotillaError } from '../flotilla-error.ts'
import type { Send } from '../outbox.ts'
import type { Store } from '../store.ts'
import { createMemoryStore } from '../store-memory.ts'
import type { HistoryStart } from '../sync.ts'
import { type ModelServer, ModelSocket } from './model-server.testbed.ts'

/** What the application holds of one conversation. */
export interface Held {
  epoch: number
  entries: Entry[]
  /** The seq before the first entry held. */
  start: number
  /** It began again, so that older entries are not held. */
  resynced: boolean
  /** The head when the first entry came. */
  firstHead: number
}

export interface SentRecord {
  op: EntryOp
  readonly conversation: string
  readonly clientId: string
  /** Whether the process lived long enough to put it into the store. */
  kept: boolean
  /** The device was wiped before it was answered: it may have become an entry, or not. */
  lost?: boolean
  /** It was acknowledged in an earlier epoch as well: the crash of the device made it come again. */
  restored?: boolean
  ack?: { seq: number; epoch: number }
  failed?: FlotillaErrorCode
}

const pollOptions = ['yes', 'no', 'later']
const emojis = ['👍', '❤️', '🎉']

interface Act {
  readonly conversation: string
  readonly target: number
  readonly text: string
  readonly nth: number
}

/** To which messages, and by what call. */
const verbs = {
  edit: {
    on: 'own',
    act: (client, { conversation, target, text }) => client.edit({ conversation, target, body: { text } }),
  },
  delete: { on: 'any', act: (client, { conversation, target }) => client.delete(conversation, target) },
  react: {
    on: 'any',
    act: (client, { conversation, target, nth }) => client.react(conversation, target, emojis[nth % 3]!),
  },
  unreact: {
    on: 'any',
    act: (client, { conversation, target, nth }) => client.react(conversation, target, emojis[nth % 3]!, false),
  },
  pin: { on: 'any', act: (client, { conversation, target }) => client.pin(conversation, target) },
  unpin: { on: 'any', act: (client, { conversation, target }) => client.unpin(conversation, target) },
  vote: {
    on: 'poll',
    act: (client, { conversation, target, nth }) => client.vote(conversation, target, nth === 0 ? [] : [nth % 3]),
  },
  close: { on: 'poll', act: (client, { conversation, target }) => client.closePoll(conversation, target) },
} as const satisfies Record<string, { on: 'any' | 'own' | 'poll'; act: (client: Client, act: Act) => Send }>
export type Verb = keyof typeof verbs
export const verbNames = Object.keys(verbs) as Verb[]

export class Device {
  readonly user: string
  readonly held = new Map<string, Held>()
  readonly sends: SentRecord[] = []
  readonly violations: string[] = []
  readonly reports: string[] = []
  client: Client | undefined
  readonly #server: ModelServer
  /** Whether the application applies changes in transactions of its own, or just listens. */
  readonly #transactional: boolean
  readonly #history: HistoryStart
  #disk: Store = createMemoryStore()
  #liveAt = Number.POSITIVE_INFINITY
  #kill: () => void = () => {}
  #sockets: ModelSocket[] = []

  constructor(server: ModelServer, user: string, how: { transactional: boolean; history: HistoryStart }) {
    this.#server = server
    this.user = user
    this.#transactional = how.transactional
    this.#history = how.history
  }

  async start(): Promise<void> {
    const { clock } = this.#server
    const process = clock.process()
    let alive = true
    this.#kill = () => {
      alive = false
      process.kill()
    }
    const server = this.#server
    const sockets: ModelSocket[] = []
    let token = ''
    this.#liveAt = Number.POSITIVE_INFINITY
    this.#sockets = sockets
    const store = slowStore(this.#disk, async () => {
      await new Promise<void>(resolve => process.after(server.between(0, 25), resolve))
      // A process that is dead writes nothing any more, and nothing of it goes on.
      if (!alive) await new Promise(() => {})
    })
    const pause = async () => {
      if (server.chance(0.5)) await new Promise<void>(resolve => process.after(server.between(0, 30), resolve))
      if (!alive) await new Promise(() => {})
    }
    const client = new Client({
      api: 'http://api',
      getToken: async ({ expired }) => {
        if (expired || token === '') token = server.token(this.user)
        return token
      },
      store,
      history: this.#history,
      logger: { debug() {}, warn() {} },
      clock: process,
      random: server.random,
      uuid: () => `${this.user}-${this.sends.length + 1}`,
      fetch: server.fetch,
      WebSocket: class extends ModelSocket {
        constructor(url: string) {
          super(server, url)
          sockets.push(this)
        }
      },
      ...(this.#transactional
        ? {
            archive: {
              cursors: async () =>
                [...this.held].map(([conversation, { epoch, start, entries }]) => {
                  return { conversation, epoch, seq: start + entries.length }
                }),
              apply: async (change: Change) => {
                await pause()
                if (server.chance(0.05)) throw new Error('the disk is busy')
                this.#apply(change)
              },
            },
          }
        : {}),
    })
    if (!this.#transactional) await this.#listen(client, pause, () => alive)
    client.on('sendState', send => {
      const record = this.sends.find(one => one.clientId === send.clientId)
      if (!alive || record === undefined) return
      // A crash can come between what was said and what was written: then the next run says it again.
      if (send.state.name === 'sending') delete record.failed
      else if (send.state.name === 'sent') {
        const { seq, epoch } = send.state
        // What changes nothing makes no entry: then it is the head that is named.
        const isEntry = server.made(this.user, send) !== undefined
        if (isEntry && record.ack !== undefined && record.ack.epoch === epoch && record.ack.seq !== seq)
          this.violations.push(`${send.clientId} was acknowledged with ${record.ack.seq} and with ${seq}`)
        if (record.ack !== undefined && record.ack.epoch !== epoch) record.restored = true
        record.ack = { seq, epoch }
      } else if (send.state.name === 'failed') record.failed = send.state.error.code
    })
    client.on('state', ({ name }) => {
      if (name === 'live') this.#liveAt = Math.min(this.#liveAt, clock.steady())
    })
    client.on('error', ({ error, during }) => this.reports.push(`${during}: ${error.code} ${error.message}`))
    client.on('stopped', ({ reason }) => {
      if (reason !== 'stopped') this.violations.push(`stopped: ${reason}`)
    })
    this.client = client
    await client.start()
  }

  /** A listener without a store: its memory is gone with the process, so it holds on from where the cursors stand. */
  async #listen(client: Client, pause: () => Promise<void>, alive: () => boolean): Promise<void> {
    const { cursors } = await this.#disk.load()
    for (const [conversation, held] of this.held) {
      const cursor = cursors.find(one => one.conversation === conversation)
      if (cursor === undefined) this.held.delete(conversation)
      else held.entries = held.entries.filter(entry => entry.seq <= cursor.seq)
    }
    client.on('entry', async ({ replayed, ...entry }) => {
      if (!alive()) return
      const { conversation, epoch, seq } = entry
      this.#apply({ kind: 'entries', conversation, entries: [entry], replayed, cursor: { epoch, seq } })
      if (this.#server.chance(0.1)) client.markRead(conversation, seq)
      await pause()
    })
    client.on('resync', async ({ conversation, from, head }) => {
      if (!alive()) return
      // The listener is not told where it goes on: from whatever comes next.
      this.#apply({ kind: 'resync', conversation, from, head, cursor: { epoch: -1, seq: -1 } })
      await pause()
    })
    client.on('left', ({ conversation }) => {
      if (alive()) this.held.delete(conversation)
    })
  }

  #apply(change: Change): void {
    const { conversation } = change
    if (change.kind === 'left') {
      this.held.delete(conversation)
      return
    }
    if (change.kind === 'resync') {
      const { epoch, seq } = change.cursor
      this.held.set(conversation, { epoch, entries: [], start: seq, resynced: true, firstHead: 0 })
      return
    }
    for (const entry of change.entries) {
      this.#take(entry)
      this.#judgeMark(entry, change.replayed)
    }
  }

  /**
   * What was stored before the first connection of this run is replayed, and what came after the last answer is not; what
   * is read again, because a conversation starts again, is. One's own may be acknowledged before the answer, and so may what
   * somebody else has changed as one wanted to.
   */
  #judgeMark({ event, conversation, seq, epoch, by }: Entry, replayed: boolean): void {
    const at = this.#server.storedAt.get(`${conversation} ${seq} ${epoch}`) ?? 0
    const resumedAt = this.#server.resumedAt.get(this.user) ?? 0
    if (this.#isShownAll(conversation)) return
    const isOwn = by === this.user || event !== 'message.new'
    if (!replayed && !isOwn && at < this.#liveAt - publishMsMax)
      this.violations.push(`${conversation} ${seq} is old and not marked as replayed`)
    if (
      replayed &&
      at > resumedAt &&
      this.held.get(conversation)?.resynced === false &&
      !this.#isShownAll(conversation)
    )
      this.violations.push(`${conversation} ${seq} is new and marked as replayed`)
  }

  /** What was said before somebody came in is old to them, whenever it was stored; how much of it a page reaches is chance. */
  #isShownAll(conversation: string): boolean {
    return this.#server.shownAll.has(`${conversation} ${this.user}`)
  }

  #take(entry: Entry): void {
    const { conversation, seq, epoch } = entry
    const firstHead = this.#server.head(conversation)
    const held = this.held.get(conversation) ?? { epoch, entries: [], start: seq - 1, resynced: false, firstHead }
    this.held.set(conversation, held)
    if (held.start === -1) {
      held.start = seq - 1
      held.epoch = epoch
    }
    const last = held.start + held.entries.length
    if (epoch !== held.epoch)
      this.violations.push(`${conversation} ${seq} is of epoch ${epoch}, and ${held.epoch} was not called off`)
    if (seq !== last + 1) this.violations.push(`${conversation} ${seq} came after ${last}`)
    held.entries.push(entry)
  }

  /** Everything of the process is gone in this moment; the server notices later. */
  crash(): void {
    this.#kill()
    for (const socket of this.#sockets) socket.close()
    this.client = undefined
  }

  async stop(): Promise<void> {
    const client = this.client
    this.client = undefined
    await client?.stop()
    this.#kill()
    if (this.#transactional) return
    // Stopped in peace, the store knows exactly what the application has.
    const { cursors } = await this.#disk.load()
    for (const [conversation, held] of this.held) {
      const stored = cursors.find(one => one.conversation === conversation)?.seq
      const has = held.start + held.entries.length
      if (held.start >= 0 && stored !== has) this.violations.push(`${conversation} stopped at ${has}, stored ${stored}`)
    }
  }

  /** Everything that the device held is gone, and what was not sent. */
  wipe(): void {
    this.#disk = createMemoryStore()
    this.held.clear()
    for (const send of this.sends) if (send.ack === undefined && send.failed === undefined) send.lost = true
  }

  cut(): void {
    for (const socket of this.#sockets) socket.end(this.#server.chance(0.5) ? 1006 : 4000)
  }

  /** The connection dies and nobody is told. */
  fallSilent(): void {
    for (const socket of this.#sockets) socket.silent = true
  }

  send(conversation: string): void {
    this.#hand(conversation, (client, text) => client.send({ conversation, body: { text } }))
  }

  /** Does something to a message that is held, the nth from the end of those that it can be done to. */
  change(verb: Verb, conversation: string, nth: number): void {
    const { on, act } = verbs[verb]
    const held = foldAll(conversationOf(this.user), this.held.get(conversation)?.entries ?? []).messages
    const choice = [...held].flatMap(([seq, { posted, content }]) => {
      const isPoll = content !== undefined && 'type' in content.value.body && content.value.body.type === 'poll'
      const fits = posted !== undefined && (on === 'any' || (on === 'own' ? posted.by === this.user : isPoll))
      return fits ? [seq] : []
    })
    const target = choice.toReversed()[nth % Math.max(1, choice.length)]
    if (target !== undefined)
      this.#hand(conversation, (client, text) => act(client, { conversation, target, text, nth }))
  }

  ask(conversation: string): void {
    this.#hand(conversation, (client, question) => client.ask({ conversation, question, options: pollOptions }))
  }

  #hand(conversation: string, hand: (client: Client, text: string) => Send): void {
    if (this.client === undefined) return
    const record: SentRecord = {
      op: 'message.send',
      conversation,
      clientId: `${this.user}-${this.sends.length + 1}`,
      kept: false,
    }
    try {
      const send = hand(this.client, record.clientId)
      record.op = send.op
      this.sends.push(record)
      if (send.clientId !== record.clientId) this.violations.push(`${send.clientId} is not ${record.clientId}`)
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'stopped') throw thrown
    }
  }

  /** Which sends have reached the disk: only those are owed. */
  async noteKept(): Promise<void> {
    const { sends } = await this.#disk.load()
    for (const { clientId } of sends) {
      const record = this.sends.find(one => one.clientId === clientId)
      if (record !== undefined) record.kept = true
    }
  }
}

/** What was stored a moment before may still be told live. */
const publishMsMax = 500

/** Writes that take their time, in order. */
function slowStore(disk: Store, pause: () => Promise<void>): Store {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(pause).then(work)
    last = turn
    return turn
  }
  return {
    load: () => inTurn(() => disk.load()),
    setUser: user => inTurn(() => disk.setUser(user)),
    writeCursors: (put, drop) => inTurn(() => disk.writeCursors(put, drop)),
    addSend: send => inTurn(() => disk.addSend(send)),
    removeSend: clientId => inTurn(() => disk.removeSend(clientId)),
  }
}
