/** What the terminal client knows: the conversations, who is in them, and what their people have had of them. */
import type { Entry } from '@flotilla/protocol'
import type { Client, Conversation, ConversationRequest, ConversationSettings, Receipt, User } from '@flotilla/sdk'

export interface Room {
  readonly id: string
  readonly kind: 'direct' | 'group'
  name: string
  /** Everybody but oneself. */
  others: User[]
  unread: number
  /** Of these, those that name the person. */
  mentions: number
  /** What waits in threads that the person follows. */
  replies: number
  settings: ConversationSettings
  /** The other has not accepted it yet. */
  pending: boolean
  /** By person: what has arrived, what was read. */
  readonly receipts: Map<string, { delivered: number; read: number }>
}

/** People and messages that are shown of a large group. */
const membersShownMax = 100
const historyShownMax = 30

export class Rooms {
  readonly #client: Client
  readonly #rooms = new Map<string, Room>()
  readonly #people = new Map<string, User>()
  readonly #me: User

  constructor(client: Client, me: User) {
    this.#client = client
    this.#me = me
    this.#people.set(me.id, me)
  }

  /** As they are listed: without those that were put away. */
  all(): Room[] {
    return inOrder([...this.#rooms.values()])
  }

  get(id: string): Room | undefined {
    return this.#rooms.get(id)
  }

  people(): User[] {
    return [...this.#people.values()].filter(user => user.id !== this.#me.id)
  }

  forget(id: string): void {
    this.#rooms.delete(id)
  }

  /** Whoever was met in a conversation or a request. */
  known(user: string): User | undefined {
    return this.#people.get(user)
  }

  nameOf(user: string): string {
    return this.known(user)?.username ?? 'somebody'
  }

  personOf(username: string): Promise<User> {
    return this.#client.rest.userByName(username)
  }

  /** Reads the list. What was known and is not in it any more is dropped. */
  async readAll(): Promise<void> {
    const { conversations } = await this.#client.rest.conversations({ limit: 50 })
    const present = new Set(conversations.map(one => one.id))
    for (const id of this.#rooms.keys()) if (!present.has(id)) this.#rooms.delete(id)
    for (const conversation of conversations) this.#take(conversation)
    const waiting = await this.#client.rest.unread()
    const replies = new Map(waiting.conversations.map(one => [one.conversation, one.replies]))
    for (const room of this.#rooms.values()) room.replies = replies.get(room.id) ?? 0
    await this.#watch()
  }

  /** The conversation as it is now: its name, its people, and what they have had. */
  async read(id: string): Promise<Room> {
    const room = this.#take(await this.#client.rest.conversation(id))
    const { members } = await this.#client.rest.members(id, { limit: membersShownMax })
    for (const { user, deliveredSeq = 0, readSeq = 0 } of members) {
      this.#people.set(user.id, user)
      if (user.id !== this.#me.id) room.receipts.set(user.id, { delivered: deliveredSeq, read: readSeq })
    }
    // Whoever is asked is no member yet, and stays the other of a direct conversation.
    if (room.kind === 'group') room.others = members.map(member => member.user).filter(user => user.id !== this.#me.id)
    await this.#watch()
    return room
  }

  /** Into what the person is asked. */
  async requests(): Promise<readonly ConversationRequest[]> {
    const { requests } = await this.#client.rest.conversationRequests.list({ direction: 'received', limit: 50 })
    for (const { from } of requests) this.#people.set(from.id, from)
    return requests
  }

  /** The request of this person, or into the group of this name. */
  async requestOf(name: string): Promise<ConversationRequest | undefined> {
    return (await this.requests()).find(one => nameOfRequest(one) === name)
  }

  async accept(request: ConversationRequest): Promise<Room> {
    return this.read((await this.#client.rest.conversationRequests.accept(request.id)).id)
  }

  async withPerson(username: string): Promise<Room> {
    const person = await this.personOf(username)
    return this.read((await this.#client.rest.createDirect(person.id)).id)
  }

  /** The conversation with oneself. */
  async saved(): Promise<Room> {
    return this.read((await this.#client.rest.createDirect(this.#me.id)).id)
  }

  async group(name: string, usernames: readonly string[]): Promise<Room> {
    const people = await Promise.all(usernames.map(username => this.personOf(username)))
    const made = await this.#client.rest.createGroup(
      name,
      people.map(person => person.id),
    )
    return this.read(made.id)
  }

  /** The latest messages, for the moment when a room is opened. */
  async latest(room: Room): Promise<readonly Entry[]> {
    return (await this.#client.rest.history(room.id, { limit: historyShownMax })).entries
  }

  heard({ conversation, user, kind, seq }: Receipt): void {
    const room = this.#rooms.get(conversation)
    if (room === undefined || user === this.#me.id) return
    const had = room.receipts.get(user) ?? { delivered: 0, read: 0 }
    room.receipts.set(user, had)
    had[kind] = Math.max(had[kind], seq)
    had.delivered = Math.max(had.delivered, had.read)
  }

  /** How far one's own message has come with everybody else. */
  progress(room: Room, seq: number): 'sent' | 'delivered' | 'read' {
    const others = room.others.map(user => room.receipts.get(user.id) ?? { delivered: 0, read: 0 })
    if (others.length === 0) return 'sent'
    if (others.every(had => had.read >= seq)) return 'read'
    return others.every(had => had.delivered >= seq) ? 'delivered' : 'sent'
  }

  #take(conversation: Conversation): Room {
    // A node of the version before says neither.
    const { mentions = 0, settings = unchanged } = conversation as Partial<Conversation>
    const { id, kind, unread, members, pending = false } = conversation
    const others = members?.map(member => member.user).filter(user => user.id !== this.#me.id)
    for (const user of others ?? []) this.#people.set(user.id, user)
    const people = others?.map(user => user.username).join(', ') ?? 'a conversation'
    const name = conversation.self === true ? 'saved messages' : (conversation.name ?? people)
    const before = this.#rooms.get(id)
    if (before !== undefined) {
      Object.assign(before, { name, unread, mentions, settings, pending, others: others ?? before.others })
      return before
    }
    const room: Room = {
      id,
      kind,
      name,
      others: others ?? [],
      unread,
      mentions,
      replies: 0,
      settings,
      pending,
      receipts: new Map(),
    }
    this.#rooms.set(id, room)
    return room
  }

  /** Presence is a courtesy: without it one can chat as well. Of contacts it is shown too, and not needed here. */
  async #watch(): Promise<void> {
    const shared = this.all().filter(room => !room.pending)
    const people = new Set(shared.flatMap(room => room.others.map(user => user.id)))
    await this.#client.watch([...people]).catch(() => {})
  }
}

/** By what one answers a request. */
export const nameOfRequest = ({ kind, name, from }: ConversationRequest) =>
  kind === 'group' ? (name ?? '') : from.username

/** Those at the top by their ranks, then the others as they came. */
function inOrder(rooms: readonly Room[]): Room[] {
  const rank = ({ settings }: Room) => settings.pinned ?? Number.POSITIVE_INFINITY
  const shown = rooms.filter(room => !room.settings.archived)
  return shown.sort((one, other) => (rank(one) === rank(other) ? 0 : rank(one) - rank(other)))
}

const unchanged: ConversationSettings = {
  version: 0,
  notify: null,
  mutedUntil: null,
  archived: false,
  pinned: null,
  unreadFrom: null,
}
