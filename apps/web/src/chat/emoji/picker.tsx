/** Every emoji, by groups and by search. A chunk of its own, as is its data. */
import { type KeyboardEvent, use, useMemo, useRef, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Search } from '../parts/search.tsx'
import { type Emoji, groups, loadEmoji, matchEmoji, recentEmoji, remember } from './data.ts'

const foundMax = 64
const columns = 8

export default function Picker({ onPick }: { onPick(emoji: string): void }) {
  const { t, i18n } = useTranslation()
  const all = use(useMemo(() => loadEmoji(i18n.language), [i18n.language]))
  const [search, setSearch] = useState('')
  const [group, setGroup] = useState<(typeof groups)[number]['id'] | 'recent'>(
    recentEmoji().length > 0 ? 'recent' : 'smileys',
  )
  const shown = useMemo(() => choose(all, search, group), [all, search, group])
  const pick = (emoji: string) => {
    remember(emoji)
    onPick(emoji)
  }
  const tabs = [{ id: 'recent', shown: '🕘' } as const, ...groups]
  return (
    <>
      <div className="p-2 pb-1">
        <Search
          label={t('chat.emoji.search')}
          value={search}
          autoFocus
          onChange={setSearch}
          onKeyDown={event => {
            if (event.key !== 'Enter' || shown[0] === undefined) return
            event.preventDefault()
            pick(shown[0].emoji)
          }}
        />
      </div>
      <div role="group" aria-label={t('chat.emoji.groups')} className="flex justify-between px-2">
        {tabs.map(({ id, shown }) => (
          <button
            key={id}
            type="button"
            aria-label={t(`chat.emoji.group.${id}`)}
            title={t(`chat.emoji.group.${id}`)}
            aria-pressed={search === '' && group === id}
            onClick={() => {
              setSearch('')
              setGroup(id)
            }}
            className="grid size-7 place-items-center rounded-small grayscale hover:bg-hover aria-pressed:bg-accent-soft aria-pressed:grayscale-0"
          >
            {shown}
          </button>
        ))}
      </div>
      <Grid emoji={shown} onPick={pick} />
    </>
  )
}

function choose(all: readonly Emoji[], search: string, group: string): readonly Emoji[] {
  if (search.trim() !== '') return matchEmoji(all, search, foundMax)
  if (group === 'recent') {
    const recent = recentEmoji()
    return recent.flatMap(emoji => all.find(one => one.emoji === emoji) ?? [])
  }
  const numbers: readonly number[] = groups.find(({ id }) => id === group)?.numbers ?? []
  return all.filter(one => numbers.includes(one.group))
}

/** One stop of the Tab key: arrows move in it. */
function Grid({ emoji, onPick }: { readonly emoji: readonly Emoji[]; onPick(emoji: string): void }) {
  const { t, i18n } = useTranslation()
  const [at, setAt] = useState(0)
  const grid = useRef<HTMLDivElement>(null)
  const forward = i18n.dir() === 'rtl' ? -1 : 1
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: forward,
      ArrowLeft: -forward,
      ArrowDown: columns,
      ArrowUp: -columns,
    }
    const step = steps[event.key]
    const next = step === undefined ? -1 : at + step
    if (next < 0 || next >= emoji.length) return
    event.preventDefault()
    setAt(next)
    grid.current?.querySelectorAll('button')[next]?.focus()
  }
  if (emoji.length === 0)
    return <p className="grid h-56 place-items-center text-small text-soft">{t('chat.emoji.none')}</p>
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it hears the arrow keys of its buttons
    <div
      ref={grid}
      role="group"
      aria-label={t('chat.emoji.title')}
      onKeyDown={onKeyDown}
      className="grid h-56 grid-cols-8 content-start overflow-y-auto p-2"
    >
      {emoji.map(({ emoji: one, name }, nth) => (
        <button
          key={one}
          type="button"
          aria-label={name}
          title={name}
          tabIndex={nth === Math.min(at, emoji.length - 1) ? 0 : -1}
          onFocus={() => setAt(nth)}
          onClick={() => onPick(one)}
          className="grid aspect-square place-items-center rounded-small text-[1.375rem] leading-none hover:bg-hover"
        >
          {one}
        </button>
      ))}
    </div>
  )
}
