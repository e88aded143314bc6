/**
 * Entries in, the conversation out: what every client shows, and what the tests compare clients by.
 *
 * The rule: a message in a page or a replay comes as it stands, with the seq of the last entry that changed it; whatever was
 * said of something counts only if it was said at a higher seq than what is known of it. So entries may come live, replayed
 * and in pages, in any order and as often as they like: whoever has heard the same entries has the same state. What is
 * heard of a message before the message itself is kept for it.
 *
 * Nothing of this is for an entry of another epoch: then begin with `emptyConversation`.
 */
import type { Entry, EntryKind, EntryOf } from './entries.ts'
import type { EventOf } from './down.ts'
import type { Body, GroupSettings, Quote, ReactionCounts, Removed, Role } from './fields.ts'
import { quoted } from './body.ts'

/** A value, and the entry that said so last. */
export interface Said<T> {
  readonly seq: number
  readonly value: T
}

/** What a message says: it is replaced as a whole. */
export interface Content {
  readonly body: Body
  readonly editedAt?: number
  readonly removed?: Removed
}

export interface MessageState {
  /** Who posted it, when, and in answer to what. Missing while only a change of it was heard. */
  readonly posted?: {
    readonly by: string
    readonly at: number
    readonly clientId: string
    readonly replyTo?: number
    readonly forwarded?: EntryOf<'message.new'>['forwarded']
    /** From then on it is hidden, though `messages.expired` has not come yet: see `isExpired`. */
    readonly expiresAt?: number
    /** The message that its thread hangs on; and whether it is one of the conversation as well. */
    readonly thread?: number
    readonly alsoInConversation?: true
  }
  /** Missing while nothing was heard of what it says. */
  readonly content?: Said<Content>
  /** Whether it is pinned. Missing while nobody was heard to pin it. */
  readonly pin?: Said<boolean>
  /** How many have reacted with what. Missing while nobody was heard to react. */
  readonly reactions?: { readonly version: number; readonly counts: ReactionCounts }
  /** What the viewer has on it. Missing while the viewer was not heard to react. */
  readonly own?: { readonly version: number; readonly emojis: readonly string[] }
  /** The thread that hangs on it. Missing while no reply was heard. */
  readonly replies?: Replies
  /** How the poll stands that it is. Missing while nobody was heard to vote. */
  readonly poll?: Said<Poll>
}

export interface Poll {
  /** By option. */
  readonly counts: readonly number[]
  readonly voters: number
  /** By an entry; a closing time closes it as well. */
  readonly closed?: true
}

/** A thread: what a page said of it, and the replies that were heard beyond that. */
export interface Replies {
  /** How many stand. */
  readonly count: number
  /** When the last one was posted. */
  readonly lastAt: number
  /** How many stood at a seq; and of replies, the entry that took each away, or 0, where one of the two came later. */
  readonly known: Said<number>
  readonly beyond: ReadonlyMap<number, number>
}

export interface ConversationState {
  /** Whose reactions are `own`: who reads. */
  readonly viewer?: string
  readonly kind?: 'direct' | 'group'
  readonly name?: Said<string>
  /** What a group is set to: what nobody has said is missing. */
  readonly settings: { readonly [K in keyof GroupSettings]?: Said<GroupSettings[K]> }
  /** How long messages last that are posted now, in milliseconds; null is for ever. */
  readonly timerMs?: Said<number | null>
  /** Everybody who was ever heard of, with their role; `undefined` for whoever is no member any longer. */
  readonly members: ReadonlyMap<string, Said<Role | undefined>>
  /** By seq; without those that the reader has hidden. */
  readonly messages: ReadonlyMap<number, MessageState>
  /** The seqs of those. */
  readonly hidden: ReadonlySet<number>
  /** Until when members may not post: what was said last, though it may have passed. */
  readonly silenced: ReadonlyMap<string, Said<number | undefined>>
  /** The highest seq that was heard. */
  readonly head: number
}

export const emptyConversation: ConversationState = {
  settings: {},
  members: new Map(),
  silenced: new Map(),
  messages: new Map(),
  hidden: new Set(),
  head: 0,
}

/** The same for somebody who reads, so that their own reactions are known as such. */
export const conversationOf = (viewer: string): ConversationState => ({ ...emptyConversation, viewer })

/** The state after one more entry. Pure: the state before stays as it was. */
export const fold = (state: ConversationState, entry: Entry): ConversationState => foldAll(state, [entry])

/** The same for many, at the cost of one copy. */
export function foldAll(state: ConversationState, entries: Iterable<Entry>): ConversationState {
  const draft = draftOf(state)
  for (const entry of entries) {
    draft.head = Math.max(draft.head, entry.seq)
    // A kind of tomorrow changes nothing here.
    if (isKnownKind(entry.event)) (takes[entry.event] as (draft: Draft, entry: Entry) => void)(draft, entry)
  }
  for (const [root, thread] of draft.threads)
    draft.messages.set(root, { ...draft.messages.get(root), replies: count(thread) })
  return withoutHidden(draft)
}

/** The same for what only one's own devices hear: one's reaction in a large conversation. */
export function foldReaction(state: ConversationState, event: EventOf<'reaction.stored'>): ConversationState {
  const draft = draftOf(state)
  takeReactions(draft, event)
  takeOwn(draft, event.target, { version: event.version, emojis: event.own })
  return withoutHidden(draft)
}

type Draft = { -readonly [K in keyof ConversationState]: ConversationState[K] } & {
  readonly members: Map<string, Said<Role | undefined>>
  readonly silenced: Map<string, Said<number | undefined>>
  readonly messages: Map<number, MessageState>
  readonly hidden: Set<number>
  /** By the seq of what they hang on: counted when all entries are taken. */
  readonly threads: Map<number, Thread>
}

const draftOf = (state: ConversationState): Draft => ({
  ...state,
  members: new Map(state.members),
  silenced: new Map(state.silenced),
  messages: new Map(state.messages),
  hidden: new Set(state.hidden),
  threads: new Map(),
})

/** Whatever else was heard of them. */
function withoutHidden({ threads: _threads, ...draft }: Draft): ConversationState {
  for (const seq of draft.hidden) draft.messages.delete(seq)
  return draft
}

/** What each kind says. */
const takes: { readonly [K in EntryKind]: (draft: Draft, entry: EntryOf<K>) => void } = {
  'message.new': takePosted,
  'message.edited'(draft, { target, seq, at, body }) {
    // Without a body: the message has been changed since, and that is said by another entry.
    if (body !== undefined) takeContent(draft, target, { seq, value: { body, editedAt: at } })
  },
  'message.removed'(draft, { target, seq, body, removed }) {
    takeContent(draft, target, { seq, value: { body, removed } })
  },
  'message.deleted'(draft, { target, seq, body, removed }) {
    takeContent(draft, target, { seq, value: { body, removed } })
  },
  'message.hidden': (draft, { seq }) => void draft.hidden.add(seq),
  'message.pinned': (draft, { seq, target }) => takePin(draft, target, { seq, value: true }),
  'message.unpinned': (draft, { seq, target }) => takePin(draft, target, { seq, value: false }),
  'messages.expired'(draft, { targets, seq, body }) {
    for (const target of targets) takeContent(draft, target, { seq, value: { body, removed: 'expired' } })
  },
  'conversation.timer_changed'(draft, { seq, timerMs }) {
    draft.timerMs = later(draft.timerMs, { seq, value: timerMs })
  },
  'message.reacted'(draft, entry) {
    takeReactions(draft, entry)
    if (entry.by === draft.viewer) takeOwn(draft, entry.target, { version: entry.version, emojis: entry.own })
  },
  'reaction.counted'(draft, { messages }) {
    for (const message of messages) takeReactions(draft, message)
  },
  'poll.voted': takePoll,
  'poll.counted': takePoll,
  'poll.closed': (draft, { seq, target, counts, voters }) =>
    takePollState(draft, target, { seq, value: { counts, voters, closed: true } }),
  'conversation.created'(draft, { seq, kind, name, members }) {
    draft.kind = kind
    if (name !== undefined) takeName(draft, seq, name)
    takeMembers(draft, seq, members)
  },
  'conversation.renamed': (draft, { seq, name }) => takeName(draft, seq, name),
  'member.added': (draft, { seq, members }) => takeMembers(draft, seq, members),
  'conversation.changed': takeSettings,
  'member.changed'(draft, { seq, by, user, role, byRole }) {
    takeMembers(draft, seq, [{ user, role }, ...(byRole === undefined ? [] : [{ user: by, role: byRole }])])
  },
  'member.silenced'(draft, { seq, user, until }) {
    draft.silenced.set(user, later(draft.silenced.get(user), { seq, value: until ?? undefined }))
  },
  'member.removed': (draft, { seq, user }) => takeMembers(draft, seq, [{ user, role: undefined }]),
  'member.left'(draft, { seq, by, heir }) {
    const heirs = heir === undefined ? [] : [{ user: heir, role: 'owner' as const }]
    takeMembers(draft, seq, [{ user: by, role: undefined }, ...heirs])
  },
}

/** The state without what its reader has hidden for themselves: for ever, whatever is heard of it after. */
export function hide(state: ConversationState, seqs: Iterable<number>): ConversationState {
  const draft = draftOf(state)
  for (const seq of seqs) draft.hidden.add(seq)
  return withoutHidden(draft)
}

/**
 * What a message answers, as it is known here; undefined where that has to be read. What the state knows counts more than
 * what the page said in which the message was read.
 */
export function quoteOf(state: ConversationState, message: EntryOf<'message.new'>): Quote | undefined {
  const { replyTo: seq, quote } = message
  if (seq === undefined) return undefined
  if (state.hidden.has(seq)) return { seq, state: 'unavailable' }
  const { posted, content } = state.messages.get(seq) ?? {}
  if (posted === undefined || content === undefined) return quote
  const { body, removed } = content.value
  if (removed !== undefined) return { seq, state: 'deleted', by: posted.by }
  return { seq, state: 'shown', by: posted.by, body: quoted(body) }
}

/** Whether this version knows the kind. A later one may know more. */
export const isKnownKind = (name: string): name is EntryKind => Object.hasOwn(takes, name)

/** Whether the time of a message is up, by the clock of the store. Its erasure is told somewhat later. */
export const isExpired = ({ posted }: Pick<MessageState, 'posted'>, now: number): boolean =>
  posted?.expiresAt !== undefined && posted.expiresAt <= now

const later = <T>(known: Said<T> | undefined, said: Said<T>): Said<T> =>
  known !== undefined && known.seq >= said.seq ? known : said

function takePosted(draft: Draft, entry: EntryOf<'message.new'>): void {
  const { seq, by, at, clientId, replyTo, thread, alsoInConversation, expiresAt } = entry
  const { body, editedAt, removed, changedSeq = seq, pin, replies, poll, reactions } = entry
  const known = draft.messages.get(seq)
  // Live it may come without the person, whom a page names to those who may know.
  const before = known?.posted?.forwarded
  const forwarded = before?.by === undefined ? (entry.forwarded ?? before) : before
  const value = {
    body,
    ...(editedAt === undefined ? {} : { editedAt }),
    ...(removed === undefined ? {} : { removed }),
  }
  const posted = {
    by,
    at,
    clientId,
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(forwarded === undefined ? {} : { forwarded }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(thread === undefined ? {} : { thread }),
    ...(alsoInConversation === true ? { alsoInConversation } : {}),
  }
  const content = later(known?.content, { seq: changedSeq, value })
  put(draft, seq, { ...known, posted, content })
  if (pin !== undefined) takePin(draft, seq, { seq: pin.seq, value: pin.pinned })
  if (reactions !== undefined) takeReactions(draft, { target: seq, ...reactions })
  if (reactions?.own !== undefined) takeOwn(draft, seq, reactions.own)
  if (replies !== undefined) takeReplies(draft, seq, replies)
  if (poll !== undefined) {
    const { counts, voters, closed } = poll
    takePollState(draft, seq, { seq: poll.seq, value: { counts, voters, ...(closed === true ? { closed } : {}) } })
  }
  const removedSeq = content.value.removed === undefined ? 0 : content.seq
  if (thread !== undefined) takeReply(draft, thread, seq, { at, removedSeq })
}

function takeContent(draft: Draft, target: number, said: Said<Content>): void {
  const known = draft.messages.get(target)
  put(draft, target, { ...known, content: later(known?.content, said) })
  const thread = known?.posted?.thread
  if (thread !== undefined && said.value.removed !== undefined)
    takeReply(draft, thread, target, { removedSeq: said.seq })
}

/** What has lost its content has nothing else any more but its thread, whatever is heard of it: not whose words it was either. */
function put(draft: Draft, target: number, message: MessageState): void {
  const { pin: _pin, poll: _poll, reactions: _reactions, own: _own, posted, ...rest } = message
  if (message.content?.value.removed === undefined) draft.messages.set(target, message)
  else draft.messages.set(target, { ...rest, ...(posted === undefined ? {} : { posted: withoutOrigin(posted) }) })
}

function withoutOrigin(posted: NonNullable<MessageState['posted']>) {
  const { forwarded: _forwarded, ...rest } = posted
  return rest
}

function takePoll(draft: Draft, { seq, target, counts, voters }: EntryOf<'poll.voted' | 'poll.counted'>): void {
  takePollState(draft, target, { seq, value: { counts, voters } })
}

function takePollState(draft: Draft, target: number, said: Said<Poll>): void {
  const known = draft.messages.get(target)
  put(draft, target, { ...known, poll: later(known?.poll, said) })
}

// ── a thread ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A page knows all replies and removals up to its seq. */
function takeReplies(draft: Draft, root: number, page: { seq: number; count: number; lastAt: number }): void {
  const thread = threadOf(draft, root)
  thread.lastAt = Math.max(thread.lastAt, page.lastAt)
  thread.known = later(thread.known, { seq: page.seq, value: page.count })
}

/** A reply was posted, or taken away, or both. */
function takeReply(draft: Draft, root: number, seq: number, reply: { at?: number; removedSeq: number }): void {
  const thread = threadOf(draft, root)
  thread.lastAt = Math.max(thread.lastAt, reply.at ?? 0)
  thread.beyond.set(seq, reply.removedSeq)
}

interface Thread {
  lastAt: number
  known: Said<number>
  readonly beyond: Map<number, number>
}

const unknownThread = { lastAt: 0, known: { seq: 0, value: 0 }, beyond: new Map<number, number>() }

function threadOf(draft: Draft, root: number): Thread {
  const before = draft.threads.get(root)
  if (before !== undefined) return before
  const { lastAt, known, beyond } = draft.messages.get(root)?.replies ?? unknownThread
  const thread = { lastAt, known, beyond: new Map(beyond) }
  draft.threads.set(root, thread)
  return thread
}

/** What is as old as the page counts there. One that was posted before it and taken away after it counts there wrongly. */
function count({ lastAt, known, beyond }: Thread): Replies {
  const still = [...beyond].filter(([seq, removedSeq]) => Math.max(seq, removedSeq) > known.seq)
  const more = still.map(([seq, removedSeq]) => (removedSeq === 0 ? 1 : seq > known.seq ? 0 : -1))
  return { count: more.reduce((sum, one) => sum + one, known.value), lastAt, known, beyond: new Map(still) }
}

function takePin(draft: Draft, target: number, said: Said<boolean>): void {
  const known = draft.messages.get(target)
  put(draft, target, { ...known, pin: later(known?.pin, said) })
}

/** Reactions are counted under the lock of the conversation, so a version says one thing, whatever brings it. */
const newer = <T extends { readonly version: number }>(known: T | undefined, said: T): T =>
  known !== undefined && known.version >= said.version ? known : said

interface CountsOf {
  readonly target: number
  readonly version: number
  readonly counts: ReactionCounts
}

function takeReactions(draft: Draft, { target, version, counts }: CountsOf): void {
  const known = draft.messages.get(target)
  put(draft, target, { ...known, reactions: newer(known?.reactions, { version, counts }) })
}

function takeOwn(draft: Draft, target: number, said: NonNullable<MessageState['own']>): void {
  const known = draft.messages.get(target)
  put(draft, target, { ...known, own: newer(known?.own, said) })
}

function takeName(draft: Draft, seq: number, value: string): void {
  draft.name = later(draft.name, { seq, value })
}

/** Each setting for itself: of two changes of the same one the later counts. */
function takeSettings(draft: Draft, entry: EntryOf<'conversation.changed'>): void {
  const {
    seq,
    description,
    avatar,
    permissions,
    slowModeMs,
    newcomerHistory,
    forwarding,
    editWindowMs,
    deleteWindowMs,
    editHistory,
  } = entry
  const rules = { permissions, slowModeMs, newcomerHistory, forwarding, editWindowMs, deleteWindowMs, editHistory }
  const given = { description, avatar, ...rules }
  const said = Object.entries(given).flatMap(([name, value]) => {
    const known = draft.settings[name as keyof GroupSettings] as Said<unknown> | undefined
    return value === undefined ? [] : [[name, later(known, { seq, value })]]
  })
  draft.settings = { ...draft.settings, ...Object.fromEntries(said) }
}

function takeMembers(
  draft: Draft,
  seq: number,
  members: readonly { readonly user: string; readonly role: Role | undefined }[],
): void {
  for (const { user, role } of members) draft.members.set(user, later(draft.members.get(user), { seq, value: role }))
}
