/** What the word at the caret may become: people, or emoji. The field keeps the focus; keys choose. */
import type { User } from '@flotilla/sdk'
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useMemo, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { type Emoji, loadEmoji, matchEmoji } from '../emoji/data.ts'
import { Avatar } from '../parts/avatar.tsx'
import { everyone, matchPeople, plain, type Query } from './complete.ts'

export interface CompletionsHandle {
  /** @returns whether the key was for the list */
  press(key: string): boolean
}

interface Option {
  readonly id: string
  /** What is written. */
  readonly words: string
  readonly shown: ReactNode
}

interface CompletionsProps {
  readonly query: Query
  readonly people: readonly User[]
  readonly mayMentionAll: boolean
  readonly ref: Ref<CompletionsHandle>
  onTake(words: string): void
  onNone(): void
}

const emojiMax = 8

export function Completions({ query, people, mayMentionAll, ref, onTake, onNone }: CompletionsProps) {
  const { t } = useTranslation()
  const emoji = useEmoji(query)
  const options = useMemo(
    () =>
      query.trigger === ':'
        ? emojiOptions(emoji, query)
        : [...peopleOptions(people, query), ...everyoneOption(mayMentionAll, query, t('chat.composer.everyone'))],
    [query, people, emoji, mayMentionAll, t],
  )
  const [chosen, setChosen] = useState(0)
  const at = Math.min(chosen, Math.max(0, options.length - 1))
  useImperativeHandle(ref, () => ({
    press(key) {
      const option = options[at]
      if (option === undefined) return false
      switch (key) {
        case 'ArrowDown':
          setChosen((at + 1) % options.length)
          return true
        case 'ArrowUp':
          setChosen((at + options.length - 1) % options.length)
          return true
        case 'Enter':
        case 'Tab':
          onTake(option.words)
          return true
        case 'Escape':
          onNone()
          return true
        default:
          return false
      }
    },
  }))
  if (options.length === 0) return null
  return (
    <div
      role="listbox"
      aria-label={t(query.trigger === '@' ? 'chat.composer.people' : 'chat.emoji.title')}
      className="absolute inset-x-3 bottom-full z-20 mb-1 max-h-80 max-w-sm overflow-y-auto rounded-medium border border-line bg-raised p-1 shadow-float"
    >
      {options.map((option, nth) => (
        <div
          key={option.id}
          role="option"
          aria-selected={nth === at}
          onPointerMove={() => setChosen(nth)}
          onPointerDown={event => {
            // The field keeps the focus.
            event.preventDefault()
            onTake(option.words)
          }}
          className="flex min-h-9 cursor-default items-center gap-2.5 rounded-small px-2 py-1 aria-selected:bg-hover"
        >
          {option.shown}
        </div>
      ))}
    </div>
  )
}

function useEmoji({ trigger }: Query): readonly Emoji[] {
  const { i18n } = useTranslation()
  const [emoji, setEmoji] = useState<readonly Emoji[]>([])
  useEffect(() => {
    if (trigger !== ':') return
    // Without the data nothing is completed.
    loadEmoji(i18n.language).then(setEmoji, () => {})
  }, [trigger, i18n.language])
  return emoji
}

const emojiOptions = (all: readonly Emoji[], { text }: Query): Option[] =>
  matchEmoji(all, text, emojiMax).map(({ emoji, name }) => ({
    id: emoji,
    words: emoji,
    shown: (
      <>
        <span className="text-[1.25rem] leading-none">{emoji}</span>
        <span className="truncate">{name}</span>
      </>
    ),
  }))

const peopleOptions = (people: readonly User[], { text }: Query): Option[] =>
  matchPeople(people, text).map(({ id, username, displayName, avatar }) => ({
    id,
    words: `@${username}`,
    shown: (
      <>
        <Avatar id={id} name={displayName} picture={avatar} size={24} />
        <span className="truncate font-medium">
          <bdi>{displayName}</bdi>
        </span>
        <span className="truncate text-small text-soft">
          <bdi>@{username}</bdi>
        </span>
      </>
    ),
  }))

const everyoneOption = (may: boolean, { text }: Query, words: string): Option[] =>
  may && everyone.startsWith(plain(text))
    ? [
        {
          id: everyone,
          words: `@${everyone}`,
          shown: (
            <>
              <Avatar id={everyone} name="@" size={24} />
              <span className="font-medium">@{everyone}</span>
              <span className="truncate text-small text-soft">{words}</span>
            </>
          ),
        },
      ]
    : []
