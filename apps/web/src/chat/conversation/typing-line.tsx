/**
 * Who is writing now, else how slowly one may: a line that is always there, so that nothing moves when somebody begins.
 */
import type { ConversationView } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { useTyping, useUser } from '@flotilla/react'
import { slowModeMsOf } from '../access.ts'
import { lengthOfTime } from '../format.ts'

export function TypingLine({ view, isShown }: { readonly view: ConversationView; readonly isShown: boolean }) {
  const { t, i18n } = useTranslation()
  const typing = useTyping(view.id)
  const [first] = typing
  const pauseMs = slowModeMsOf(view)
  return (
    <p className="mx-auto h-5 w-full max-w-4xl shrink-0 truncate px-4 text-tiny leading-5 text-soft" data-typing>
      {isShown && first !== undefined ? (
        <Typists first={first} others={typing.length - 1} />
      ) : (
        pauseMs > 0 && t('chat.composer.slow', { length: lengthOfTime(pauseMs, i18n.language) })
      )}
    </p>
  )
}

function Typists({ first, others }: { readonly first: string; readonly others: number }) {
  const { t } = useTranslation()
  return t('chat.list.typingIn', { name: useUser(first)?.displayName ?? '…', count: others })
}
