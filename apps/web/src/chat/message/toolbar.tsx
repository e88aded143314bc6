/** What one does most with a message, beside it while the pointer or the focus is there. */
import type { MessageRow } from '@flotilla/sdk/state'
import { type RefObject, useRef } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { rightsTo } from '../access.ts'
import { useConversationContext } from '../conversation/context.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'

interface ToolbarProps {
  readonly message: MessageRow
  readonly at: RefObject<Element | null>
  readonly isActive: boolean
}

export function Toolbar({ message, at, isActive }: ToolbarProps) {
  const { t } = useTranslation()
  const { view, reply, openReactions, openMenu } = useConversationContext()
  const rights = rightsTo(message, view)
  const bar = useRef<HTMLDivElement>(null)
  return (
    <div
      ref={bar}
      role="toolbar"
      aria-label={t('chat.message.tools')}
      className={`absolute z-10 flex rounded-medium bg-canvas max-sm:end-1 max-sm:bottom-full max-sm:-mb-2 max-sm:shadow-float sm:top-0.5 ${message.own ? 'sm:end-full sm:me-1' : 'sm:start-full sm:ms-1'}`}
    >
      {rights.react && (
        <Tool
          icon="smile"
          label={t('chat.message.react')}
          isActive={isActive}
          onPress={() => openReactions(message, bar)}
        />
      )}
      {rights.reply && (
        <Tool icon="reply" label={t('chat.message.reply')} isActive={isActive} onPress={() => reply(message)} />
      )}
      <Tool icon="more" label={t('chat.message.more')} isActive={isActive} onPress={() => openMenu(message, at)} />
    </div>
  )
}

interface ToolProps {
  readonly icon: IconName
  readonly label: string
  readonly isActive: boolean
  onPress(): void
}

function Tool({ icon, label, isActive, onPress }: ToolProps) {
  return (
    <button
      type="button"
      tabIndex={isActive ? 0 : -1}
      aria-label={label}
      title={label}
      onClick={onPress}
      className="grid size-7 place-items-center rounded-small text-soft hover:bg-hover hover:text-ink"
    >
      <Icon name={icon} size={17} isTurned={icon === 'reply'} />
    </button>
  )
}
