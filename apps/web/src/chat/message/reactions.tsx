/** What people have reacted with: pressed, one's own is added or taken back. */
import type { MessageRow } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { useConversationContext } from '../conversation/context.ts'
import { numberOf } from '../format.ts'

export function Reactions({ message, isActive }: { readonly message: MessageRow; readonly isActive: boolean }) {
  const { t, i18n } = useTranslation()
  const { react, openDetails } = useConversationContext()
  return (
    <ul
      aria-label={t('chat.message.reactions')}
      className={`mt-1 flex flex-wrap gap-1 ${message.own ? 'justify-end' : ''}`}
    >
      {message.reactions.map(({ emoji, count, own }) => (
        <li key={emoji}>
          <button
            type="button"
            tabIndex={isActive ? 0 : -1}
            aria-pressed={own}
            aria-label={t('chat.message.reaction', { emoji, count })}
            data-reaction={emoji}
            onClick={() => react(message, emoji)}
            onContextMenu={event => {
              event.preventDefault()
              event.stopPropagation()
              openDetails(message)
            }}
            className="flex h-6.5 items-center gap-1 rounded-full border border-line bg-canvas px-2 text-small hover:border-line-strong aria-pressed:border-accent aria-pressed:bg-accent-soft"
          >
            <span className="text-[1.05em] leading-none">{emoji}</span>
            <span className="tabular-nums">{numberOf(count, i18n.language)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}
