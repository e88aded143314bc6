/** What a person is told apart from the conversations. Live it comes as the event `notification`. */
import type { Ask, Page } from './ask.ts'

export const createNotifications = (ask: Ask) => ({
  /** The latest first; it goes on at `next`. With `unread` only those that are not read. */
  list: ({ unread = false, ...page }: Page & { readonly unread?: boolean } = {}) =>
    ask('GET /v1/notifications', { query: { ...page, ...(unread ? { unread: 'true' } : {}) } }),
  /** How many are not read. */
  count: () => ask('GET /v1/notifications/count'),
  /** The person has seen this one; the answer says how many still wait. @throws FlotillaError notification_unknown */
  read: (notification: string) => ask('POST /v1/notifications/{id}/read', { id: notification }),
  /** The person has seen all; the answer says how many came meanwhile. */
  readAll: () => ask('POST /v1/notifications/read'),
})
