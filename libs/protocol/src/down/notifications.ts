import { Type } from 'typebox'
import { At, Cursor, Seq, User, Uuid } from '../fields.ts'
import { signal } from '../message.ts'
import { limits } from '../limits.ts'

export const NotificationKind = Type.Union([
  Type.Literal('mention'),
  Type.Literal('contact_request'),
  Type.Literal('contact_accepted'),
  Type.Literal('added_to_group'),
  Type.Literal('security_notice'),
  Type.Literal('scheduled_failed'),
  Type.Literal('reminder'),
  Type.Literal('reacted'),
  Type.Literal('thread_reply'),
])
export type NotificationKind = Type.Static<typeof NotificationKind>

/** A notification, kept until the user has read it. */
export const Notification = Type.Object(
  {
    id: Uuid,
    kind: NotificationKind,
    at: At,
    read: Type.Boolean(),
    actor: Type.Optional(User),
    conversation: Type.Optional(Uuid),
    seq: Type.Optional(Seq),
    detail: Type.Record(Type.String(), Type.String(), {
      description:
        'Additional details. `reacted` gathers all who have reacted to one message of the user: `people` is how many, `emoji` the last reaction, and `actor` who added it. `thread_reply` gathers the replies in one thread that the user follows: `thread` is its root, `seq` the last reply, and `actor` who wrote it; it is read with the thread.',
    }),
  },
  { additionalProperties: false },
)
export type Notification = Type.Static<typeof Notification>

/** The unread count. The maximum means that many or more. */
export const UnreadNotifications = Type.Integer({
  minimum: 0,
  maximum: limits.unreadNotificationsMax,
  description: `Unread notifications. Counts up to ${limits.unreadNotificationsMax}; show that as ${limits.unreadNotificationsMax - 1}+.`,
})

export const notificationNew = signal(
  'notification.new',
  'The user has a new notification. If you know its `id`, it gathers more, or less, than before: replace it. It is new if its `at` is.',
  {
    notification: Notification,
    unread: UnreadNotifications,
  },
)

export const notificationRead = signal(
  'notification.read',
  'The user read notifications: the one named, those of the conversation up to seq, or all.',
  {
    unread: UnreadNotifications,
    notification: Type.Optional(Uuid),
    conversation: Type.Optional(Uuid),
    seq: Type.Optional(Cursor),
  },
)

export const notificationRemoved = signal(
  'notification.removed',
  'The user is no longer a member of the conversation, so its notifications were removed.',
  { conversation: Uuid, unread: UnreadNotifications },
)
