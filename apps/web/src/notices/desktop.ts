/** Notifications of the system: one of a conversation, the latest, until it is pressed or the conversation was read. */
import type { Client, ClientEvents } from '@flotilla/sdk'
import type { ChatState, ConversationView } from '@flotilla/sdk/state'
import { hrefOf } from '../app/address.ts'
import { goTo } from '../app/navigation.tsx'
import { previewOf } from '../chat/message/quoted.tsx'

export interface Desktop {
  show(message: ClientEvents['message'], view: ConversationView): Promise<void>
  /** Takes back what is shown. */
  end(): void
}

export function createDesktop({ client, state }: { readonly client: Client; readonly state: ChatState }): Desktop {
  const shown = new Map<string, Notification>()
  const endReading = state.unread.subscribe(() => {
    for (const [conversation, notification] of shown)
      if (state.conversation(conversation).get()?.unread === 0) notification.close()
  })
  return {
    async show({ conversation, by, body }, view) {
      const said = previewOf(body)
      const isGroup = view.kind === 'group'
      const sender = state.user(by).get() ?? (isGroup ? await client.rest.user(by) : undefined)
      const words = isGroup ? `${sender?.displayName ?? ''}: ${said}` : said
      const options = { body: words, tag: conversation, renotify: true, silent: true, icon: '/icon.svg' }
      const notification = new Notification(view.name, options)
      shown.set(conversation, notification)
      notification.addEventListener('close', () => {
        if (shown.get(conversation) === notification) shown.delete(conversation)
      })
      notification.addEventListener('click', () => {
        notification.close()
        focus()
        goTo(hrefOf({ to: '/c/$conversation', params: { conversation } }))
      })
    },
    end() {
      endReading()
      for (const notification of shown.values()) notification.close()
    },
  }
}
