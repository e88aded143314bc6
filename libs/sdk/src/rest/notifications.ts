/** Notifications. Live: the event `notification`. */
import type { Ask, Page } from './ask.ts'

export const createNotifications = (ask: Ask) => ({
  /** Newest first; it continues at `next`. With `unread`, unread ones only. */
  list: ({ unread = false, ...page }: Page & { readonly unread?: boolean } = {}) =>
    ask('GET /v1/notifications', { query: { ...page, ...(unread ? { unread: 'true' } : {}) } }),
  /** The unread count. */
  count: () => ask('GET /v1/notifications/count'),
  /** Returns the remaining unread count. @throws FlotillaError notification_unknown */
  markRead: (notification: string) => ask('POST /v1/notifications/{id}/read', { id: notification }),
  /** Returns the count of those that arrived meanwhile. */
  markAllRead: () => ask('POST /v1/notifications/read'),
})
