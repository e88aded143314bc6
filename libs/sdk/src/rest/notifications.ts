/** What a person is told apart from the conversations. Live it comes as the event `notification`. */
import type { Notification } from '@flotilla/protocol'
import type { Page, Signed } from './signed.ts'

/** How many wait, counted up to 100: show that as 99+. */
export interface Unread {
  readonly unread: number
}

export function createNotifications(signed: Signed) {
  return {
    /** The latest first; it goes on at `next`. With `unread` only those that are not read. */
    list: ({ unread = false, ...page }: Page & { readonly unread?: boolean } = {}) =>
      signed<{ notifications: readonly Notification[]; next?: string }>('GET', '/v1/notifications', {
        query: { ...page, ...(unread ? { unread: 'true' } : {}) },
      }),
    /** How many are not read. */
    count: () => signed<Unread>('GET', '/v1/notifications/count'),
    /** The person has seen this one; the answer says how many still wait. @throws FlotillaError notification_unknown */
    read: (notification: string) =>
      signed<Unread>('POST', `/v1/notifications/${encodeURIComponent(notification)}/read`),
    /** The person has seen all; the answer says how many came meanwhile. */
    readAll: () => signed<Unread>('POST', '/v1/notifications/read'),
  }
}
