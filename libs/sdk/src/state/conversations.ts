/** The list of conversations: read in pages, kept up by what is told, and asked for where only the server knows. */
import {
  type Body,
  type Conversation,
  type ConversationRequest,
  type ConversationSettings,
  type Entry,
  type JoinRequest,
  textOf,
  type User,
} from '@flotilla/protocol'
import { previewText } from '@flotilla/protocol/markup'
import type { Client } from '../client.ts'
import type { Clock } from '../clock.ts'
import { isRefused } from '../flotilla-error.ts'
import type { ConversationRequestChange, JoinRequestChange } from '../options.ts'
import { whole } from '../rest/ask.ts'
import type { Changes } from './changes.ts'
import { ConversationRecord } from './conversation-record.ts'
import type { People } from './people.ts'
import { given, kept, keptList } from './same.ts'
import { isPosting, type Sends } from './sends.ts'
import type { ConversationItem, ConversationList, ConversationView, Counts, LastMessage } from './views.ts'

export interface ConversationsOptions {
  readonly client: Client
  readonly clock: Clock
  readonly changes: Changes
  readonly people: People
  readonly sends: Sends
  readonly self: () => string | undefined
  /** Something could not be read. */
  readonly failed: (thrown: unknown) => void
  /** What the archive keeps of it has changed: a conversation, or requests. */
  readonly changed: (conversation?: string) => void
}

/** What is asked for is gathered for so long, and so many are asked for one by one. */
const askMs = 300
const askMax = 20
/** Of the last message so much is shown. */
const previewMax = 120
const pageMax = 100

interface Shown {
  readonly item: ConversationItem
  readonly view: ConversationView
  /** Where it stands in the list: those with a rank first, the lowest at the top; then by time. */
  readonly rank: number
  readonly at: number
}

export class Conversations {
  readonly #options: ConversationsOptions
  readonly #records = new Map<string, ConversationRecord>()
  readonly #shown = new Map<string, Shown>()
  /** What has to be shown anew. */
  readonly #stale = new Set<string>()
  readonly #previews = new WeakMap<object, string>()
  #requests: readonly ConversationRequest[] = []
  #joinRequests: readonly JoinRequest[] = []
  #isLoaded = false
  #list: ConversationList = { isLoaded: false, items: [], archived: [], requests: [], joinRequests: [] }
  #counts: Counts = { unread: 0, mentions: 0, loud: 0 }
  #isDirty = true
  readonly #asked = new Set<string>()
  #cancelAsk: (() => void) | undefined
  #cancelDue: () => void = () => {}
  #isReading = false
  #isWanted = false
  /** What became known while the list was read: it may not be in it. */
  #touched = new Set<string>()

  constructor(options: ConversationsOptions) {
    this.#options = options
  }

  // ---- what is shown ------------------------------------------------------------------------------------------------

  list(): ConversationList {
    this.#build()
    return this.#list
  }

  counts(): Counts {
    this.#build()
    return this.#counts
  }

  view(id: string): ConversationView | undefined {
    this.#build()
    return this.#shown.get(id)?.view
  }

  /** The last entry that is known of, or 0. */
  headOf(id: string): number {
    return this.#records.get(id)?.conversation.head ?? 0
  }

  /** The first ones of the list. */
  first(count: number): string[] {
    this.#build()
    return [...this.#shown.values()]
      .sort(inOrder)
      .slice(0, count)
      .map(({ item }) => item.id)
  }

  /** As one that was just read. */
  get(id: string): Conversation | undefined {
    const record = this.#records.get(id)
    return record && { ...record.conversation, ...record.counts(this.#options.clock.now()) }
  }

  requests(): Pick<ConversationList, 'requests' | 'joinRequests'> {
    return { requests: this.#requests, joinRequests: this.#joinRequests }
  }

  // ---- what comes ---------------------------------------------------------------------------------------------------

  entry(entry: Entry): void {
    const { conversation } = entry
    const record = this.#records.get(conversation)
    if (record === undefined) return this.ask(conversation)
    record.entry(entry, this.#options.self())
    this.#changed(conversation, record)
  }

  settings(conversation: string, settings: ConversationSettings): void {
    this.#change(conversation, record => record.settings(settings))
  }

  markRead(conversation: string, seq: number): void {
    this.#change(conversation, record => record.markRead(seq))
  }

  clear(conversation: string, seqs: readonly number[], upTo: number | undefined): void {
    this.#change(conversation, record => record.clear(seqs, upTo))
  }

  resync(conversation: string): void {
    this.#change(conversation, record => record.beginAnew())
    this.ask(conversation)
  }

  left(conversation: string): void {
    this.#records.delete(conversation)
    this.#asked.delete(conversation)
    this.#touched.add(conversation)
    this.#touch(conversation)
    this.#options.changed(conversation)
  }

  user(user: User): void {
    for (const [id, { view }] of this.#shown)
      if (view.other?.id === user.id || view.members?.some(member => member.user.id === user.id) === true)
        this.#touch(id)
  }

  request(change: ConversationRequestChange): void {
    if (change.event === 'conversation.answered') {
      this.#requests = this.#requests.filter(({ id }) => id !== change.request)
      this.ask(change.conversation)
    } else if (change.request.to.id === this.#options.self()) {
      const { request } = change
      this.#requests = [request, ...this.#requests.filter(({ id }) => id !== request.id)]
    }
    this.#requestsChanged()
  }

  joinRequest(change: JoinRequestChange): void {
    const { conversation, user } =
      change.event === 'join.requested'
        ? { conversation: change.request.conversation, user: change.request.user.id }
        : change
    const others = this.#joinRequests.filter(one => one.conversation !== conversation || one.user.id !== user)
    const isForUs = change.event === 'join.requested' && user !== this.#options.self()
    this.#joinRequests = isForUs ? [change.request, ...others] : others
    this.#requestsChanged()
  }

  /** Something lies over it: sends, drafts, the person's name. */
  touch(conversation?: string): void {
    if (conversation === undefined) for (const id of this.#records.keys()) this.#touch(id)
    else this.#touch(conversation)
  }

  // ---- what is read -------------------------------------------------------------------------------------------------

  /** Reads the list anew. What is asked meanwhile is read once more. */
  refresh(): void {
    this.#isWanted = true
    if (!this.#isReading) void this.#readAll()
  }

  /** What failed may be read now. */
  readMissing(): void {
    if (this.#isWanted) this.refresh()
    this.#planAsk()
  }

  /** Asks for a conversation of which only the server knows. */
  ask(conversation: string): void {
    this.#asked.add(conversation)
    this.#planAsk()
  }

  restore(
    conversations: readonly Conversation[],
    { requests, joinRequests }: Pick<ConversationList, 'requests' | 'joinRequests'>,
  ): void {
    if (this.#isLoaded) return
    for (const conversation of conversations) if (!this.#records.has(conversation.id)) this.#read(conversation)
    this.#requests = requests
    this.#joinRequests = joinRequests
    this.#isLoaded = true
    this.#touch()
  }

  /** Another person's begins. */
  reset(): void {
    this.#records.clear()
    this.#shown.clear()
    this.#requests = []
    this.#joinRequests = []
    this.#isLoaded = false
    this.#touch()
  }

  close(): void {
    this.#cancelAsk?.()
    this.#cancelDue()
  }

  async #readAll(): Promise<void> {
    this.#isReading = true
    try {
      while (this.#isWanted) {
        this.#isWanted = false
        await this.#readOnce()
      }
    } catch (thrown) {
      this.#isWanted = true
      this.#options.failed(thrown)
    }
    this.#isReading = false
  }

  async #readOnce(): Promise<void> {
    const { rest } = this.#options.client
    const [pinned] = await Promise.all([rest.conversations({ pinned: true }), this.#readRequests()])
    this.#touched = new Set()
    for (const one of pinned.conversations) this.#read(one)
    const found = new Set<string>()
    const { isWhole } = await whole(rest.conversations, ({ conversations }) => this.#take(conversations, found), {
      limit: pageMax,
    })
    for (const id of this.#records.keys()) if (isWhole && !found.has(id) && !this.#touched.has(id)) this.left(id)
  }

  /** A page is shown as soon as it is there. */
  #take(conversations: readonly Conversation[], found: Set<string>): readonly Conversation[] {
    for (const one of conversations) {
      found.add(one.id)
      this.#read(one)
    }
    this.#isLoaded = true
    this.#touch()
    return conversations
  }

  async #readRequests(): Promise<void> {
    const { conversationRequests, groups } = this.#options.client.rest
    const [asked, joining] = await Promise.all([
      whole(
        page => conversationRequests.list({ ...page, direction: 'received' }),
        answer => answer.requests,
        { limit: pageMax },
      ),
      whole(
        page => groups.ownJoinRequests({ ...page, direction: 'received' }),
        answer => answer.requests,
        { limit: pageMax },
      ),
    ])
    this.#requests = kept(this.#requests, asked.items)
    this.#joinRequests = kept(this.#joinRequests, joining.items)
    this.#requestsChanged()
  }

  #requestsChanged(): void {
    this.#touch()
    this.#options.changed()
  }

  #planAsk(): void {
    this.#cancelAsk ??= this.#options.clock.after(askMs, () => {
      this.#cancelAsk = undefined
      void this.#askNow()
    })
  }

  async #askNow(): Promise<void> {
    const asked = [...this.#asked]
    this.#asked.clear()
    try {
      if (asked.length > askMax) return this.refresh()
      for (const id of asked) await this.#askOne(id)
    } catch (thrown) {
      for (const id of asked) this.#asked.add(id)
      this.#options.failed(thrown)
    }
  }

  async #askOne(id: string): Promise<void> {
    try {
      this.#read(await this.#options.client.rest.conversation(id))
    } catch (thrown) {
      if (!isRefused(thrown, 'not_a_member', 'conversation_unknown')) throw thrown
      if (this.#records.has(id)) this.left(id)
    }
  }

  #read(conversation: Conversation): void {
    const { id, members = [] } = conversation
    for (const { user } of members) this.#options.people.learn(user)
    const record = this.#records.get(id)
    if (record === undefined) this.#records.set(id, new ConversationRecord(conversation))
    else record.read(conversation)
    this.#changed(id, this.#records.get(id)!)
  }

  #change(conversation: string, change: (record: ConversationRecord) => void): void {
    const record = this.#records.get(conversation)
    if (record === undefined) return
    change(record)
    this.#changed(conversation, record)
  }

  #changed(conversation: string, record: ConversationRecord): void {
    if (record.isStale) this.ask(conversation)
    record.isStale = false
    this.#touched.add(conversation)
    this.#touch(conversation)
    this.#options.changed(conversation)
  }

  // ---- within -------------------------------------------------------------------------------------------------------

  #touch(conversation?: string): void {
    const { changes } = this.#options
    this.#isDirty = true
    if (conversation !== undefined) {
      this.#stale.add(conversation)
      changes.tell(`conversation/${conversation}`)
    }
    changes.tell('conversations')
    changes.tell('unread')
  }

  #build(): void {
    if (!this.#isDirty) return
    this.#isDirty = false
    const now = this.#options.clock.now()
    for (const id of this.#stale) {
      const record = this.#records.get(id)
      if (record === undefined) this.#shown.delete(id)
      else this.#shown.set(id, this.#show(record, now))
    }
    this.#stale.clear()
    const sorted = [...this.#shown.values()].sort(inOrder).map(({ item }) => item)
    const items = sorted.filter(({ archived }) => !archived)
    const archived = sorted.filter(one => one.archived)
    const list: ConversationList = {
      isLoaded: this.#isLoaded,
      items: keptList(this.#list.items, items),
      archived: keptList(this.#list.archived, archived),
      requests: this.#requests,
      joinRequests: this.#joinRequests,
    }
    this.#list = kept(this.#list, list)
    this.#counts = kept(this.#counts, countAll(sorted))
    this.#wake(now)
  }

  #show(record: ConversationRecord, now: number): Shown {
    const { conversation } = record
    const { id, kind, settings, pending, members = [], group, name = '', role, memberCount, timerMs } = conversation
    const { client, people, self } = this.#options
    const peopleOf = members.map(({ user, role: has }) => ({ user: people.get(user.id) ?? user, role: has }))
    const other = kind === 'direct' ? peopleOf.find(({ user }) => user.id !== self())?.user : undefined
    const draft = client.drafts.get(id)?.text
    const last = this.#last(conversation)
    const avatar = kind === 'direct' ? other?.avatar : group?.avatar
    const { silencedUntil, joinedSeq, clearedSeq = 0, head, readSeq } = conversation
    const before = this.#shown.get(id)
    const item = kept(before?.item, {
      id,
      kind,
      name: kind === 'direct' ? (other?.displayName ?? name) : name,
      ...given({ other, avatar: avatar ?? undefined, last, draft: draft === '' ? undefined : draft }),
      ...record.counts(now),
      markedUnread: settings.unreadFrom !== null,
      pinned: settings.pinned !== null,
      muted: (settings.mutedUntil ?? 0) > now,
      archived: settings.archived,
      pending: pending ?? false,
    })
    const view: ConversationView = {
      ...item,
      role,
      memberCount,
      ...given({ members: conversation.members && peopleOf, group, silencedUntil, timerMs }),
      settings,
      joinedSeq: Math.max(joinedSeq, clearedSeq + 1),
      head,
      readSeq,
    }
    const rank = settings.pinned ?? Number.POSITIVE_INFINITY
    return { item, view: kept(before?.view, view), rank, at: last?.at ?? conversation.headAt }
  }

  #last({ id, lastMessage }: Conversation): LastMessage | undefined {
    const self = this.#options.self() ?? ''
    const waiting = [...this.#options.sends.of(id)].findLast(one => isPosting(one) && !('thread' in one.draft))
    if (waiting !== undefined && (waiting.seq ?? Number.POSITIVE_INFINITY) > (lastMessage?.seq ?? 0)) {
      const { draft, at, state } = waiting
      const text = draft.op === 'message.send' ? this.#preview(draft.body) : ''
      return { by: self, own: true, at, text, state }
    }
    if (lastMessage === undefined) return undefined
    const { by, at, body, removed } = lastMessage
    return { by, own: by === self, at, text: this.#preview(body), ...given({ removed }), state: 'sent' }
  }

  /** Made once of each body. */
  #preview(body: Body): string {
    const preview = this.#previews.get(body) ?? previewText(textOf(body), previewMax)
    this.#previews.set(body, preview)
    return preview
  }

  /** When the next mute is over. */
  #wake(now: number): void {
    const { clock } = this.#options
    this.#cancelDue()
    const ends = [...this.#shown.values()].flatMap(({ view: { muted, settings } }) =>
      muted ? [settings.mutedUntil!] : [],
    )
    const next = Math.min(...ends)
    if (next - now < dayMs) this.#cancelDue = clock.after(Math.max(1, next - now), () => this.touch())
  }
}

const dayMs = 86_400_000

const inOrder = (one: Shown, other: Shown) =>
  // Without a rank both are at infinity, and the difference is NaN.
  one.rank - other.rank || other.at - one.at || (one.item.id < other.item.id ? 1 : -1)

function countAll(all: readonly ConversationItem[]): Counts {
  const counts = { unread: 0, mentions: 0, loud: 0 }
  for (const { unread, mentions, muted, archived } of all) {
    counts.unread += unread
    counts.mentions += mentions
    if (!muted && !archived) counts.loud += unread
  }
  return counts
}
