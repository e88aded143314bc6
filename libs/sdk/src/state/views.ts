/** What an application shows, as values that change: no framework, one flow. */
import type {
  Body,
  ConversationRequest,
  ConversationSettings,
  DraftContent,
  Entry,
  EntryOf,
  GroupSettings,
  JoinRequest,
  Me,
  Poll,
  Quote,
  Removed,
  Role,
  User,
} from '@flotilla/protocol'
import type { ConnectionState } from '../connection.ts'
import type { FlotillaError } from '../flotilla-error.ts'
import type { Message, Question, Send } from '../outbox.ts'

/** A value that changes. `get` answers the same object until something in it has changed. */
export interface Readable<T> {
  get(): T
  /** @returns what ends it */
  subscribe(changed: () => void): () => void
}

export interface ChatState {
  /** Oneself, once that was read, here or before. */
  readonly me: Readable<Me | undefined>
  readonly connection: Readable<ConnectionState>
  readonly conversations: Readable<ConversationList>
  readonly unread: Readable<Counts>
  /** What one conversation is: name, members, role, settings. */
  conversation(id: string): Readable<ConversationView | undefined>
  /** Its messages: one object a conversation. */
  timeline(conversation: string): Timeline
  /** The messages of a thread, its root first. */
  thread(conversation: string, root: number): Timeline
  /** Who is typing there. */
  typing(conversation: string): Readable<readonly string[]>
  /** Whether somebody is online; undefined where that is not known. They are watched while somebody subscribes. */
  presence(user: string): Readable<boolean | undefined>
  /** How far the others have got, by person; of large groups only those who were heard of. Read while somebody subscribes. */
  receipts(conversation: string): Readable<ReadonlyMap<string, ReceiptsOf>>
  draft(conversation: string): DraftState
  /** A person by id: read once, and kept up to date. */
  user(id: string): Readable<User | undefined>
  /**
   * The person has read everything up to `seq`: `client.markRead`, and what is unread is so no more.
   * @param root of a thread, where it is the thread that they have read
   */
  markRead(conversation: string, seq: number, root?: number): void
  /** Forgets what the archive holds, as at a sign-out. Stop the state, too. */
  wipe(): Promise<void>
  /** Ends it for good; the archive has everything then. The client goes on. */
  stop(): Promise<void>
}

export interface ConversationList {
  /** False until the first list has come, from the archive or the server. */
  readonly isLoaded: boolean
  /** Pinned ones first, then by the last message; without archived ones. */
  readonly items: readonly ConversationItem[]
  readonly archived: readonly ConversationItem[]
  /** Who asks to talk, or asks one into a group. */
  readonly requests: readonly ConversationRequest[]
  /** Who asks to be let into a group. */
  readonly joinRequests: readonly JoinRequest[]
}

export interface ConversationItem {
  readonly id: string
  readonly kind: 'direct' | 'group'
  /** The group's name, or the other person's. */
  readonly name: string
  /** Of a direct conversation. */
  readonly other?: User
  /** The picture of the group, or of the other person: `avatarUrl` says where it is. */
  readonly avatar?: string
  readonly last?: LastMessage
  readonly unread: number
  readonly mentions: number
  readonly markedUnread: boolean
  readonly pinned: boolean
  readonly muted: boolean
  readonly archived: boolean
  /** What is begun and not sent. */
  readonly draft?: string
  /** The other person has not accepted yet. */
  readonly pending: boolean
}

export interface LastMessage {
  readonly by: string
  readonly own: boolean
  readonly at: number
  /** On one line, without marks. */
  readonly text: string
  readonly removed?: Removed
  readonly state: SendStateName
}

/** Over all conversations. */
export interface Counts {
  readonly unread: number
  readonly mentions: number
  /** The unread ones of conversations that are neither muted nor archived. */
  readonly loud: number
}

export interface ConversationView extends ConversationItem {
  readonly role: Role
  readonly memberCount: number
  /** Of large groups they are not told: list them. */
  readonly members?: readonly { readonly user: User; readonly role: Role }[]
  readonly group?: GroupSettings
  /** Until then one may not post. */
  readonly silencedUntil?: number
  /** How long messages last that are posted now. */
  readonly timerMs?: number
  readonly settings: ConversationSettings
  /** The first seq that one may see, and the last there is. */
  readonly joinedSeq: number
  readonly head: number
  readonly readSeq: number
}

export interface ReceiptsOf {
  readonly delivered: number
  readonly read: number
}

export interface DraftState extends Readable<DraftContent | undefined> {
  /** A keystroke. Null, or nothing written, empties it. */
  set(content: DraftContent | null): void
}

/** Windows into a log: one is shown. Live entries enter only the one at the head. */
export interface Timeline extends Readable<TimelineView> {
  readonly conversation: string
  /** The seq of the root, where it is a thread. */
  readonly root?: number
  /** Reads on. Where that fails, the view says so by `error`. */
  older(): Promise<void>
  newer(): Promise<void>
  /** Shows the window around a message, reading it where it is not held. */
  jump(seq: number): Promise<void>
  latest(): Promise<void>
  /** Sends into it; in a thread to that thread. The row is there when this returns: the end is shown, whatever was before. */
  send(message: Omit<Message, 'conversation' | 'thread'>): Send
  ask(question: Omit<Question, 'conversation' | 'thread'>): Send
  /** Takes a failed send up again, under a clientId of its own, or drops it. */
  retry(key: string): void
  discard(key: string): void
}

export interface TimelineView {
  readonly rows: readonly Row[]
  readonly hasOlder: boolean
  readonly hasNewer: boolean
  readonly loading: 'none' | 'first' | 'older' | 'newer'
  readonly error?: FlotillaError
  /** Bumped when the conversation begins anew (the store was restored): told calmly, once. */
  readonly discontinuity: number
}

export type Row = MessageRow | NoticeRow

/** Something that happened beside messages: people come and go, a new name, a pin. */
export interface NoticeRow {
  readonly kind: 'notice'
  readonly key: string
  readonly seq: number
  readonly by: string
  readonly at: number
  readonly entry: NoticeEntry
}

export type NoticeEntry = Extract<
  Entry,
  { readonly event: `conversation.${string}` | `member.${string}` | 'message.pinned' }
>

export interface MessageRow {
  readonly kind: 'message'
  /** Made by whoever sent it: the same before and after the acknowledgement, for ever. */
  readonly key: string
  /** Missing until it is acknowledged. */
  readonly seq?: number
  readonly by: string
  readonly at: number
  readonly own: boolean
  readonly body: Body
  readonly state: SendStateName
  /** Why it failed. */
  readonly error?: FlotillaError
  readonly editedAt?: number
  /** A change of one's own is under way: shown already, and taken back should it be refused. */
  readonly changing: boolean
  readonly removed?: Removed
  readonly replyTo?: number
  /** Missing while it is being read. */
  readonly quote?: Quote
  readonly forwarded?: EntryOf<'message.new'>['forwarded']
  readonly expiresAt?: number
  /** The root of the thread that it is in. */
  readonly thread?: number
  /** The thread that hangs on it. */
  readonly replies?: { readonly count: number; readonly lastAt: number }
  readonly pinned: boolean
  readonly reactions: readonly ReactionView[]
  readonly poll?: PollView
}

export type SendStateName = 'sending' | 'sent' | 'failed'

export interface ReactionView {
  readonly emoji: string
  readonly count: number
  readonly own: boolean
}

export interface PollView extends Poll {
  /** One's own vote, where it is known. */
  readonly mine?: readonly number[]
}
