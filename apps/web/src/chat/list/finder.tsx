/** Finds a conversation, or a person to begin one with, by a few letters and Enter. */
import { useNavigate } from '../../app/navigation.tsx'
import { type KeyboardEvent, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useTell } from '../../app/use-tell.ts'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Search } from '../parts/search.tsx'
import { usePeople } from '../parts/people-picker.tsx'
import { choose } from './filter.ts'

const shownMax = 12

export function Finder({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const navigate = useNavigate()
  const { items, archived } = useConversations()
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState(0)
  const { people } = usePeople(search)
  const open = (conversation: string) => {
    onClose()
    navigate({ to: '/c/$conversation', params: { conversation } })
  }
  const found = choose([...items, ...archived], 'all', search).slice(0, shownMax)
  const others = search.trim() === '' ? [] : people.filter(({ id }) => !found.some(item => item.other?.id === id))
  const all = [
    ...found.map(item => ({
      id: item.id,
      picture: { id: item.other?.id ?? item.id, name: item.name, picture: item.avatar ?? null },
      note: item.other === undefined ? '' : `@${item.other.username}`,
      act: () => open(item.id),
    })),
    ...others.map(person => ({
      id: person.id,
      picture: { id: person.id, name: person.displayName, picture: person.avatar },
      note: t('late.find.begin'),
      act: () => void tell(client.rest.createDirect(person.id).then(({ id }) => open(id))),
    })),
  ]
  const at = Math.min(chosen, all.length - 1)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step === 0 && event.key !== 'Enter') return
    event.preventDefault()
    if (step === 0) return all[at]?.act()
    setChosen((at + step + all.length) % Math.max(1, all.length))
  }
  return (
    <Dialog title={t('late.find.title')} onClose={onClose}>
      <Search
        label={t('late.find.label')}
        value={search}
        autoFocus
        onKeyDown={onKeyDown}
        onChange={text => {
          setSearch(text)
          setChosen(0)
        }}
      />
      <div role="listbox" aria-label={t('late.find.title')} className="mt-2 grid h-80 content-start overflow-y-auto">
        {all.map(({ id, picture, note, act }, nth) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the keys are those of the field above
          <div
            key={id}
            role="option"
            aria-selected={nth === at}
            onPointerMove={() => setChosen(nth)}
            onClick={act}
            className="flex min-h-12 cursor-pointer items-center gap-3 rounded-medium px-2 aria-selected:bg-hover"
          >
            <Avatar size={36} {...picture} />
            <span className="min-w-0 grow truncate">
              <bdi>{picture.name}</bdi>
            </span>
            <bdi className="shrink-0 text-small text-soft">{note}</bdi>
          </div>
        ))}
        {all.length === 0 && <p className="py-6 text-center text-small text-soft">{t('chat.list.noMatch')}</p>}
      </div>
    </Dialog>
  )
}
