/** Everything that one may do with a message: a menu, with the quick reactions above it. */
import type { MessageRow } from '@flotilla/sdk/state'
import { bodyAs } from '@flotilla/sdk'
import type { RefObject } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { toast } from '../../ui/toast.tsx'
import { rightsTo } from '../access.ts'
import { useConversationContext } from '../conversation/context.ts'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { choices, FloatingMenu } from '../parts/menu.tsx'
import { useIsStarred } from './stars.ts'
import { wordsOf } from './message-row.tsx'

/** Within reach without the picker. */
const quickReactions = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const

interface MenuProps {
  readonly message: MessageRow
  readonly at: RefObject<Element | null>
  onClose(): void
  onEdit(): void
  onDelete(): void
  onForward(): void
  onRemind(): void
  onReport(): void
}

export function MessageMenu({ message, at, onClose, onEdit, onDelete, onForward, onRemind, onReport }: MenuProps) {
  const { t } = useTranslation()
  const context = useConversationContext()
  const { id, view, isThread, reply, openThread, openDetails } = context
  const { client } = useChat()
  const tell = useTell()
  const isStarred = useIsStarred(id, message.seq)
  const rights = rightsTo(message, view)
  const { seq = 0 } = message
  const isText = bodyAs('text', message.body) !== undefined && message.removed === undefined
  const copy = () => navigator.clipboard.writeText(wordsOf(message)).then(() => toast(t('chat.message.copied')))
  const all = choices(
    rights.reply && { id: 'reply', icon: 'reply', label: t('chat.message.reply'), act: () => reply(message) },
    rights.reply &&
      !isThread && { id: 'thread', icon: 'thread', label: t('chat.message.thread'), act: () => openThread(seq) },
    rights.edit && { id: 'edit', icon: 'edit', label: t('chat.message.edit'), act: onEdit },
    isText && { id: 'copy', icon: 'copy', label: t('chat.message.copy'), act: () => void tell(copy()) },
    rights.forward && { id: 'forward', icon: 'forward', label: t('chat.message.forward'), act: onForward },
    rights.pin && {
      id: 'pin',
      icon: 'pin',
      label: message.pinned ? t('chat.message.unpin') : t('chat.message.pin'),
      act: () => void tell((message.pinned ? client.unpin(id, seq) : client.pin(id, seq)).acknowledged),
    },
    rights.react && {
      id: 'star',
      icon: 'star',
      label: t(isStarred ? 'chat.message.unstar' : 'chat.message.star'),
      act: () =>
        void tell(
          isStarred
            ? client.rest.unstar(id, seq).then(() => toast(t('chat.message.unstarred')))
            : client.rest.star(id, seq).then(() => toast(t('chat.message.starred'))),
        ),
    },
    rights.react && { id: 'remind', icon: 'bell', label: t('chat.message.remind'), act: onRemind },
    rights.keep && { id: 'details', icon: 'info', label: t('chat.message.details'), act: () => openDetails(message) },
    rights.keep && {
      id: 'hide',
      icon: 'eyeOff',
      label: t('chat.message.hide'),
      startsGroup: true,
      act: () => void tell(client.rest.messages.hide(id, [seq])),
    },
    rights.keep &&
      !message.own && { id: 'report', icon: 'alert', label: t('chat.message.report'), isDanger: true, act: onReport },
    rights.remove && { id: 'delete', icon: 'trash', label: t('chat.message.delete'), isDanger: true, act: onDelete },
  )
  return (
    <FloatingMenu
      at={at}
      label={t('chat.message.more')}
      choices={all}
      head={rights.react && <QuickReactions message={message} at={at} onClose={onClose} />}
      placement={message.own ? 'bottom end' : 'bottom start'}
      onClose={onClose}
    />
  )
}

function QuickReactions({ message, at, onClose }: Pick<MenuProps, 'message' | 'at' | 'onClose'>) {
  const { t } = useTranslation()
  const { react, openReactions } = useConversationContext()
  return (
    <div role="group" aria-label={t('chat.message.react')} className="flex gap-0.5 border-b border-line p-1">
      {quickReactions.map(emoji => (
        <button
          key={emoji}
          type="button"
          aria-label={t('chat.message.reactWith', { emoji })}
          aria-pressed={message.reactions.some(one => one.own && one.emoji === emoji)}
          onClick={() => {
            onClose()
            react(message, emoji)
          }}
          className="grid size-9 place-items-center rounded-small text-[1.25rem] hover:bg-hover aria-pressed:bg-accent-soft"
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        aria-label={t('chat.message.moreReactions')}
        onClick={() => {
          onClose()
          openReactions(message, at)
        }}
        className="grid size-9 place-items-center rounded-small text-soft hover:bg-hover"
      >
        +
      </button>
    </div>
  )
}
