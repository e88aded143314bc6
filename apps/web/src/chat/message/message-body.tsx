/** What a message says, by its type: text, a poll, a place, a card; and what a later version may know, by its words. */
import { bodyAs, mentionsOf } from '@flotilla/sdk'
import type { MessageRow } from '@flotilla/sdk/state'
import { type ReactNode, useCallback, useMemo } from 'react'
import { everyone } from '../composer/complete.ts'
import { useConversationContext } from '../conversation/context.ts'
import { useChat } from '../hooks.ts'
import { ContactCard } from './contact-card.tsx'
import { Place } from './place.tsx'
import { isFewEmoji, Markup, type Named } from './markup.tsx'
import { PollCard } from './poll-card.tsx'

interface BodyProps {
  readonly message: MessageRow
  readonly isActive: boolean
  /** At the end of it: the time. */
  readonly meta: ReactNode
}

export function MessageBody({ message, isActive, meta }: BodyProps) {
  const { body } = message
  const location = bodyAs('location', body)
  if (location !== undefined) return <Place location={location} isActive={isActive} meta={meta} />
  const contact = bodyAs('contact', body)
  if (contact !== undefined) return <ContactCard contact={contact} isActive={isActive} meta={meta} />
  const poll = bodyAs('poll', body)
  if (poll !== undefined) return <PollCard message={message} poll={poll} isActive={isActive} meta={meta} />
  const text = bodyAs('text', body)?.text ?? ('fallback' in body ? body.fallback : '')
  return <Text text={text} message={message} meta={meta} />
}

function Text({
  text,
  message,
  meta,
}: {
  readonly text: string
  readonly message: MessageRow
  readonly meta: ReactNode
}) {
  const named = useNamed(message)
  return (
    <div className="flow-root" data-text>
      <Markup text={text} named={named} tail={meta} isLarge={isFewEmoji(text)} />
    </div>
  )
}

/** Only those count whom the message mentions by their ids: anybody can write a name. */
function useNamed({ body }: MessageRow): Named {
  const { user } = useChat()
  const { view } = useConversationContext()
  const mentions = mentionsOf(body)
  const names = useMemo(
    () =>
      new Set(
        (view?.members ?? []).filter(one => mentions.includes(one.user.id)).map(one => one.user.username.toLowerCase()),
      ),
    [view?.members, mentions],
  )
  const isMine = mentions.includes(user.id)
  const isAll = 'mentionsAll' in body && body.mentionsAll
  const { username } = user
  return useCallback(
    (name: string) => {
      const lower = name.toLowerCase()
      if (isMine && lower === username.toLowerCase()) return 'me'
      if (isAll && lower === everyone) return 'me'
      return names.has(lower) ? 'other' : undefined
    },
    [names, isMine, isAll, username],
  )
}
