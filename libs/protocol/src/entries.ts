/**
 * The kinds of entry in a conversation's log. A new kind is a file in entries/ and a line here: the events, the commands
 * that make entries, the types and the numbers in the store are derived from this list.
 *
 * An entry is the same object in a live event, in a page of history and in a replay, so that clients fold them with one
 * function (fold.ts). Who does not know a kind, client or node, passes it on or over, and moves its cursor.
 */
import { Type } from 'typebox'
import { conversationChanged } from './entries/conversation-changed.ts'
import { conversationCreated } from './entries/conversation-created.ts'
import { conversationRenamed } from './entries/conversation-renamed.ts'
import { conversationTimerChanged } from './entries/conversation-timer-changed.ts'
import { memberAdded } from './entries/member-added.ts'
import { memberChanged } from './entries/member-changed.ts'
import { memberLeft } from './entries/member-left.ts'
import { memberRemoved } from './entries/member-removed.ts'
import { memberSilenced } from './entries/member-silenced.ts'
import { messageDeleted } from './entries/message-deleted.ts'
import { messageEdited } from './entries/message-edited.ts'
import { messageHidden } from './entries/message-hidden.ts'
import { messageForward, messageNew } from './entries/message-new.ts'
import { messagePinned, messageUnpinned } from './entries/message-pinned.ts'
import { messageReacted, reactionCounted } from './entries/message-reacted.ts'
import { messageRemoved } from './entries/message-removed.ts'
import { messagesExpired } from './entries/messages-expired.ts'
import { pollCounted } from './entries/poll-counted.ts'
import { pollClosed, pollVoted } from './entries/poll-voted.ts'

const kinds = [
  messageNew,
  conversationCreated,
  conversationRenamed,
  memberAdded,
  memberRemoved,
  memberLeft,
  memberChanged,
  messageEdited,
  messageRemoved,
  messagePinned,
  messageUnpinned,
  conversationChanged,
  memberSilenced,
  messageDeleted,
  messageHidden,
  conversationTimerChanged,
  messagesExpired,
  messageReacted,
  reactionCounted,
  pollVoted,
  pollClosed,
  pollCounted,
] as const

type Kind = (typeof kinds)[number]
export type EntryKind = Kind['name']
type KindOf<K extends EntryKind> = Extract<Kind, { name: K }>
type Schemas<Kinds extends readonly Kind[]> = { -readonly [At in keyof Kinds]: Kinds[At]['schema'] }

/** The kinds by name. */
export const entries = Object.fromEntries(kinds.map(kind => [kind.name, kind])) as { [K in EntryKind]: KindOf<K> }

// A mapped tuple is a tuple, which `map` does not know.
export const Entry = Type.Union(kinds.map(kind => kind.schema) as unknown as Schemas<typeof kinds>)
/** One entry of a conversation's log. */
export type Entry = Type.Static<Kind['schema']>
/** An entry of one kind: `EntryOf<'message.new'>`. */
export type EntryOf<K extends EntryKind> = Type.Static<KindOf<K>['schema']>

// ── those that a command makes ───────────────────────────────────────────────────────────────────────────────────────

type MadeKind = Extract<Kind, { command: object }>
/** Commands that make an entry of a kind that another one makes too. */
const others = [messageForward] as const
type Other = (typeof others)[number]

type Makes = { [K in MadeKind as K['command']['op']]: K['name'] } & { [K in Other as K['command']['op']]: K['makes'] }
export type EntryOp = keyof Makes
/** The kind of entry that a command makes. */
export type KindMadeBy<O extends EntryOp> = Makes[O]

type EntryCommands = { [K in MadeKind | Other as K['command']['op']]: K['command'] }
const made = kinds.filter((kind): kind is MadeKind => 'command' in kind)

/** The commands that make an entry, by operation. */
export const entryCommands = Object.fromEntries(
  [...made, ...others].map(({ command }) => [command.op, command]),
) as EntryCommands
