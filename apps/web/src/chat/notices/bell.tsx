/** Opens the notifications, and says how many wait. */
import { useTranslation } from '../../text/translate.ts'
import { numberOf } from '../format.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { countedMax, useNotices } from './use-notices.ts'

export function Bell({ onPress }: { onPress(): void }) {
  const { t, i18n } = useTranslation()
  const { unread } = useNotices().view
  const isMore = unread >= countedMax
  const count = `${numberOf(isMore ? countedMax - 1 : unread, i18n.language)}${isMore ? '+' : ''}`
  return (
    <span className="relative">
      <IconButton
        icon="bell"
        label={unread === 0 ? t('chat.notices.title') : t('chat.notices.bell', { waiting: count })}
        onPress={onPress}
      />
      {unread > 0 && (
        <span
          aria-hidden="true"
          className="pointer-events-none absolute end-0 top-0.5 min-w-4.5 rounded-full bg-accent px-1 text-center text-tiny leading-4.5 font-semibold text-on-accent tabular-nums"
        >
          {count}
        </span>
      )}
    </span>
  )
}
