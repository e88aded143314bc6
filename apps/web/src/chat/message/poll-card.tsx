/** A question to everybody: its answers, how they stand, and one's own vote. */
import type { PollBody } from '@flotilla/sdk'
import type { MessageRow } from '@flotilla/sdk/state'
import { type ReactNode, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { isManager } from '../access.ts'
import { useConversationContext } from '../conversation/context.ts'
import { useTell } from '../../app/use-tell.ts'
import { briefTimeOf, numberOf } from '../format.ts'
import { useChat, useIsPast } from '../hooks.ts'
import { Icon } from '../../ui/icon.tsx'

interface PollProps {
  readonly message: MessageRow
  readonly poll: PollBody
  readonly isActive: boolean
  readonly meta: ReactNode
}

export function PollCard({ message, poll, isActive, meta }: PollProps) {
  const { t, i18n } = useTranslation()
  const { openDetails, view } = useConversationContext()
  const { mine, isClosed, vote, close } = useVoting(message, poll)
  const [marked, setMarked] = useState<readonly number[]>()
  const chosen = marked ?? mine ?? []
  const voters = message.poll?.voters ?? 0
  const isFixed = isClosed || message.seq === undefined || (poll.final === true && mine !== undefined)
  const press = (option: number) => {
    const next = chosen.includes(option) ? chosen.filter(one => one !== option) : [...chosen, option]
    if (poll.multiple === true) setMarked(next)
    else vote(chosen.includes(option) && poll.final !== true ? [] : [option])
  }
  return (
    <div className="flow-root w-72 max-w-full">
      <p dir="auto" className="font-medium">
        {poll.question}
      </p>
      <p className="mb-1.5 text-small text-soft">{useKind(poll, isClosed)}</p>
      <div role="group" aria-label={poll.question} className="grid gap-1">
        {poll.options.map((option, nth) => (
          <Option
            key={nth}
            text={option}
            count={message.poll?.counts[nth] ?? 0}
            voters={voters}
            isChosen={chosen.includes(nth)}
            isFixed={isFixed}
            isActive={isActive}
            onPress={() => press(nth)}
          />
        ))}
      </div>
      {marked !== undefined && (
        <div className="mt-1.5">
          <Button
            look="secondary"
            wide
            onPress={() => {
              vote(marked)
              setMarked(undefined)
            }}
          >
            {t('chat.poll.vote')}
          </Button>
        </div>
      )}
      <p className="mt-1 flex flex-wrap items-center gap-x-2 text-small text-soft">
        {t('chat.poll.voters', { count: voters })}
        {poll.closesAt !== undefined && !isClosed && (
          <span>{t('chat.poll.closesAt', { time: briefTimeOf(poll.closesAt, i18n.language) })}</span>
        )}
        {poll.anonymous !== true && voters > 0 && (
          <button
            type="button"
            tabIndex={isActive ? 0 : -1}
            className="font-medium text-accent"
            onClick={() => openDetails(message)}
          >
            {t('chat.poll.who')}
          </button>
        )}
        {!isClosed && message.seq !== undefined && (message.own || isManager(view)) && (
          <button type="button" tabIndex={isActive ? 0 : -1} className="font-medium text-accent" onClick={close}>
            {t('chat.poll.close')}
          </button>
        )}
      </p>
      {meta}
    </div>
  )
}

function useKind(poll: PollBody, isClosed: boolean): string {
  const { t } = useTranslation()
  return [
    t(isClosed ? 'chat.poll.closed' : poll.multiple === true ? 'chat.poll.multiple' : 'chat.poll.single'),
    ...(poll.anonymous === true ? [t('chat.poll.anonymous')] : []),
    ...(poll.final === true && !isClosed ? [t('chat.poll.final')] : []),
  ].join(' · ')
}

/** One's own vote is shown at once, and taken back where it is refused. */
function useVoting(message: MessageRow, poll: PollBody) {
  const { client } = useChat()
  const { id } = useConversationContext()
  const tell = useTell()
  const [given, setGiven] = useState<readonly number[]>()
  const isPast = useIsPast(poll.closesAt ?? Number.POSITIVE_INFINITY)
  const { seq } = message
  return {
    mine: given ?? message.poll?.mine,
    isClosed: message.poll?.closed === true || isPast,
    vote(options: readonly number[]) {
      if (seq === undefined) return
      setGiven(options)
      void tell(client.vote(id, seq, options).acknowledged).then(isDone => {
        if (!isDone) setGiven(undefined)
      })
    },
    close() {
      if (seq !== undefined) void tell(client.closePoll(id, seq).acknowledged)
    },
  }
}

interface OptionProps {
  readonly text: string
  readonly count: number
  readonly voters: number
  readonly isChosen: boolean
  readonly isFixed: boolean
  readonly isActive: boolean
  onPress(): void
}

function Option({ text, count, voters, isChosen, isFixed, isActive, onPress }: OptionProps) {
  const { i18n } = useTranslation()
  const share = voters === 0 ? 0 : Math.round((count / voters) * 100)
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      disabled={isFixed}
      tabIndex={isActive ? 0 : -1}
      onClick={onPress}
      className="relative flex min-h-9 items-center gap-2 overflow-hidden rounded-small border border-line bg-canvas px-2 py-1 text-start enabled:hover:border-line-strong aria-pressed:border-accent"
    >
      <span className="absolute inset-y-0 start-0 bg-accent-soft" style={{ inlineSize: `${share}%` }} />
      <span
        className={`relative grid size-4.5 shrink-0 place-items-center rounded-full border ${isChosen ? 'border-accent bg-accent text-on-accent' : 'border-line-strong'}`}
      >
        {isChosen && <Icon name="check" size={13} />}
      </span>
      <bdi className="relative grow">{text}</bdi>
      <span className="relative text-small text-soft tabular-nums">{numberOf(count, i18n.language)}</span>
    </button>
  )
}
