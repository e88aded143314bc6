/** What a person is told apart from the conversations. Live it comes as `notification.new`. */
import { notifications } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function notificationRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.notifications, {
    listNotifications: async request => {
      const { limit, after, unread } = request.query
      return notifications.list(chat, request.caller.user, { limit, after, unread: unread !== undefined })
    },

    countNotifications: async request => ({ unread: await notifications.count(chat, request.caller.user) }),

    markNotificationRead: async request => ({
      unread: await notifications.read(chat, request.caller.user, request.params.id),
    }),

    markAllNotificationsRead: async request => ({ unread: await notifications.readAll(chat, request.caller.user) }),
  })
}
