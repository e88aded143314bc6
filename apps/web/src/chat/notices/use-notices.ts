/** The person's notifications, the same in all parts of the page. */
import type { Client } from '@flotilla/sdk'
import { createNotifications, type Notifications, type NotificationsView } from '@flotilla/sdk/state'
import { useChat, useReadable } from '../hooks.ts'

const made = new WeakMap<Client, Notifications>()

function of(client: Client): Notifications {
  const known = made.get(client) ?? createNotifications(client)
  made.set(client, known)
  return known
}

export function useNotices(): { readonly view: NotificationsView; readonly notices: Notifications } {
  const { client } = useChat()
  const notices = of(client)
  return { view: useReadable(notices), notices }
}

/** The server counts no further. */
export const countedMax = 100
