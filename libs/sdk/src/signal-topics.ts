/**
 * What signals tell of, each with the lists that say the same: the one place that names them. A topic is a map of things by
 * their keys. Signals change it, a read replaces it, and what differs then is told by the events that would have told it.
 */
import type {
  ContactRequest,
  Conversation,
  ConversationRequest,
  ConversationSettings,
  Event,
  EventOf,
  JoinRequest,
  Notification,
  Reminder,
  ScheduledMessage,
  User,
} from '@flotilla/protocol'
import type { ClientEvents } from './options.ts'
import type { Rest } from './rest.ts'
import { whole } from './rest/ask.ts'

export type SignalEvent = { [N in keyof ClientEvents]: readonly [name: N, event: ClientEvents[N]] }[keyof ClientEvents]
export type Things<T> = ReadonlyMap<string, T>

/** What a topic needs to know of the client. */
export interface Self {
  user(): string | undefined
  isMember(conversation: string): boolean
}

/** All of them, read once for all topics of a round, when the first one asks. */
export type Conversations = () => Promise<readonly Conversation[]>

export interface Topic<T> {
  /** Whose listeners need it. */
  readonly events: readonly (keyof ClientEvents)[]
  read(rest: Rest, known: Things<T>, conversations: Conversations): Promise<Iterable<readonly [key: string, thing: T]>>
  /** What a signal says of things: undefined of one that is gone. */
  heard(event: Event, known: Things<T>): Iterable<readonly [key: string, thing: T | undefined]>
  /** Tells that a thing came (there was none before), changed, or went (there is none now). */
  tell(change: Change<T>, self: Self): SignalEvent | undefined
}

export interface Change<T> {
  readonly key: string
  readonly before: T | undefined
  readonly now: T | undefined
  /** All things, before and now. */
  readonly all: { readonly before: Things<T>; readonly now: Things<T> }
}

export const allConversations = async ({ conversations }: Rest): Promise<readonly Conversation[]> =>
  (await whole(conversations, answer => answer.conversations, { limit: 100 })).items

const other = ({ from, to }: ContactRequest, self: Self) => (from.id === self.user() ? to : from)

type ContactThing = { readonly user: User } | { readonly request: ContactRequest }

const contacts: Topic<ContactThing> = {
  events: ['contact'],
  async read({ contacts: lists }) {
    const [people, ...requests] = await Promise.all([
      whole(lists.list, answer => answer.contacts, { limit: 200 }),
      whole(
        page => lists.requests({ ...page, direction: 'sent' }),
        answer => answer.requests,
        { limit: 100 },
      ),
      whole(
        page => lists.requests({ ...page, direction: 'received' }),
        answer => answer.requests,
        { limit: 100 },
      ),
    ])
    return [
      ...people.items.map(({ user }) => [user.id, { user }] as const),
      ...requests.flatMap(({ items }) => items).map(request => [request.id, { request }] as const),
    ]
  },
  heard(event) {
    switch (event.event) {
      case 'contact.requested':
        return [[event.request.id, { request: event.request }]]
      case 'contact.accepted':
        return [
          [event.request, undefined],
          [event.user.id, { user: event.user }],
        ]
      case 'contact.declined':
      case 'contact.cancelled':
        return [[event.request, undefined]]
      case 'contact.removed':
        return [[event.user, undefined]]
      default:
        return []
    }
  },
  tell({ key, before, now, all }, self) {
    const thing = now ?? before
    if (thing === undefined) return undefined
    if ('request' in thing) {
      if (now !== undefined)
        return before === undefined ? ['contact', { event: 'contact.requested', ...thing }] : undefined
      // An acceptance tells it too. How else a request ended is not known: as if the other had ended it.
      if (all.now.has(other(thing.request, self).id)) return undefined
      const isMine = thing.request.from.id === self.user()
      return ['contact', { event: isMine ? 'contact.declined' : 'contact.cancelled', request: key }]
    }
    if (now === undefined) return ['contact', { event: 'contact.removed', user: key }]
    if (before !== undefined) return undefined
    const asked = [...all.before.values()].find(one => 'request' in one && other(one.request, self).id === key)
    const request = asked !== undefined && 'request' in asked ? { request: asked.request.id } : {}
    return ['contact', { event: 'contact.accepted', user: thing.user, ...request }]
  },
}

const blocks: Topic<true> = {
  events: ['block'],
  read: async ({ blocks: { list } }) =>
    (await whole(list, answer => answer.blocks, { limit: 200 })).items.map(({ user }) => [user.id, true] as const),
  heard: event => (event.event === 'block.changed' ? [[event.user, event.blocked ? true : undefined]] : []),
  tell: ({ key, now }) => ['block', { user: key, blocked: now === true }],
}

/** As many as are counted. */
const unreadMax = 100

/** Those that are not read. */
const notifications: Topic<Notification> = {
  events: ['notification'],
  async read({ notifications: { list } }, known) {
    const read = await whole(
      page => list({ ...page, unread: true }),
      answer => answer.notifications,
      { limit: 50, countMax: unreadMax },
    )
    // Of what lies behind nothing is known.
    const kept = read.isWhole ? [] : known
    return [...kept, ...read.items.map(one => [one.id, one] as const)]
  },
  heard(event, known) {
    if (event.event === 'notification.new') return [[event.notification.id, event.notification]]
    if (event.event !== 'notification.read' && event.event !== 'notification.removed') return []
    const { conversation } = event
    const { notification: id, seq = Number.POSITIVE_INFINITY }: Partial<EventOf<'notification.read'>> =
      event.event === 'notification.read' ? event : {}
    const isMeant = (one: Notification) =>
      id !== undefined
        ? one.id === id
        : conversation === undefined || (one.conversation === conversation && (one.seq ?? 0) <= seq)
    return [...known.values()].filter(isMeant).map(one => [one.id, undefined] as const)
  },
  tell({ key, before, now, all }) {
    const unread = Math.min(all.now.size, unreadMax)
    if (now === undefined) return ['notification', { event: 'notification.read', notification: key, unread }]
    const isSame = before?.at === now.at && JSON.stringify(before.detail) === JSON.stringify(now.detail)
    return isSame ? undefined : ['notification', { event: 'notification.new', notification: now, unread }]
  },
}

const requests: Topic<ConversationRequest> = {
  events: ['conversationRequest'],
  async read({ conversationRequests: { list } }) {
    const read = await Promise.all(
      (['sent', 'received'] as const).map(direction =>
        whole(
          page => list({ ...page, direction }),
          answer => answer.requests,
          { limit: 100 },
        ),
      ),
    )
    return read.flatMap(({ items }) => items).map(one => [one.id, one] as const)
  },
  heard(event) {
    if (event.event === 'conversation.requested') return [[event.request.id, event.request]]
    return event.event === 'conversation.answered' ? [[event.request, undefined]] : []
  },
  tell({ key, before, now }, self) {
    if (now !== undefined)
      return before?.messages === now.messages
        ? undefined
        : ['conversationRequest', { event: 'conversation.requested', request: now }]
    if (before === undefined) return undefined
    const { conversation, kind, to } = before
    // Whoever asked somebody for a direct conversation never sees that it was declined.
    const isAccepted = to.id === self.user() ? self.isMember(conversation) : kind === 'direct'
    const answer = isAccepted ? ('accepted' as const) : ('cancelled' as const)
    return ['conversationRequest', { event: 'conversation.answered', request: key, conversation, answer }]
  },
}

const joining: Topic<JoinRequest> = {
  events: ['joinRequest'],
  async read({ groups: { ownJoinRequests } }) {
    const read = await Promise.all(
      (['sent', 'received'] as const).map(direction =>
        whole(
          page => ownJoinRequests({ ...page, direction }),
          answer => answer.requests,
          { limit: 100 },
        ),
      ),
    )
    return read.flatMap(({ items }) => items).map(one => [one.conversation + one.user.id, one] as const)
  },
  heard(event) {
    if (event.event === 'join.requested') {
      const { request } = event
      return [[request.conversation + request.user.id, request]]
    }
    return event.event === 'join.answered' ? [[event.conversation + event.user, undefined]] : []
  },
  tell({ before, now }, self) {
    if (now !== undefined)
      return before === undefined ? ['joinRequest', { event: 'join.requested', request: now }] : undefined
    if (before === undefined) return undefined
    const { conversation, user } = before
    // Of one's own, whether one is in it tells. How another's ended is not known: as if they did not want to any more.
    const own = self.isMember(conversation) ? ('approved' as const) : ('declined' as const)
    const answer = user.id === self.user() ? own : ('withdrawn' as const)
    return ['joinRequest', { event: 'join.answered', conversation, user: user.id, answer }]
  },
}

type OwnThing = { readonly user: User } | { readonly until: number | null }
const short = ({ id, username, displayName, avatar }: User): User => ({ id, username, displayName, avatar })

/** What is muted, and how people are called: oneself, and the others of direct conversations. */
const own: Topic<OwnThing> = {
  events: ['muted', 'user'],
  async read({ me }, _known, conversations) {
    const [self, all] = await Promise.all([me(), conversations()])
    const people = all.flatMap(({ kind, members = [] }) => (kind === 'direct' ? members : []))
    return [
      ...all.map(({ id, mutedUntil }) => [id, { until: mutedUntil ?? null }] as const),
      ...[self, ...people.map(({ user }) => user)].map(user => [user.id, { user: short(user) }] as const),
    ]
  },
  heard(event, known) {
    if (event.event === 'conversation.muted') return [[event.conversation, { until: event.until }]]
    return event.event === 'user.changed' && known.has(event.user.id) ? [[event.user.id, { user: event.user }]] : []
  },
  tell({ key, before, now }) {
    if (now === undefined) return undefined
    if ('user' in now) return before === undefined ? undefined : ['user', now.user]
    return before === undefined && now.until === null ? undefined : ['muted', { conversation: key, until: now.until }]
  },
}

type ThreadState = ClientEvents['thread']
const threadKey = ({ conversation, thread }: ThreadState) => `${conversation}/${thread}`

/** Those that one follows, and how far one has read there. */
const threads: Topic<ThreadState> = {
  events: ['thread'],
  async read({ threads: { list } }) {
    const { items } = await whole(list, answer => answer.threads, { limit: 50 })
    return items.map(({ conversation, seq: thread, replies }) => {
      const readSeq = replies?.readSeq
      const state = { conversation, thread, following: true, ...(readSeq === undefined ? {} : { readSeq }) }
      return [threadKey(state), state] as const
    })
  },
  heard({ event, ...state }) {
    if (event !== 'thread.changed') return []
    const thread = state as ThreadState
    return [[threadKey(thread), thread.following ? thread : undefined]]
  },
  tell({ before, now }) {
    if (now !== undefined) return ['thread', now]
    return before === undefined
      ? undefined
      : ['thread', { conversation: before.conversation, thread: before.thread, following: false }]
  },
}

/** Hidden messages of which one is told at the most, when they are read anew. */
const clearedMax = 500

/** What one has hidden: a message by its place, and how far a conversation was cleared. */
const cleared: Topic<{ readonly conversation: string; readonly seq?: number; readonly upTo?: number }> = {
  events: ['cleared'],
  async read({ messages }, _known, conversations) {
    const [hidden, all] = await Promise.all([messages.hidden({ limit: clearedMax }), conversations()])
    return [
      ...hidden.messages.map(({ conversation, seq }) => [`${conversation}/${seq}`, { conversation, seq }] as const),
      ...all.flatMap(({ id, clearedSeq: upTo }) =>
        upTo === undefined ? [] : [[id, { conversation: id, upTo }] as const],
      ),
    ]
  },
  heard(event) {
    if (event.event !== 'conversation.cleared') return []
    const { conversation, seqs = [], upTo } = event
    return [
      ...seqs.map(seq => [`${conversation}/${seq}`, { conversation, seq }] as const),
      ...(upTo === undefined ? [] : [[conversation, { conversation, upTo }] as const]),
    ]
  },
  tell({ now }) {
    // What is listed no longer lies behind what was cleared, or behind the end of the list.
    if (now === undefined) return undefined
    const { conversation, seq, upTo } = now
    return [
      'cleared',
      { conversation, ...(seq === undefined ? {} : { seqs: [seq] }), ...(upTo === undefined ? {} : { upTo }) },
    ]
  },
}

const scheduled: Topic<ScheduledMessage> = {
  events: ['scheduled'],
  read: async ({ scheduled: { list } }) =>
    (await whole(list, answer => answer.scheduled, { limit: 100 })).items.map(one => [one.id, one] as const),
  heard: event => (event.event === 'scheduled.changed' ? [[event.scheduled, event.message]] : []),
  tell: ({ key, now }) => ['scheduled', { scheduled: key, ...(now === undefined ? {} : { message: now }) }],
}

const reminders: Topic<Reminder> = {
  events: ['reminder'],
  read: async ({ reminders: { list } }) =>
    (await list()).reminders.map(one => [`${one.conversation} ${one.seq}`, one] as const),
  heard(event) {
    if (event.event !== 'reminder.changed') return []
    const { conversation, seq, at } = event
    return [[`${conversation} ${seq}`, at === null ? undefined : { conversation, seq, at }]]
  },
  tell({ before, now }) {
    const one = now ?? before
    return one === undefined ? undefined : ['reminder', { ...one, at: now?.at ?? null }]
  },
}

/** What conversations are to oneself. */
const settings: Topic<ConversationSettings> = {
  events: ['settings'],
  async read(_rest, _known, conversations) {
    // A node of the version before does not say them.
    return (await conversations()).flatMap(({ id, settings: now }: Pick<Conversation, 'id'> & Partial<Conversation>) =>
      now === undefined ? [] : [[id, now] as const],
    )
  },
  heard(event, known) {
    if (event.event !== 'conversation.settings_changed') return []
    const { conversation, settings: now } = event
    return (known.get(conversation)?.version ?? -1) < now.version ? [[conversation, now]] : []
  },
  tell({ key, before, now }) {
    if (now === undefined || now.version <= (before?.version ?? 0)) return undefined
    return ['settings', { conversation: key, settings: now }]
  },
}

export const topics = {
  contacts,
  blocks,
  notifications,
  requests,
  joining,
  own,
  cleared,
  scheduled,
  reminders,
  settings,
  threads,
} as const
