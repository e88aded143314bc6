/** The list of conversations: search, filters, requests, and the rows, of which few are drawn. */
import type { ConversationItem } from '@flotilla/sdk/state'
import { Link, useNavigate } from '../../app/navigation.tsx'
import { type KeyboardEvent, type ReactNode, useCallback, useRef, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { Button } from '../../ui/button.tsx'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Chips } from '../parts/chips.tsx'
import { nextRow } from '../parts/row-keys.ts'
import { Search } from '../parts/search.tsx'
import { Icon } from '../../ui/icon.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Press } from '../../ui/press.tsx'
import { later, NoPlace } from '../parts/later.tsx'
import { Menu } from '../parts/menu.tsx'
import { choose, type Filter, filters } from './filter.ts'
import { ConversationRow } from './conversation-row.tsx'
import { Connection } from './connection.tsx'

const Bell = later(async () => (await import('../notices/bell.tsx')).Bell, NoPlace)

interface ListProps {
  /** The open one. */
  readonly open: string | undefined
  onNew(): void
  onRequests(): void
  onNotices(): void
  onStarred(): void
  onScheduled(): void
  onThreads(): void
  onReminders(): void
  onSheet(): void
}

export function ConversationList({ open, onNew, onRequests, ...menu }: ListProps) {
  const { t } = useTranslation()
  const { isLoaded, items, archived, requests, joinRequests } = useConversations()
  const [filter, setFilter] = useState<Filter>('all')
  const [search, setSearch] = useState('')
  const [isInArchive, setInArchive] = useState(false)
  const shown = choose(isInArchive ? archived : items, filter, search)
  const asked = requests.length + joinRequests.length
  return (
    <nav aria-label={t('chat.list.label')} data-region className="flex size-full flex-col bg-canvas">
      <Head onNew={onNew} onArchive={() => setInArchive(true)} {...menu} />
      <div className="px-3 pb-2">
        <Search label={t('chat.list.search')} value={search} onChange={setSearch} />
      </div>
      {isInArchive ? (
        <Bar icon="back" isTurned onPress={() => setInArchive(false)}>
          {t('chat.list.archived')}
        </Bar>
      ) : (
        <Chips<Filter>
          label={t('chat.list.filter')}
          value={filter}
          options={filters.map(value => ({ value, text: t(`chat.list.filters.${value}`) }))}
          onChange={setFilter}
        />
      )}
      <div className="min-h-0 grow">
        {!isLoaded ? (
          <Loading />
        ) : shown.length > 0 ? (
          <Rows items={shown} open={open} />
        ) : (
          <Nothing isAll={items.length + archived.length === 0} isInArchive={isInArchive} onNew={onNew} />
        )}
      </div>
      {/* What comes and goes stands below the rows, so that it moves none of them. */}
      {!isInArchive && asked > 0 && (
        <Bar icon="person" onPress={onRequests} count={asked}>
          {t('chat.list.requests')}
        </Bar>
      )}
      <Connection />
    </nav>
  )
}

type HeadProps = Omit<ListProps, 'open' | 'onRequests'> & { onArchive(): void }

function Head({ onNew, onArchive, onNotices, onStarred, onScheduled, onThreads, onReminders, onSheet }: HeadProps) {
  const { t } = useTranslation()
  const { user } = useChat()
  const navigate = useNavigate()
  return (
    <header className="flex h-14 shrink-0 items-center ps-3 pe-2">
      <Link to="/settings" aria-label={t('chat.list.settings')} className="me-1 rounded-full">
        <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={32} />
      </Link>
      {/* Whole, or out of sight in a second line: half a word tells nobody anything. */}
      <div className="flex h-7 min-w-0 grow flex-wrap overflow-hidden ps-1">
        <span className="h-full w-px" />
        <h2 className="text-title leading-7 font-semibold whitespace-nowrap">{t('chat.list.title')}</h2>
      </div>
      <Bell onPress={onNotices} />
      <Link
        to="/contacts"
        aria-label={t('chat.contacts.title')}
        title={t('chat.contacts.title')}
        className="grid size-10 shrink-0 place-items-center rounded-medium text-soft transition-colors hover:bg-hover hover:text-ink"
      >
        <Icon name="people" />
      </Link>
      <IconButton icon="edit" label={t('chat.list.new')} onPress={onNew} />
      <Menu
        label={t('chat.list.more')}
        choices={[
          { id: 'archive', icon: 'archive', label: t('chat.list.archived'), act: onArchive },
          { id: 'threads', icon: 'thread', label: t('chat.threads.title'), act: onThreads },
          { id: 'starred', icon: 'star', label: t('chat.starred.title'), act: onStarred },
          { id: 'scheduled', icon: 'clock', label: t('chat.scheduled.title'), act: onScheduled },
          { id: 'reminders', icon: 'bell', label: t('chat.reminders.title'), act: onReminders },
          { id: 'sheet', icon: 'keyboard', label: t('chat.keys.title'), startsGroup: true, act: onSheet },
          {
            id: 'settings',
            icon: 'settings',
            label: t('chat.list.settings'),
            act: () => navigate({ to: '/settings' }),
          },
        ]}
      >
        <IconButton icon="more" label={t('chat.list.more')} />
      </Menu>
    </header>
  )
}

interface BarProps {
  readonly icon: 'back' | 'person'
  readonly isTurned?: boolean
  readonly count?: number
  readonly children: ReactNode
  onPress(): void
}

function Bar({ icon, isTurned = false, count, children, onPress }: BarProps) {
  return (
    <Press
      onPress={onPress}
      className="mx-2 my-1 flex min-h-10 shrink-0 items-center gap-3 rounded-medium px-3 text-start font-medium hover:bg-hover"
    >
      <Icon name={icon} isTurned={isTurned} className="text-soft" />
      <span className="grow">{children}</span>
      {count !== undefined && (
        <span className="min-w-5 rounded-full bg-accent px-1.5 text-center text-tiny leading-5 font-semibold text-on-accent">
          {count}
        </span>
      )}
    </Press>
  )
}

/** One stop of the Tab key: arrows move in it. */
function Rows({ items, open }: { readonly items: readonly ConversationItem[]; readonly open: string | undefined }) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const [focused, setFocused] = useState<string>()
  const stop = [focused, open].find(id => items.some(item => item.id === id)) ?? items[0]?.id
  const stopAt = items.findIndex(item => item.id === stop)
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      const next = nextRow(event.key, stopAt, items.length)
      const item = next === undefined || event.altKey ? undefined : items[next]
      if (item === undefined) return
      event.preventDefault()
      setFocused(item.id)
      list.current?.scrollToIndex(next!, { align: 'nearest' })
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-conversation="${item.id}"]`)?.focus(),
      )
    },
    [items, stopAt],
  )
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it hears the arrow keys of its rows
    <div
      ref={scroller}
      role="group"
      aria-label={t('chat.list.rows')}
      onKeyDown={onKeyDown}
      onFocus={event => setFocused((event.target as HTMLElement).dataset['conversation'])}
      data-conversations
      className="h-full overflow-y-auto overscroll-contain pb-2"
    >
      <Virtualizer ref={list} data={items} scrollRef={scroller} keepMounted={stopAt < 0 ? [] : [stopAt]}>
        {item => <ConversationRow key={item.id} item={item} isOpen={item.id === open} isStop={item.id === stop} />}
      </Virtualizer>
    </div>
  )
}

const skeletons = [68, 44, 56, 38, 60, 50]

/** As high as the rows that come. */
function Loading() {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('chat.loading')} className="late">
      {skeletons.map((width, nth) => (
        <div key={nth} className="mx-2 flex h-(--row) items-center gap-3 px-2">
          <span className="size-11 rounded-full bg-hover" />
          <span className="grid grow gap-2">
            <span className="h-3 rounded-full bg-hover" style={{ width: `${width}%` }} />
            <span className="h-3 w-4/5 rounded-full bg-hover" />
          </span>
        </div>
      ))}
    </div>
  )
}

interface NothingProps {
  readonly isAll: boolean
  readonly isInArchive: boolean
  onNew(): void
}

function Nothing({ isAll, isInArchive, onNew }: NothingProps) {
  const { t } = useTranslation()
  const words = isInArchive ? 'emptyArchive' : isAll ? 'empty' : 'noMatch'
  return (
    <div className="grid justify-items-center gap-3 px-6 py-12 text-center text-soft">
      <Icon name={isAll ? 'thread' : 'search'} size={32} />
      <p className="text-balance">{t(`chat.list.${words}`)}</p>
      {isAll && <Button onPress={onNew}>{t('chat.list.new')}</Button>}
    </div>
  )
}
