/** Who is writing now: a line that is always there, so that nothing moves when somebody begins. */
import { useTranslation } from '../../text/translate.ts'
import { useTyping, useUser } from '@flotilla/react'

export function TypingLine({ conversation, isShown }: { readonly conversation: string; readonly isShown: boolean }) {
  const typing = useTyping(conversation)
  const [first] = typing
  return (
    <p className="mx-auto h-5 w-full max-w-4xl shrink-0 truncate px-4 text-tiny leading-5 text-soft" data-typing>
      {isShown && first !== undefined && <Typists first={first} others={typing.length - 1} />}
    </p>
  )
}

function Typists({ first, others }: { readonly first: string; readonly others: number }) {
  const { t } = useTranslation()
  return t('chat.list.typingIn', { name: useUser(first)?.displayName ?? '…', count: others })
}
