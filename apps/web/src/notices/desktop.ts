/**
 * Notifications of the system: one of a conversation, or of a thread that alone shows it, the latest, and one of each reminder,
 * until it is pressed or was read.
 */
import type { Client, ClientEvents, Notification as Notice } from '@flotilla/sdk'
import type { ChatState, ConversationView } from '@flotilla/sdk/state'
import { hrefOf } from '../app/address.ts'
import { goTo } from '../app/navigation.tsx'
import { previewOf } from '../chat/message/quoted.tsx'
import { messageOf, placeOf } from '../chat/notices/place.ts'
import { spoken } from '../text/translate.ts'

export interface Desktop {
  show(message: ClientEvents['message'], view: ConversationView): Promise<void>
  remind(reminder: Notice): Promise<void>
  /** Takes back what is shown. */
  end(): void
}

/** Where a message is shown. */
interface Where {
  readonly conversation: string
  readonly thread?: string
  readonly message?: string
}

const tagOf = ({ conversation, thread }: Where) => (thread === undefined ? conversation : `${conversation}/${thread}`)
const tagOfReminder = (id: string) => `reminder/${id}`

export function createDesktop({ client, state }: { readonly client: Client; readonly state: ChatState }): Desktop {
  const shown = new Map<string, Notification>()
  const close = (tag: string) => shown.get(tag)?.close()
  const ends = [
    state.unread.subscribe(() => {
      // The tag of a conversation is its id; the others have a slash.
      for (const tag of shown.keys()) if (!tag.includes('/') && state.conversation(tag).get()?.unread === 0) close(tag)
    }),
    // One's own place in the thread rises as it is read.
    client.on('thread', ({ conversation, thread }) => close(tagOf({ conversation, thread: String(thread) }))),
    client.on('notification', change => {
      if (change.event === 'notification.read' && change.notification !== undefined)
        close(tagOfReminder(change.notification))
    }),
  ]

  function put(tag: string, { conversation, ...search }: Where, title: string, body: string): void {
    const options = { body, tag, renotify: true, silent: true, icon: '/icon.svg' }
    const notification = new Notification(title, options)
    shown.set(tag, notification)
    notification.addEventListener('close', () => {
      if (shown.get(tag) === notification) shown.delete(tag)
    })
    notification.addEventListener('click', () => {
      notification.close()
      focus()
      goTo(hrefOf({ to: '/c/$conversation', params: { conversation }, search }))
    })
  }

  return {
    async show({ conversation, by, body, thread, alsoInConversation }, view) {
      const said = previewOf(body)
      const isGroup = view.kind === 'group'
      const sender = state.user(by).get() ?? (isGroup ? await client.rest.user(by) : undefined)
      const words = isGroup ? `${sender?.displayName ?? ''}: ${said}` : said
      const isAside = thread !== undefined && alsoInConversation !== true
      const where = { conversation, ...(isAside ? { thread: String(thread) } : {}) }
      put(tagOf(where), where, view.name, isAside ? spoken.get().t('chat.notices.inThread', { words }) : words)
    },
    async remind(reminder) {
      const { t } = spoken.get()
      const place = placeOf(reminder)
      if (place === undefined) return
      const { conversation, seq } = place
      // Of what is gone since there are no words; that there was a reminder is said all the same.
      const message =
        reminder.detail['gone'] === undefined
          ? await messageOf(client, place)
              .queryFn()
              .catch(() => null)
          : null
      const words = message === null || message.removed !== undefined ? '' : previewOf(message.body)
      const thread = message?.alsoInConversation === true ? undefined : message?.thread
      const where = thread === undefined ? { message: String(seq) } : { thread: String(thread) }
      put(tagOfReminder(reminder.id), { conversation, ...where }, t('chat.notices.reminder'), words)
    },
    end() {
      for (const end of ends) end()
      for (const notification of shown.values()) notification.close()
    },
  }
}
