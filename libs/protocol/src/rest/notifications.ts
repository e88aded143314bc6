/** Notifications. Live: `notification.new`. */
import { Type } from 'typebox'
import { Notification, UnreadNotifications } from '../down/notifications.ts'
import { answered, ById, closed, listOf, named, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const NotificationPage = Type.Object(
  { notifications: listOf(named('Notification', Notification)), next: Type.Optional(PageCursor) },
  closed,
)
/** The unread count. */
export const Unread = Type.Object({ unread: UnreadNotifications }, closed)
export type Unread = Type.Static<typeof Unread>

export const notifications = routes('notifications', 'session', {
  listNotifications: {
    at: 'GET /v1/notifications',
    summary: 'List my notifications',
    description:
      'Newest first. The latest 1,000 are kept, for up to 90 days. Reactions to one message are one notification, the newest again with each person who reacts; in large conversations, and where the user is not notified of all messages, they are none. They are never pushed.',
    query: Type.Object(
      {
        limit: pageLimit(50, 50),
        after: Type.Optional(PageCursor),
        unread: Type.Optional(Type.Literal('true', { description: 'Unread notifications only.' })),
      },
      closed,
    ),
    answers: { 200: answered('A page of notifications.', NotificationPage) },
  },
  countNotifications: {
    at: 'GET /v1/notifications/count',
    summary: 'Count my unread notifications',
    description: 'Counts up to 100; show that as 99+.',
    answers: { 200: answered('The unread count.', Unread) },
  },
  markNotificationRead: {
    at: 'POST /v1/notifications/{id}/read',
    summary: 'Mark a notification as read',
    description: 'All of the caller’s devices receive `notification.read`.',
    params: ById,
    answers: { 200: answered('The remaining unread count.', Unread) },
    refusals: ['notification_unknown'],
  },
  markAllNotificationsRead: {
    at: 'POST /v1/notifications/read',
    summary: 'Mark all notifications as read',
    description: 'All of the caller’s devices receive `notification.read`.',
    answers: { 200: answered('The unread count: notifications that arrived meanwhile.', Unread) },
  },
})
