/** What a client is made of: its limits, what an application gives it, and what it tells. */
import type { ConversationSettings, Entry, EntryOf, Event, EventOf, User } from '@flotilla/protocol'
import type { Clock, Random } from './clock.ts'
import type { ConnectionState, SocketConstructor, Stop } from './connection.ts'
import type { Archive } from './delivery.ts'
import type { DraftChange } from './drafts.ts'
import type { FlotillaError } from './flotilla-error.ts'
import type { Fetch } from './http.ts'
import type { Send } from './outbox.ts'
import type { Presence } from './presence.ts'
import type { Receipt } from './receipts.ts'
import type { GetToken } from './rest/ask.ts'
import type { Store } from './store.ts'
import type { HistoryStart } from './sync.ts'
import type { Typing } from './typing.ts'
import type { WakeSource } from './wake.ts'

/** The limits and times of a client. */
export const clientDefaults = {
  /** An answer to a command, or to a REST call. */
  requestTimeoutMs: 15_000,
  /** A picture on its way up, or the archive of one's data on its way down. */
  fileTimeoutMs: 300_000,
  /** From asking where to go until hello. */
  connectTimeoutMs: 15_000,
  pingTimeoutMs: 8_000,
  /** The same when the network is back, or the page is looked at again: what is dead is found soon. */
  wakeTimeoutMs: 3_000,
  /** A connection that lasted this long wipes out the failures before it. */
  stableMs: 10_000,
  /** The wait before coming back, as long as no node has named its own. */
  reconnectBaseMs: 500,
  reconnectMaxMs: 30_000,
  /** Sends that wait for their acknowledgement. One more is refused. */
  outboxEntriesMax: 1_000,
  /** Sends under way at the same time, each of another conversation. */
  inFlightMax: 16,
  /** Commands that wait for the rate that the node allows. */
  commandQueueMax: 1_000,
  /** Entries handed to an archive at once. */
  applyEntriesMax: 200,
  /** How long a gap in a conversation may close by itself. */
  gapWaitMs: 200,
  /** How long receipts are gathered. */
  receiptGatherMs: 50,
  /** Between two times that lists are read anew, unless the node names another. */
  refreshPauseMs: 5_000,
  /** Between two times that a draft is saved while it is typed. */
  draftGatherMs: 1_500,
  /** Without a keystroke for so long, a draft may be replaced by one from another device. */
  draftRestMs: 5_000,
  typingRepeatMs: 3_000,
  typingRestMs: 5_000,
  typingFadeMs: 6_000,
}

export type ClientSettings = typeof clientDefaults

/** Each distinct warning comes once. */
export interface Logger {
  debug(message: string, detail?: unknown): void
  warn(message: string, detail?: unknown): void
}

export interface ClientOptions {
  /** Where the API is: `https://chat.example.org`. */
  readonly api: string
  /** Brings the access token; `createSignIn` makes one. */
  readonly getToken: GetToken
  /** What must survive this run. In memory when left out. */
  readonly store?: Store
  /** Where the application itself keeps conversations, if it does. */
  readonly archive?: Archive
  /** Where a conversation begins that this device does not know: `latest` when left out. */
  readonly history?: HistoryStart
  /** Needed where there is no global one: Node before 22. */
  readonly WebSocket?: SocketConstructor
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly random?: Random
  readonly uuid?: () => string
  readonly wakes?: WakeSource
  /** The warnings go to the console when left out. */
  readonly logger?: Logger
  readonly settings?: Partial<ClientSettings>
}

/** The events of the wire that have to do with one thing: those of `contact` are contact.requested, contact.accepted… */
type EventsOf<Topic extends string> = Extract<Event, { event: `${Topic}.${string}` }>

/** A contact, or a request to be contacts, has changed; `event` says how. */
export type ContactChange =
  | Exclude<EventsOf<'contact'>, { event: 'contact.accepted' }>
  /** Without `request` when the client never heard of it. */
  | (Omit<EventOf<'contact.accepted'>, 'request'> & { readonly request?: string })
/** A notification came, was read on some device, or is gone; `event` says which, `unread` how many now wait. */
export type NotificationChange = EventsOf<'notification'>

/** Somebody asks to join a group, or was answered; `event` says which. */
export type JoinRequestChange = Extract<Event, { event: 'join.requested' } | { event: 'join.answered' }>

/** One is asked into a conversation, or a request was answered; `event` says which. */
export type ConversationRequestChange = Extract<
  Event,
  { event: 'conversation.requested' } | { event: 'conversation.answered' }
>

/** An entry as a listener hears it. */
export type Delivered<E extends Entry> = E & {
  /** It was stored before this connection, and the device catches up. False for what happens now. */
  readonly replayed: boolean
}

export interface ClientEvents {
  state: ConnectionState
  /** Every entry of every conversation, in order, exactly once. A promise is waited for before the cursor moves. */
  entry: Delivered<Entry>
  /** The entries that are messages. */
  message: Delivered<EntryOf<'message.new'>>
  /** Those by which their senders have changed what a message says: `fold` puts them together. */
  edited: Delivered<EntryOf<'message.edited'>>
  /** Those by which messages were deleted for everybody. What an operator has removed is an `entry`. */
  deleted: Delivered<EntryOf<'message.deleted'>>
  /** Forget what you hold of this conversation: it starts again. Older entries, from `from`, are read as history. */
  resync: { readonly conversation: string; readonly from: number; readonly head: number }
  /** You are not a member any longer. */
  left: { readonly conversation: string }
  sendState: Send
  receipt: Receipt
  /** In a large conversation, instead: how many others have received and read one's own last message. */
  receiptCounts: Omit<EventOf<'receipts.counted'>, 'event'>
  typing: Typing
  presence: Presence
  /**
   * From here on every change is told: read now what is no log (contacts, requests of both kinds, blocks, notifications,
   * settings of conversations, scheduled messages, reminders, profiles, threads that one follows, one's votes, and in large
   * conversations one's reactions). It comes with each connection, the first too, and when the node says that something may
   * have been lost. After the first the client itself reads what you listen for, and tells what is different by its events.
   */
  refresh: Record<string, never>
  contact: ContactChange
  /** A request to join a conversation came, or has been answered. It is no reason for a sound. */
  conversationRequest: ConversationRequestChange
  /** One asks to join a group, or somebody asks whom one may let in, or such a request was answered. */
  joinRequest: JoinRequestChange
  notification: NotificationChange
  /** One has blocked or unblocked somebody, on whatever device. */
  block: { readonly user: string; readonly blocked: boolean }
  /** Somebody whom one knows, or oneself, has another name or picture. */
  user: User
  /** One follows a thread, or no longer, or has read in it, on whatever device. */
  thread: Omit<EventOf<'thread.changed'>, 'event'>
  /** One has voted in a poll that tells totals alone, on whatever device. Of other polls entries tell it. */
  vote: Omit<EventOf<'poll.own_vote'>, 'event'>
  /** One has muted a conversation, on whatever device: until then, in milliseconds since 1970, or no longer. */
  muted: { readonly conversation: string; readonly until: number | null }
  /**
   * One has hidden messages for oneself (`seqs`), or cleared a conversation up to a seq, on whatever device: `hide` of
   * @flotilla/protocol takes them out of a folded conversation.
   */
  cleared: { readonly conversation: string; readonly seqs?: readonly number[]; readonly upTo?: number }
  /** A message was scheduled, changed or cancelled, on whatever device, or it was sent or refused. Without `message` it is gone. */
  scheduled: Pick<EventOf<'scheduled.changed'>, 'scheduled' | 'message'>
  /** One is reminded of a message at another time, or no longer. */
  reminder: { readonly conversation: string; readonly seq: number; readonly at: number | null }
  /**
   * One has changed what a conversation is to oneself, on whatever device: muted, archived, pinned or marked it. That a
   * message brings a conversation back from the archive is not told: read it then.
   */
  settings: { readonly conversation: string; readonly settings: ConversationSettings }
  /** A draft has changed on another device, or was sent on one. It is never the one being typed in. */
  draft: DraftChange
  /** One has reacted in a large conversation, on whatever device, before its members hear of it: `foldReaction` takes it. */
  reaction: EventOf<'reaction.stored'>
  /** One has starred a message, or no longer, on whatever device. */
  starred: EventOf<'message.starred'>
  /** The client will not come back by itself: why, and what helps. One's own `stop` is not told. */
  stopped: Stop
  error: { readonly error: FlotillaError; readonly during: string }
}
