/** Above the messages: who it is, what they do now, and the ways on. */
import type { ConversationView } from '@flotilla/sdk/state'
import { Link } from '../../app/navigation.tsx'
import { useTranslation } from '../../text/translate.ts'
import { usePresence, useTyping } from '@flotilla/react'
import { useConversationChoices } from '../list/conversation-choices.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Icon } from '../../ui/icon.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Menu } from '../parts/menu.tsx'
import type { Panel } from './panels.ts'

interface HeadProps {
  readonly view: ConversationView
  openPanel(panel: Panel): void
}

export function ConversationHead({ view, openPanel }: HeadProps) {
  const { t } = useTranslation()
  const all = useConversationChoices(view)
  const openInfo = () =>
    openPanel(view.other === undefined ? { kind: 'info' } : { kind: 'person', user: view.other.id })
  return (
    <header className="flex h-14 shrink-0 items-center gap-1 border-b border-line px-2 sm:px-3">
      <Link
        to="/"
        aria-label={t('chat.conversation.back')}
        className="grid size-10 shrink-0 place-items-center rounded-medium text-soft hover:bg-hover min-[600px]:hidden"
      >
        <Icon name="back" isTurned />
      </Link>
      <button
        type="button"
        onClick={openInfo}
        className="flex min-w-0 grow items-center gap-3 rounded-medium px-2 py-1 text-start hover:bg-hover"
      >
        <Avatar id={view.other?.id ?? view.id} name={view.name} picture={view.avatar ?? null} size={36} />
        <span className="grid min-w-0 grid-cols-[minmax(0,1fr)]">
          <h2 className="flex items-center gap-1.5 truncate leading-tight font-semibold">
            <span className="truncate">
              <bdi>{view.name}</bdi>
            </span>
            {view.muted && <Icon name="bellOff" size={14} className="text-soft" />}
          </h2>
          <span className="truncate text-small leading-tight text-soft">
            {view.other === undefined ? (
              t('chat.conversation.members', { count: view.memberCount })
            ) : (
              <Presence user={view.other.id} id={view.id} />
            )}
          </span>
        </span>
      </button>
      {/* The name beside it does the same. */}
      <IconButton icon="info" label={t('chat.conversation.info')} onPress={openInfo} className="max-[359px]:hidden" />
      <Menu label={t('chat.conversation.more')} choices={all}>
        <IconButton icon="more" label={t('chat.conversation.more')} />
      </Menu>
    </header>
  )
}

function Presence({ user, id }: { readonly user: string; readonly id: string }) {
  const { t } = useTranslation()
  const isOnline = usePresence(user)
  const isTyping = useTyping(id).length > 0
  if (isTyping) return <span className="text-accent">{t('chat.list.typing')}</span>
  return isOnline === undefined ? '' : t(isOnline ? 'chat.conversation.online' : 'chat.conversation.offline')
}
