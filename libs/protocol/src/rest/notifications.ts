/** What a person is told apart from the conversations. Live it comes as `notification.new`. */
import { Type } from 'typebox'
import { Notification, UnreadNotifications } from '../down/notifications.ts'
import { answered, ById, closed, listOf, named, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const NotificationPage = Type.Object(
  { notifications: listOf(named('Notification', Notification)), next: Type.Optional(PageCursor) },
  closed,
)
/** How many wait. */
export const Unread = Type.Object({ unread: UnreadNotifications }, closed)
export type Unread = Type.Static<typeof Unread>

export const notifications = routes('notifications', 'session', {
  listNotifications: {
    at: 'GET /v1/notifications',
    summary: 'List my notifications',
    description: 'The latest first. The latest 1,000 are kept, each for 90 days.',
    query: Type.Object(
      {
        limit: pageLimit(50, 50),
        after: Type.Optional(PageCursor),
        unread: Type.Optional(Type.Literal('true', { description: 'Only those that are not read.' })),
      },
      closed,
    ),
    answers: { 200: answered('A page of notifications.', NotificationPage) },
  },
  countNotifications: {
    at: 'GET /v1/notifications/count',
    summary: 'Count my unread notifications',
    description: 'Counted up to 100; show more as 99+.',
    answers: { 200: answered('How many are unread.', Unread) },
  },
  readNotification: {
    at: 'POST /v1/notifications/{id}/read',
    summary: 'Mark a notification as read',
    description: 'All devices of the caller hear of it by `notification.read`.',
    params: ById,
    answers: { 200: answered('So many still wait.', Unread) },
    refusals: ['notification_unknown'],
  },
  readNotifications: {
    at: 'POST /v1/notifications/read',
    summary: 'Mark all notifications as read',
    description: 'All devices of the caller hear of it by `notification.read`.',
    answers: { 200: answered('So many came meanwhile.', Unread) },
  },
})
