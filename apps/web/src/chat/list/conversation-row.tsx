/** One conversation in the list: who, what was said last, what waits, and what one may do with it. */
import type { ConversationItem } from '@flotilla/sdk/state'
import { Link } from '../../app/navigation.tsx'
import { memo, useRef, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { badgeOf, listTimeOf, wholeTimeOf } from '../format.ts'
import { usePresence, useTyping, useUser } from '@flotilla/react'
import { Avatar } from '../parts/avatar.tsx'
import { Icon } from '../../ui/icon.tsx'
import { FloatingMenu } from '../parts/menu.tsx'
import { useConversationChoices } from './conversation-choices.ts'

interface RowProps {
  readonly item: ConversationItem
  readonly isOpen: boolean
  readonly isStop: boolean
}

export const ConversationRow = memo(function ConversationRow({ item, isOpen, isStop }: RowProps) {
  const { t } = useTranslation()
  const [isMenuOpen, setMenuOpen] = useState(false)
  const row = useRef<HTMLAnchorElement>(null)
  return (
    <>
      <Link
        ref={row}
        to="/c/$conversation"
        params={{ conversation: item.id }}
        data-conversation={item.id}
        tabIndex={isStop ? 0 : -1}
        aria-current={isOpen ? 'page' : undefined}
        onContextMenu={event => {
          event.preventDefault()
          setMenuOpen(true)
        }}
        onKeyDown={event => {
          if (event.key !== 'ContextMenu' && !(event.key === 'F10' && event.shiftKey)) return
          event.preventDefault()
          setMenuOpen(true)
        }}
        className="mx-2 flex h-(--row) items-center gap-3 rounded-medium px-2 transition-colors hover:bg-hover focus-visible:-outline-offset-2 aria-[current=page]:edged aria-[current=page]:bg-accent-soft"
      >
        <Picture item={item} />
        <span className="flex min-w-0 grow flex-col gap-px">
          <span className="flex items-baseline gap-2">
            <bdi className={`min-w-0 truncate ${isWaiting(item) ? 'font-semibold' : 'font-medium'}`}>{item.name}</bdi>
            {item.muted && <Icon name="bellOff" size={14} className="self-center text-soft" />}
            <Moment item={item} />
          </span>
          <span className="flex items-center gap-2">
            <Preview item={item} />
            <Badges item={item} />
          </span>
        </span>
      </Link>
      {isMenuOpen && (
        <RowMenu
          item={item}
          at={row}
          label={t('chat.list.actionsFor', { name: item.name })}
          onClose={() => setMenuOpen(false)}
        />
      )}
    </>
  )
})

const isWaiting = (item: ConversationItem) => item.unread > 0 || item.markedUnread

function RowMenu({
  item,
  at,
  label,
  onClose,
}: {
  item: ConversationItem
  at: React.RefObject<HTMLAnchorElement | null>
  label: string
  onClose(): void
}) {
  const all = useConversationChoices(item)
  return <FloatingMenu at={at} label={label} choices={all} placement="bottom" onClose={onClose} />
}

function Picture({ item }: { readonly item: ConversationItem }) {
  const picture = item.avatar === undefined ? {} : { picture: item.avatar }
  if (item.other === undefined) return <Avatar id={item.id} name={item.name} size={44} {...picture} />
  return <PersonPicture id={item.other.id} name={item.name} {...picture} />
}

function PersonPicture({
  id,
  name,
  picture,
}: {
  readonly id: string
  readonly name: string
  readonly picture?: string
}) {
  const isOnline = usePresence(id) === true
  return <Avatar id={id} name={name} size={44} isOnline={isOnline} {...(picture === undefined ? {} : { picture })} />
}

function Moment({ item: { last } }: { readonly item: ConversationItem }) {
  const { i18n } = useTranslation()
  if (last === undefined) return null
  return (
    <time
      dateTime={new Date(last.at).toISOString()}
      title={wholeTimeOf(last.at, i18n.language)}
      className="ms-auto shrink-0 text-tiny text-soft"
    >
      {listTimeOf(last.at, i18n.language)}
    </time>
  )
}

/** Who types now, else what is begun, else what was said last. */
function Preview({ item }: { readonly item: ConversationItem }) {
  const { t } = useTranslation()
  const typing = useTyping(item.id)
  const look = 'min-w-0 grow truncate text-small text-soft'
  const [first] = typing
  if (first !== undefined)
    return (
      <span className={`${look} text-accent`}>
        {item.kind === 'direct' ? t('chat.list.typing') : <Typist id={first} others={typing.length - 1} />}
      </span>
    )
  if (item.draft !== undefined && item.draft !== '')
    return (
      <span className={look}>
        <span className="text-danger">{t('chat.list.draft')}</span> <bdi>{item.draft}</bdi>
      </span>
    )
  if (item.pending && item.last === undefined) return <span className={look}>{t('chat.list.pending')}</span>
  return <span className={look}>{item.last !== undefined && <Last item={item} last={item.last} />}</span>
}

function Typist({ id, others }: { readonly id: string; readonly others: number }) {
  const { t } = useTranslation()
  const name = useUser(id)?.displayName ?? '…'
  return t('chat.list.typingIn', { name, count: others })
}

function Last({
  item,
  last,
}: {
  readonly item: ConversationItem
  readonly last: NonNullable<ConversationItem['last']>
}) {
  const { t } = useTranslation()
  const words = last.removed === undefined ? <bdi>{last.text}</bdi> : <em>{t('chat.message.removed')}</em>
  return (
    <>
      {last.state === 'failed' && <Icon name="alert" size={14} className="me-1 inline text-danger" />}
      {last.state === 'sending' && <Icon name="clock" size={14} className="me-1 inline" />}
      {last.own ? <>{t('chat.list.you')} </> : item.kind === 'group' && <Sender id={last.by} />}
      {words}
    </>
  )
}

function Sender({ id }: { readonly id: string }) {
  const name = useUser(id)?.displayName
  if (name === undefined) return null
  return (
    <>
      <bdi>{name.split(/\s+/)[0]}</bdi>:{' '}
    </>
  )
}

function Badges({ item }: { readonly item: ConversationItem }) {
  const { t, i18n } = useTranslation()
  const look = item.muted ? 'bg-line text-ink' : 'bg-accent text-on-accent'
  return (
    <span className="flex shrink-0 items-center gap-1">
      {item.mentions > 0 && item.kind === 'group' && (
        <span
          role="img"
          aria-label={t('chat.list.mentions', { count: item.mentions })}
          className="grid size-5 place-items-center rounded-full bg-accent text-on-accent"
        >
          <Icon name="at" size={13} />
        </span>
      )}
      {item.unread > 0 ? (
        <span
          className={`min-w-5 rounded-full px-1.5 text-center text-tiny leading-5 font-semibold tabular-nums ${look}`}
        >
          {badgeOf(item.unread, i18n.language)}
          <span className="sr-only"> {t('chat.list.unread', { count: item.unread })}</span>
        </span>
      ) : (
        item.markedUnread && (
          <span role="img" aria-label={t('chat.list.markedUnread')} className={`size-3 rounded-full ${look}`} />
        )
      )}
      {item.pinned && item.unread === 0 && <Icon name="pin" size={14} className="text-soft" />}
    </span>
  )
}
