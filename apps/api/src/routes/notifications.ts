/** What a person is told apart from the conversations. Live it comes as `notification.new`. */
import { notifications } from '@flotilla/chat'
import { UnreadNotifications } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { refusals } from '../refusals.ts'
import { answered, ById, NotificationPage, PageCursor, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageMax = 50
const Waiting = Type.Object({ unread: UnreadNotifications }, closed)

export function notificationRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['notifications'], security: [{ accessToken: [] }] }

  app.get(
    '/notifications',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listNotifications',
        summary: 'List my notifications',
        description: 'The latest first. The latest 1,000 are kept, each for 90 days.',
        querystring: Type.Object(
          {
            limit: pageLimit(pageMax, pageMax),
            after: Type.Optional(PageCursor),
            unread: Type.Optional(Type.Literal('true', { description: 'Only those that are not read.' })),
          },
          closed,
        ),
        response: { 200: answered('A page of notifications.', NotificationPage), ...refusals('unauthenticated') },
      },
    },
    async request => {
      const { limit = pageMax, after, unread } = request.query
      return notifications.list(chat, request.caller.user, { limit, after, unread: unread !== undefined })
    },
  )

  app.get(
    '/notifications/count',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'countNotifications',
        summary: 'Count my unread notifications',
        description: 'Counted up to 100; show more as 99+.',
        response: { 200: answered('How many are unread.', Waiting), ...refusals('unauthenticated') },
      },
    },
    async request => ({ unread: await notifications.count(chat, request.caller.user) }),
  )

  app.post(
    '/notifications/:id/read',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'readNotification',
        summary: 'Mark a notification as read',
        description: 'All devices of the caller hear of it by `notification.read`.',
        params: ById,
        response: {
          200: answered('So many still wait.', Waiting),
          ...refusals('unauthenticated', 'notification_unknown'),
        },
      },
    },
    async request => ({ unread: await notifications.read(chat, request.caller.user, request.params.id) }),
  )

  app.post(
    '/notifications/read',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'readNotifications',
        summary: 'Mark all notifications as read',
        description: 'All devices of the caller hear of it by `notification.read`.',
        response: { 200: answered('So many came meanwhile.', Waiting), ...refusals('unauthenticated') },
      },
    },
    async request => ({ unread: await notifications.readAll(chat, request.caller.user) }),
  )
}
