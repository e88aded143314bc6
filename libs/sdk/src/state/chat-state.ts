/** The state of a chat: joins the parts, tells each what it needs of what the client tells, and owns none of their work. */
import type { Me, User } from '@flotilla/protocol'
import type { Client } from '../client.ts'
import { type Clock, systemClock } from '../clock.ts'
import { FlotillaError } from '../flotilla-error.ts'
import { type ChatArchive, type Kept, type KeptChange, keptConversationsMax, keptMessagesMax } from './archive.ts'
import { Keeper, type Noted } from './keeper.ts'
import { Changes } from './changes.ts'
import { Company } from './company.ts'
import { Conversations } from './conversations.ts'
import type { KeptLog } from './log.ts'
import { conversationPages, threadPages } from './pages.ts'
import { People } from './people.ts'
import { given, same } from './same.ts'
import { Sends } from './sends.ts'
import { LogTimeline } from './timeline.ts'
import type { ChatState, DraftState, Timeline } from './views.ts'

export interface ChatStateOptions {
  /** Shows the last conversations before the network answers. Without one, it begins empty each time. */
  readonly archive?: ChatArchive
  /** The client's, where it has one of its own. */
  readonly clock?: Clock
}

/** Make it before `client.start()`, or miss what comes first. */
export function createChatState(client: Client, options: ChatStateOptions = {}): ChatState {
  return new State(client, options)
}

/** After so long, what could not be read is read again. */
const retryMs = 5_000
/** Conversations and threads that nobody looks at and that are held for the next time. */
const warmMax = 30

class State implements ChatState {
  readonly me: ChatState['me']
  readonly connection: ChatState['connection']
  readonly conversations: ChatState['conversations']
  readonly unread: ChatState['unread']
  readonly #client: Client
  readonly #clock: Clock
  readonly #keeper: Keeper | undefined
  readonly #changes: Changes
  readonly #people: People
  readonly #sends: Sends
  readonly #list: Conversations
  readonly #company: Company
  readonly #timelines = new Map<string, LogTimeline>()
  /** Those that hold something, the one that was left last at the end. */
  readonly #held = new Set<LogTimeline>()
  readonly #endings: (() => void)[]
  /** The last entry heard, by conversation. */
  readonly #heads = new Map<string, number>()
  #me: Me | undefined
  /** Whose the archive is. */
  #user: string | undefined
  #isStopped = false
  #cancelRetry: (() => void) | undefined
  readonly #restored: Promise<void>

  constructor(client: Client, { archive, clock = systemClock }: ChatStateOptions) {
    this.#client = client
    this.#clock = clock
    const changes = new Changes(clock)
    this.#changes = changes
    const self = () => client.user ?? this.#user
    const failed = (thrown: unknown) => this.#failed(thrown)
    const people = new People({ rest: client.rest, changes, changed: user => this.#learned(user), failed })
    this.#people = people
    const sends = new Sends({ client, clock, changed: conversation => this.#sent(conversation) })
    this.#sends = sends
    const changed = (id?: string) => this.#keeper?.note(id === undefined ? 'requests' : 'conversation', id)
    this.#list = new Conversations({ client, clock, changes, people, sends, self, failed, changed })
    this.#company = new Company({ client, clock, changes, people, failed })
    this.me = changes.readable('me', () => this.#me)
    this.connection = changes.readable('connection', () => client.state)
    this.conversations = changes.readable('conversations', () => this.#list.list())
    this.unread = changes.readable('unread', () => this.#list.counts())
    if (archive !== undefined) this.#keeper = new Keeper({ archive, clock, collect: noted => this.#collect(noted) })
    this.#endings = this.#listen()
    this.#restored = this.#restore()
    sends.begin()
    if (client.state.name === 'live') this.#refresh()
  }

  // ---- what an application calls ------------------------------------------------------------------------------------

  conversation(id: string) {
    const begin = () => {
      if (this.#list.get(id) === undefined) this.#list.ask(id)
    }
    return this.#changes.readable(`conversation/${id}`, () => this.#list.view(id), { begin })
  }

  timeline(conversation: string): Timeline {
    return this.#timeline(conversation, undefined)
  }

  thread(conversation: string, root: number): Timeline {
    return this.#timeline(conversation, root)
  }

  typing(conversation: string) {
    return this.#company.typing(conversation)
  }

  presence(user: string) {
    return this.#company.presence(user)
  }

  receipts(conversation: string) {
    return this.#company.receipts(conversation)
  }

  draft(conversation: string): DraftState {
    const { drafts } = this.#client
    const readable = this.#changes.readable(`draft/${conversation}`, () => drafts.get(conversation))
    return {
      ...readable,
      set: content => {
        drafts.set(conversation, content)
        this.#drafted(conversation)
      },
    }
  }

  user(id: string) {
    return this.#people.readable(id)
  }

  markRead(conversation: string, seq: number, root?: number): void {
    // Of a thread the next message that is read tells it, too.
    if (root !== undefined) return void this.#client.rest.threads.markRead(conversation, root, seq).catch(() => {})
    this.#client.markRead(conversation, seq)
    this.#list.markRead(conversation, seq)
  }

  async wipe(): Promise<void> {
    await this.#keeper?.wipe()
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    for (const end of this.#endings) end()
    this.#cancelRetry?.()
    this.#company.close()
    this.#list.close()
    this.#sends.close()
    this.#changes.close()
    await this.#keeper?.close()
    for (const timeline of this.#timelines.values()) timeline.close()
  }

  // ---- what the client tells ----------------------------------------------------------------------------------------

  #listen(): (() => void)[] {
    const client = this.#client
    return [
      client.on('entry', delivered => {
        const { replayed: _, ...entry } = delivered
        const { conversation, seq } = entry
        this.#heads.set(conversation, seq)
        this.#each(conversation, timeline => timeline.live(entry))
        this.#sends.entry(entry, client.user)
        this.#sends.reached(conversation, seq)
        this.#list.entry(entry)
      }),
      client.on('resync', ({ conversation }) => {
        this.#heads.delete(conversation)
        this.#each(conversation, timeline => timeline.resync())
        this.#company.forget(conversation)
        this.#list.resync(conversation)
      }),
      client.on('left', ({ conversation }) => this.#left(conversation)),
      client.on('sendState', send => this.#sends.heard(send)),
      client.on('cleared', ({ conversation, seqs = [], upTo }) => {
        this.#each(conversation, timeline => timeline.hide(seqs, upTo))
        this.#list.clear(conversation, seqs, upTo)
      }),
      client.on('reaction', event => {
        this.#each(event.conversation, timeline => timeline.react(event))
      }),
      client.on('vote', ({ conversation, target, options }) => {
        this.#each(conversation, timeline => timeline.vote(target, options))
      }),
      client.on('settings', ({ conversation, settings }) => this.#list.settings(conversation, settings)),
      client.on('receipt', receipt => {
        this.#company.received(receipt)
        if (receipt.user === client.user && receipt.kind === 'read')
          this.#list.markRead(receipt.conversation, receipt.seq)
      }),
      client.on('typing', typing => this.#company.typed(typing)),
      client.on('presence', presence => this.#company.present(presence)),
      client.on('draft', ({ conversation }) => this.#drafted(conversation)),
      client.on('user', user => this.#people.learn(user)),
      client.on('conversationRequest', change => this.#list.request(change)),
      client.on('joinRequest', change => this.#list.joinRequest(change)),
      client.on('refresh', () => this.#refresh()),
      client.on('state', () => {
        this.#changes.tell('connection')
        // The store was read: what was begun there is known now.
        this.#list.touch()
      }),
    ]
  }

  /** A connection begins, or signals may have been lost. */
  #refresh(): void {
    const { user } = this.#client
    if (this.#user !== user) this.#known(user)
    this.#list.refresh()
    this.#readMissing()
  }

  #readMissing(): void {
    this.#list.readMissing()
    this.#people.refresh()
    this.#company.refresh()
    for (const timeline of this.#held) timeline.refresh()
    void this.#readMe()
  }

  /** A read failed: one that can succeed later is tried again, by the next connection at the latest. */
  #failed(thrown: unknown): void {
    if (!(thrown instanceof FlotillaError) || !thrown.retry) return
    this.#cancelRetry ??= this.#clock.after(Math.max(retryMs, thrown.retryMs ?? 0), () => {
      this.#cancelRetry = undefined
      if (this.#client.state.name === 'live') this.#readMissing()
    })
  }

  /** Who one is, by the server. An archive of somebody else is none. */
  #known(user: string | undefined): void {
    const isOther = this.#user !== undefined
    this.#user = user
    if (isOther) {
      this.#me = undefined
      this.#people.clear()
      this.#list.reset()
      void this.wipe()
    }
    this.#keeper?.note('user')
    this.#list.touch()
    for (const timeline of this.#held) timeline.resync()
  }

  async #readMe(): Promise<void> {
    try {
      const me = await this.#client.rest.me()
      this.#people.learn(me)
      this.#setMe(me)
    } catch (thrown) {
      this.#failed(thrown)
    }
  }

  #setMe(me: Me): void {
    if (same(this.#me, me)) return
    this.#me = me
    this.#changes.tell('me')
    this.#keeper?.note('me')
  }

  #learned(user: User): void {
    this.#list.user(user)
    if (this.#me?.id === user.id) this.#setMe({ ...this.#me, ...user })
    this.#keeper?.note('users')
  }

  #drafted(conversation: string): void {
    this.#changes.tell(`draft/${conversation}`)
    this.#list.touch(conversation)
  }

  #sent(conversation: string): void {
    this.#each(conversation, timeline => timeline.touch())
    // A draft that is sent is empty.
    this.#drafted(conversation)
    this.#keeper?.note('failures')
  }

  #left(conversation: string): void {
    this.#each(conversation, timeline => this.#close(timeline))
    this.#sends.left(conversation)
    this.#list.left(conversation)
    this.#keeper?.note('log', conversation)
  }

  // ---- timelines ----------------------------------------------------------------------------------------------------

  /** Of those that hold something. */
  #each(conversation: string, tell: (timeline: LogTimeline) => void): void {
    for (const timeline of this.#held) if (timeline.conversation === conversation) tell(timeline)
  }

  #timeline(conversation: string, root: number | undefined): LogTimeline {
    const key = root === undefined ? conversation : `${conversation}/${root}`
    const before = this.#timelines.get(key)
    if (before !== undefined) return before
    const { rest } = this.#client
    const headOf = () => Math.max(this.#heads.get(conversation) ?? 0, this.#list.headOf(conversation))
    const timeline: LogTimeline = new LogTimeline({
      client: this.#client,
      clock: this.#clock,
      changes: this.#changes,
      sends: this.#sends,
      self: () => this.#client.user ?? this.#user,
      conversation,
      ...(root === undefined
        ? { readPage: conversationPages(rest, conversation), kept: () => this.#keptLog(conversation) }
        : { root, readPage: threadPages(rest, conversation, root, headOf) }),
      failed: thrown => this.#failed(thrown),
      changed: () => void (root === undefined && this.#keeper?.note('log', conversation)),
      opened: () => this.#warm(timeline),
      left: () => this.#warm(timeline),
    })
    this.#timelines.set(key, timeline)
    return timeline
  }

  async #keptLog(conversation: string): Promise<KeptLog | undefined> {
    // One's own rows are told from those of others by who one is.
    await this.#restored
    return this.#keeper?.log(conversation)
  }

  /** It holds something: those that were left longest ago do so no more. */
  #warm(timeline: LogTimeline): void {
    this.#held.delete(timeline)
    this.#held.add(timeline)
    const idle = [...this.#held].filter(({ key }) => key !== timeline.key && !this.#changes.has(key))
    for (const one of idle.slice(0, Math.max(0, idle.length - warmMax))) this.#close(one)
  }

  #close(timeline: LogTimeline): void {
    this.#held.delete(timeline)
    timeline.close()
  }

  // ---- the archive --------------------------------------------------------------------------------------------------

  async #restore(): Promise<void> {
    const kept = await this.#keeper?.load()
    const { user } = this.#client
    if (kept === undefined || this.#isStopped) return
    // The server was faster, or the archive is somebody else's.
    if (kept.user !== (user ?? kept.user)) return this.wipe()
    this.#user ??= kept.user
    for (const one of kept.users) this.#people.learn(one)
    if (kept.me !== undefined && this.#me === undefined) this.#setMe(kept.me)
    this.#sends.restore(kept.failures)
    this.#list.restore(kept.conversations, kept.requests)
  }

  /** What was noted, as it is now. */
  #collect({ parts, conversations, logs }: Noted): KeptChange {
    const first = new Set(this.#list.first(keptConversationsMax))
    const now = {
      user: this.#user,
      me: this.#me,
      users: this.#people.all(),
      failures: this.#sends.keep(),
      requests: this.#list.requests(),
    }
    return {
      ...(Object.fromEntries(Object.entries(given(now)).filter(([part]) => parts.has(part))) as Partial<Kept>),
      conversations: new Map([...conversations].map(id => [id, first.has(id) ? this.#list.get(id) : undefined])),
      logs: new Map(
        [...logs].flatMap(id => {
          const kept = this.#timelines.get(id)?.keep(keptMessagesMax)
          // One that is left is kept no more; of one that is let go, or not looked at to its end, what there was stays.
          return kept === undefined && this.#list.get(id) !== undefined ? [] : [[id, kept] as const]
        }),
      ),
    }
  }
}
