/** Why one may not write here now, in the place of the composer. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { may } from '../access.ts'
import { briefTimeOf } from '../format.ts'
import { timerMsMax, useIsPast } from '../hooks.ts'
import { Icon } from '../../ui/icon.tsx'

export type Barrier = 'silenced' | 'readOnly'

export function useBarrier(view: ConversationView): Barrier | undefined {
  const { silencedUntil = 0 } = view
  const mayAgain = useIsPast(silencedUntil)
  if (!mayAgain) return 'silenced'
  return may(view, 'post') ? undefined : 'readOnly'
}

export function Barred({ barrier, view }: { readonly barrier: Barrier; readonly view: ConversationView }) {
  const { t, i18n } = useTranslation()
  const [now] = useState(Date.now)
  const isForLong = (view.silencedUntil ?? 0) - now > timerMsMax
  const words =
    barrier === 'readOnly'
      ? t('chat.composer.readOnly')
      : isForLong
        ? t('chat.composer.silenced')
        : t('chat.composer.silencedUntil', { time: briefTimeOf(view.silencedUntil ?? 0, i18n.language) })
  return (
    <p
      role="status"
      className="flex items-center justify-center gap-2 border-t border-line px-4 py-4 text-center text-small text-soft"
    >
      <Icon name="lock" size={18} />
      {words}
    </p>
  )
}
