/** Finds people by name, and keeps those that were chosen. */
import type { User } from '@flotilla/sdk'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { matchPeople } from '../composer/complete.ts'
import { Avatar } from './avatar.tsx'
import { Search } from './search.tsx'
import { Icon } from '../../ui/icon.tsx'

/** A search is asked for once the typing rests. */
const restMs = 250
const knownMax = 8

export function usePeople(search: string): { readonly people: readonly User[]; readonly isLoading: boolean } {
  const { client, user } = useChat()
  const { items } = useConversations()
  const text = useRested(search.trim().replace(/^@/, ''))
  const { data, isFetching } = useQuery({
    queryKey: ['people', text],
    queryFn: () => client.rest.people.search(text),
    enabled: text !== '',
  })
  const known = items.flatMap(item => (item.other === undefined ? [] : [item.other]))
  const near = search === '' ? known.slice(0, knownMax) : matchPeople(known, search)
  const found = text === '' ? [] : (data?.users ?? [])
  const people = [...near, ...found.filter(one => !near.some(({ id }) => id === one.id))].filter(
    one => one.id !== user.id,
  )
  return { people, isLoading: isFetching || text !== search.trim().replace(/^@/, '') }
}

function useRested(text: string): string {
  const [rested, setRested] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), restMs)
    return () => clearTimeout(timer)
  }, [text])
  return rested
}

interface PickerProps {
  readonly chosen: readonly User[]
  /** Who is not to be found: they are there already. */
  readonly without?: readonly string[]
  onChange(chosen: readonly User[]): void
}

export function PeoplePicker({ chosen, without = [], onChange }: PickerProps) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const { people, isLoading } = usePeople(search)
  const isChosen = (person: User) => chosen.some(({ id }) => id === person.id)
  const press = (person: User) => {
    onChange(isChosen(person) ? chosen.filter(({ id }) => id !== person.id) : [...chosen, person])
    setSearch('')
  }
  const shown = people.filter(({ id }) => !without.includes(id))
  return (
    <div>
      {chosen.length > 0 && (
        <ul aria-label={t('late.new.chosen')} className="mb-2 flex flex-wrap gap-1.5">
          {chosen.map(person => (
            <li key={person.id}>
              <button
                type="button"
                title={t('late.new.unchoose', { name: person.displayName })}
                onClick={() => press(person)}
                className="flex h-8 items-center gap-1.5 rounded-full bg-accent-soft ps-1 pe-2 text-small"
              >
                <Avatar id={person.id} name={person.displayName} picture={person.avatar} size={24} />
                <bdi>{person.displayName}</bdi>
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Search label={t('late.new.search')} value={search} autoFocus onChange={setSearch} />
      <PeopleList people={shown} isLoading={isLoading} search={search} isChosen={isChosen} onPress={press} />
    </div>
  )
}

interface PeopleListProps {
  readonly people: readonly User[]
  readonly isLoading: boolean
  readonly search: string
  isChosen?(person: User): boolean
  onPress(person: User): void
}

export function PeopleList({ people, isLoading, search, isChosen, onPress }: PeopleListProps) {
  const { t } = useTranslation()
  return (
    <ul
      aria-label={t('late.new.people')}
      aria-busy={isLoading}
      className="mt-2 grid h-64 content-start overflow-y-auto"
    >
      {people.map(person => (
        <li key={person.id}>
          <button
            type="button"
            aria-pressed={isChosen?.(person)}
            onClick={() => onPress(person)}
            className="flex min-h-12 w-full items-center gap-3 rounded-medium px-2 text-start hover:bg-hover"
          >
            <Avatar id={person.id} name={person.displayName} picture={person.avatar} size={36} />
            <span className="grid min-w-0 grow grid-cols-[minmax(0,1fr)]">
              <span className="truncate leading-tight">
                <bdi>{person.displayName}</bdi>
              </span>
              <span className="truncate text-tiny text-soft">
                <bdi>@{person.username}</bdi>
              </span>
            </span>
            {isChosen?.(person) === true && <Icon name="check" className="text-accent" />}
          </button>
        </li>
      ))}
      {people.length === 0 && (
        <li className="px-2 py-6 text-center text-small text-balance text-soft">
          {isLoading ? t('chat.loading') : t(search.trim() === '' ? 'late.new.hint' : 'late.new.nobody')}
        </li>
      )}
    </ul>
  )
}
