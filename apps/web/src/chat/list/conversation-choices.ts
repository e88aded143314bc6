/** What one may do with a conversation as a whole: the menu of its row, and of its head. */
import { mutedForEver } from '@flotilla/sdk'
import type { ConversationItem } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { type Choice, choices } from '../parts/menu.tsx'

export function useConversationChoices(item: ConversationItem): readonly Choice[] {
  const { t } = useTranslation()
  const { client, state } = useChat()
  const tell = useTell()
  const { id } = item
  const change = (settings: Parameters<typeof client.rest.changeSettings>[1]) => () =>
    void tell(client.rest.changeSettings(id, settings))
  const isWaiting = item.unread > 0 || item.markedUnread
  return choices(
    isWaiting
      ? {
          id: 'read',
          icon: 'checks',
          label: t('chat.list.markRead'),
          act() {
            const head = state.conversation(id).get()?.head
            if (item.unread > 0 && head !== undefined) state.markRead(id, head)
            if (item.markedUnread) change({ unreadFrom: null })()
          },
        }
      : { id: 'unread', icon: 'bell', label: t('chat.list.markUnread'), act: change({ unreadFrom: 0 }) },
    {
      id: 'pin',
      icon: 'pin',
      label: item.pinned ? t('chat.list.unpin') : t('chat.list.pin'),
      act: change({ pinned: !item.pinned }),
    },
    {
      id: 'mute',
      icon: item.muted ? 'bell' : 'bellOff',
      label: item.muted ? t('chat.list.unmute') : t('chat.list.mute'),
      act: () => void tell(client.rest.mute(id, item.muted ? null : mutedForEver)),
    },
    {
      id: 'archive',
      icon: 'archive',
      label: item.archived ? t('chat.list.unarchive') : t('chat.list.archive'),
      act: change({ archived: !item.archived }),
    },
  )
}
