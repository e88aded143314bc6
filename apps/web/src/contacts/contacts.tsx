/** The contacts by name, with who is here now. Few are drawn of many, so that few are watched. */
import type { User } from '@flotilla/sdk'
import { usePresence, useUser } from '@flotilla/react'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useNavigate } from '../app/navigation.tsx'
import { useTell } from '../app/use-tell.ts'
import { plain } from '../chat/composer/complete.ts'
import { useChat } from '../chat/hooks.ts'
import { Avatar } from '../chat/parts/avatar.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { choices, Menu } from '../chat/parts/menu.tsx'
import { ReportDialog } from '../chat/parts/report-dialog.tsx'
import { nextRow } from '../chat/parts/row-keys.ts'
import { Search } from '../chat/parts/search.tsx'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'

interface ContactsProps {
  readonly contacts: readonly User[]
  onAdd(): void
}

export function Contacts({ contacts, onAdd }: ContactsProps) {
  const { t, i18n } = useTranslation()
  const [search, setSearch] = useState('')
  const shown = useMemo(() => {
    const words = plain(search).split(/\s+/).filter(Boolean)
    const { compare } = new Intl.Collator(i18n.language)
    return contacts
      .filter(({ username, displayName }) => {
        const names = plain(`${displayName} ${username}`).split(/[\s\-_.@]+/)
        return words.every(word => names.some(name => name.startsWith(word)))
      })
      .sort((one, other) => compare(one.displayName, other.displayName))
  }, [contacts, search, i18n.language])
  if (contacts.length === 0)
    return (
      <div className="grid justify-items-center gap-3 px-6 py-12 text-center text-soft">
        <Icon name="people" size={32} />
        <p className="text-balance">{t('late.contacts.none')}</p>
        <Button onPress={onAdd}>{t('late.contacts.add')}</Button>
      </div>
    )
  return (
    <>
      <div className="px-3 pb-2">
        <Search label={t('late.contacts.search')} value={search} onChange={setSearch} />
      </div>
      {shown.length === 0 ? (
        <p className="px-6 py-12 text-center text-soft">{t('late.contacts.noMatch')}</p>
      ) : (
        <Rows contacts={shown} />
      )}
    </>
  )
}

/** One stop of the Tab key, and its menu another: arrows move in it. */
function Rows({ contacts }: { readonly contacts: readonly User[] }) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const [focused, setFocused] = useState<string>()
  const stopAt = Math.max(
    0,
    contacts.findIndex(({ id }) => id === focused),
  )
  const onKeyDown = (event: KeyboardEvent) => {
    const next = nextRow(event.key, stopAt, contacts.length)
    const contact = next === undefined || event.altKey ? undefined : contacts[next]
    if (contact === undefined) return
    event.preventDefault()
    setFocused(contact.id)
    list.current?.scrollToIndex(next!, { align: 'nearest' })
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-contact="${contact.id}"]`)?.focus())
  }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it hears the arrow keys of its rows
    <div
      ref={scroller}
      role="group"
      aria-label={t('chat.contacts.title')}
      onKeyDown={onKeyDown}
      className="min-h-0 grow overflow-y-auto overscroll-contain pb-2"
    >
      <Virtualizer ref={list} data={contacts} scrollRef={scroller} keepMounted={[stopAt]}>
        {(contact, nth) => (
          <Row key={contact.id} contact={contact} isStop={nth === stopAt} onFocus={() => setFocused(contact.id)} />
        )}
      </Virtualizer>
    </div>
  )
}

interface RowProps {
  readonly contact: User
  readonly isStop: boolean
  onFocus(): void
}

function Row({ contact, isStop, onFocus }: RowProps) {
  const { t } = useTranslation()
  const known = useUser(contact.id)
  const isOnline = usePresence(contact.id)
  const { id, displayName, username, avatar } = known ?? contact
  const write = useWrite(id)
  return (
    <div className="flex items-center gap-1 px-2">
      <button
        type="button"
        data-contact={id}
        tabIndex={isStop ? 0 : -1}
        onFocus={onFocus}
        onClick={write}
        className="flex h-(--row) min-w-0 grow items-center gap-3 rounded-medium px-2 text-start hover:bg-hover focus-visible:-outline-offset-2"
      >
        <Avatar id={id} name={displayName} picture={avatar} size={44} isOnline={isOnline === true} />
        <span className="grid min-w-0 grow grid-cols-[minmax(0,1fr)]">
          <span className="truncate font-medium">
            <bdi>{displayName}</bdi>
          </span>
          <span className="truncate text-small text-soft">
            <bdi>@{username}</bdi>
            {isOnline !== undefined && <> · {t(`chat.conversation.${isOnline ? 'online' : 'offline'}`)}</>}
          </span>
        </span>
      </button>
      <ContactMenu user={known ?? contact} isStop={isStop} write={write} />
    </div>
  )
}

function useWrite(user: string): () => void {
  const { client } = useChat()
  const tell = useTell()
  const navigate = useNavigate()
  return () =>
    void tell(
      client.rest
        .createDirect(user)
        .then(({ id }) => navigate({ to: '/c/$conversation', params: { conversation: id } })),
    )
}

interface MenuProps {
  readonly user: User
  readonly isStop: boolean
  write(): void
}

function ContactMenu({ user: { id, displayName: name }, isStop, write }: MenuProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [asked, setAsked] = useState<'remove' | 'block' | 'report'>()
  const close = () => setAsked(undefined)
  const label = t('chat.list.actionsFor', { name })
  const all = choices(
    { id: 'write', icon: 'thread', label: t('late.contacts.write'), act: write },
    {
      id: 'remove',
      icon: 'trash',
      label: t('late.contacts.remove'),
      isDanger: true,
      startsGroup: true,
      act: () => setAsked('remove'),
    },
    { id: 'block', icon: 'lock', label: t('late.person.block'), isDanger: true, act: () => setAsked('block') },
    { id: 'report', icon: 'alert', label: t('chat.message.report'), isDanger: true, act: () => setAsked('report') },
  )
  return (
    <>
      <Menu label={label} choices={all}>
        <IconButton icon="more" label={label} tabIndex={isStop ? 0 : -1} />
      </Menu>
      {asked === 'remove' && (
        <Confirm
          title={t('late.contacts.removeTitle', { name })}
          text={t('late.contacts.removeText')}
          action={t('late.contacts.remove')}
          onClose={close}
          onConfirm={() => void tell(client.rest.contacts.remove(id))}
        />
      )}
      {asked === 'block' && (
        <Confirm
          title={t('late.person.blockTitle', { name })}
          text={t('late.person.blockText')}
          action={t('late.person.block')}
          onClose={close}
          onConfirm={() => void tell(client.rest.blocks.block(id))}
        />
      )}
      {asked === 'report' && <ReportDialog user={id} onClose={close} />}
    </>
  )
}
