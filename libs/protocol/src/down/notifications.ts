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
])
export type NotificationKind = Type.Static<typeof NotificationKind>

/** Something that a person is told apart from the conversations, and that waits until they have seen it. */
export const Notification = Type.Object(
  {
    id: Uuid,
    kind: NotificationKind,
    at: At,
    read: Type.Boolean(),
    actor: Type.Optional(User),
    conversation: Type.Optional(Uuid),
    seq: Type.Optional(Seq),
    detail: Type.Record(Type.String(), Type.String(), { description: 'Short facts that belong to the kind.' }),
  },
  { additionalProperties: false },
)
export type Notification = Type.Static<typeof Notification>

/** How many wait. At the maximum it is that many or more. */
export const UnreadNotifications = Type.Integer({
  minimum: 0,
  maximum: limits.unreadNotificationsMax,
  description: `Notifications that are not read, counted up to ${limits.unreadNotificationsMax}: show it as ${limits.unreadNotificationsMax - 1}+.`,
})

export const notificationNew = signal('notification.new', 'Something that concerns the person has happened.', {
  notification: Notification,
  unread: UnreadNotifications,
})

export const notificationRead = signal(
  'notification.read',
  'The person has read notifications: the one that is named, or those of the conversation up to seq, or else all.',
  {
    unread: UnreadNotifications,
    notification: Type.Optional(Uuid),
    conversation: Type.Optional(Uuid),
    seq: Type.Optional(Cursor),
  },
)

export const notificationRemoved = signal(
  'notification.removed',
  'The person is no member of the conversation any more; its notifications are gone.',
  { conversation: Uuid, unread: UnreadNotifications },
)
