/** Everything that a node may say unasked. A new event is a file in down/ (or a kind in entries/) and a line here. */
import type { Static } from 'typebox'
import { blockChanged } from './down/block-changed.ts'
import {
  contactAccepted,
  contactCancelled,
  contactDeclined,
  contactRemoved,
  contactRequested,
} from './down/contacts.ts'
import { conversationMuted } from './down/conversation-muted.ts'
import { conversationAnswered, conversationRequested } from './down/conversation-requests.ts'
import { conversationSettingsChanged } from './down/conversation-settings-changed.ts'
import { draftChanged } from './down/draft-changed.ts'
import { errorEvent } from './down/error.ts'
import { hello } from './down/hello.ts'
import { conversationCleared } from './down/conversation-cleared.ts'
import { joinAnswered, joinRequested } from './down/join-requests.ts'
import { messageStarred } from './down/message-starred.ts'
import { notificationNew, notificationRead, notificationRemoved } from './down/notifications.ts'
import { pollOwnVote } from './down/poll-own-vote.ts'
import { presenceChanged } from './down/presence-changed.ts'
import { reactionStored } from './down/reaction-stored.ts'
import { deliveredUpTo, readUpTo, receiptsCounted } from './down/receipts.ts'
import { refresh } from './down/refresh.ts'
import { reminderChanged } from './down/reminder-changed.ts'
import { scheduledChanged } from './down/scheduled.ts'
import { syncHeads } from './down/sync-heads.ts'
import { threadChanged } from './down/thread-changed.ts'
import { typingStarted, typingStopped } from './down/typing.ts'
import { userChanged } from './down/user-changed.ts'
import { entries } from './entries.ts'
import type { ErrorBody } from './errors.ts'
import type { DeliveryClass } from './message.ts'

/** The events by name. */
export const down = {
  hello,
  ...entries,
  'message.delivered': deliveredUpTo,
  'message.read': readUpTo,
  'receipts.counted': receiptsCounted,
  'typing.start': typingStarted,
  'typing.stop': typingStopped,
  'presence.changed': presenceChanged,
  'user.changed': userChanged,
  'conversation.muted': conversationMuted,
  'conversation.cleared': conversationCleared,
  'conversation.settings_changed': conversationSettingsChanged,
  'draft.changed': draftChanged,
  'reaction.stored': reactionStored,
  'message.starred': messageStarred,
  'thread.changed': threadChanged,
  'poll.own_vote': pollOwnVote,
  'conversation.requested': conversationRequested,
  'conversation.answered': conversationAnswered,
  'join.requested': joinRequested,
  'join.answered': joinAnswered,
  'notification.new': notificationNew,
  'notification.read': notificationRead,
  'notification.removed': notificationRemoved,
  'contact.requested': contactRequested,
  'contact.accepted': contactAccepted,
  'contact.declined': contactDeclined,
  'contact.cancelled': contactCancelled,
  'contact.removed': contactRemoved,
  'block.changed': blockChanged,
  'scheduled.changed': scheduledChanged,
  'reminder.changed': reminderChanged,
  'sync.heads': syncHeads,
  refresh,
  error: errorEvent,
} as const

export type Down = typeof down
export type EventName = keyof Down
/** An event as it travels: `EventOf<'message.new'>`. */
export type EventOf<N extends EventName> = Static<Down[N]['schema']>
/** Any event. */
export type Event = { [N in EventName]: EventOf<N> }[EventName]
/** The events of one class: `EventIn<'signal'>`. */
export type EventIn<C extends DeliveryClass> = {
  [N in EventName]: Down[N]['delivery'] extends C ? EventOf<N> : never
}[EventName]
/** The answer to a command. `ok` has the shape that the command declares as its reply. */
export type Reply = { id: number; ok: unknown } | { id: number; error: ErrorBody }
