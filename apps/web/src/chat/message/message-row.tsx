/** One row of the timeline: the day and the unread line above it, and the message or what else happened. */
import type { MessageRow as Message } from '@flotilla/sdk/state'
import { bodyAs } from '@flotilla/sdk'
import { memo, type PointerEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { briefTimeOf, dayOf, listTimeOf, timeOf, wholeTimeOf } from '../format.ts'
import { useUser } from '@flotilla/react'
import { Avatar } from '../parts/avatar.tsx'
import { Icon } from '../../ui/icon.tsx'
import type { Placed } from '../timeline/arrange.ts'
import { Notice } from '../timeline/notice.tsx'
import { useConversationContext } from '../conversation/context.ts'
import { MessageBody } from './message-body.tsx'
import { Quoted } from './quoted.tsx'
import { Reactions } from './reactions.tsx'
import { Ticks } from './ticks.tsx'
import { Toolbar } from './toolbar.tsx'

interface RowProps {
  readonly placed: Placed
  /** The Tab key stops in it. */
  readonly isActive: boolean
}

export const TimelineRow = memo(function TimelineRow({ placed, isActive }: RowProps) {
  const { row, startsDay, startsUnread } = placed
  return (
    <>
      {startsDay && <Day at={row.at} />}
      {startsUnread && <UnreadLine />}
      {row.kind === 'notice' ? (
        <Notice row={row} />
      ) : (
        <MessageArticle message={row} first={placed.first} last={placed.last} isActive={isActive} />
      )}
    </>
  )
})

function Day({ at }: { readonly at: number }) {
  const { i18n } = useTranslation()
  return (
    <div role="separator" className="flex justify-center py-3">
      <span className="rounded-full bg-sunk px-3 py-0.5 text-tiny font-medium text-soft">
        {dayOf(at, i18n.language)}
      </span>
    </div>
  )
}

function UnreadLine() {
  const { t } = useTranslation()
  return (
    <div role="separator" data-unread-line className="flex items-center gap-3 py-2 text-small font-medium text-accent">
      <span className="h-px grow bg-accent" />
      {t('chat.timeline.unread')}
      <span className="h-px grow bg-accent" />
    </div>
  )
}

interface ArticleProps {
  readonly message: Message
  readonly first: boolean
  readonly last: boolean
  readonly isActive: boolean
}

function MessageArticle({ message, first, last, isActive }: ArticleProps) {
  const { t, i18n } = useTranslation()
  const { kind, openMenu } = useConversationContext()
  const author = useUser(message.by)
  const [isHot, setHot] = useState(false)
  const bubble = useRef<HTMLDivElement>(null)
  const press = useLongPress(() => openMenu(message, bubble))
  const name = message.own ? t('chat.message.you') : (author?.displayName ?? '…')
  const isGroup = kind === 'group'
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- its menu has a button too, in the toolbar
    <article
      data-key={message.key}
      data-seq={message.seq}
      data-state={message.state}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the arrow keys go from message to message
      tabIndex={isActive ? 0 : -1}
      aria-label={t('chat.message.label', { name, time: briefTimeOf(message.at, i18n.language) })}
      {...press}
      onPointerEnter={event => event.pointerType === 'mouse' && setHot(true)}
      onPointerLeave={() => setHot(false)}
      onContextMenu={event => {
        // Links keep the menu of the browser, and so does what is selected.
        if ((event.target as Element).closest('a') !== null || !(getSelection()?.isCollapsed ?? true)) return
        event.preventDefault()
        openMenu(message, bubble)
      }}
      className={`group/row flex items-end gap-2 ${first ? 'pt-2' : 'pt-0.5'} ${message.own ? 'justify-end ps-8' : 'pe-8'} rounded-medium focus-visible:-outline-offset-2 data-flash:bg-accent-soft transition-colors`}
    >
      {isGroup && !message.own && (
        <span className="w-8 shrink-0 self-end">
          {last && <Avatar id={message.by} name={name} picture={author?.avatar ?? null} size={32} />}
        </span>
      )}
      <div className="relative min-w-0 max-w-[min(100%,40rem)] pointer-fine:sm:max-w-[min(100%-5rem,40rem)]">
        <div
          ref={bubble}
          className={`edged flow-root rounded-large px-3 py-1.5 ${message.own ? 'bg-own' : 'bg-theirs'} ${cornersOf(message.own, first, last)} ${message.state === 'failed' ? 'outline outline-danger' : ''}`}
        >
          {isGroup && !message.own && first && <AuthorName id={message.by} name={name} />}
          <Inside message={message} isActive={isActive} />
        </div>
        {(isHot || isActive) && message.state === 'sent' && (
          <Toolbar message={message} at={bubble} isActive={isActive} />
        )}
        <Below message={message} isActive={isActive} />
      </div>
    </article>
  )
}

const longPressMs = 450
const movedPxMax = 8

/** A finger that stays: not every browser tells of it as a context menu. */
function useLongPress(act: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const from = useRef({ x: 0, y: 0 })
  const end = () => clearTimeout(timer.current)
  useEffect(() => () => clearTimeout(timer.current), [])
  return {
    onPointerDown(event: PointerEvent) {
      end()
      if (event.pointerType !== 'touch' || (event.target as Element).closest('a, button') !== null) return
      from.current = { x: event.clientX, y: event.clientY }
      timer.current = setTimeout(act, longPressMs)
    },
    onPointerMove(event: PointerEvent) {
      const { x, y } = from.current
      if (Math.hypot(event.clientX - x, event.clientY - y) > movedPxMax) end()
    },
    onPointerUp: end,
    onPointerCancel: end,
  }
}

/** What stands together is drawn together. */
function cornersOf(own: boolean, first: boolean, last: boolean): string {
  const above = first ? '' : own ? 'rounded-se-small' : 'rounded-ss-small'
  const below = last ? '' : own ? 'rounded-ee-small' : 'rounded-es-small'
  return `${above} ${below}`
}

function AuthorName({ id, name }: { readonly id: string; readonly name: string }) {
  const { openPerson } = useConversationContext()
  return (
    <button
      type="button"
      tabIndex={-1}
      onClick={() => openPerson(id)}
      className="block max-w-full truncate text-small font-semibold text-accent hover:underline"
    >
      <bdi>{name}</bdi>
    </button>
  )
}

/** In the bubble. */
function Inside({ message, isActive }: { readonly message: Message; readonly isActive: boolean }) {
  const { t } = useTranslation()
  const meta = <Meta message={message} />
  if (message.removed !== undefined)
    return (
      <p className="text-soft italic">
        {t(`chat.message.removedBy.${message.removed}`)}
        {meta}
      </p>
    )
  return (
    <>
      {message.forwarded !== undefined && <ForwardedFrom by={message.forwarded.by} />}
      {message.replyTo !== undefined && <Quoted quote={message.quote} seq={message.replyTo} isActive={isActive} />}
      <MessageBody message={message} isActive={isActive} meta={meta} />
    </>
  )
}

function ForwardedFrom({ by }: { readonly by: string | undefined }) {
  const { t } = useTranslation()
  return (
    <p className="flex items-center gap-1 text-small text-soft">
      <Icon name="forward" size={14} isTurned />
      {by === undefined ? t('chat.message.forwarded') : <ForwardedBy id={by} />}
    </p>
  )
}

function ForwardedBy({ id }: { readonly id: string }) {
  const { t } = useTranslation()
  const name = useUser(id)?.displayName
  return name === undefined ? t('chat.message.forwarded') : t('chat.message.forwardedFrom', { name })
}

/** At the end of what is said: pinned, disappearing, edited, the time, how far it has got. */
function Meta({ message }: { readonly message: Message }) {
  const { t, i18n } = useTranslation()
  return (
    <span className="float-end ms-3 mt-[0.3em] inline-flex items-center gap-1 text-tiny leading-4 text-soft not-italic select-none">
      {message.pinned && <Icon name="pin" size={12} />}
      {message.expiresAt !== undefined && message.removed === undefined && (
        <span title={t('chat.message.disappears', { time: briefTimeOf(message.expiresAt, i18n.language) })}>
          <Icon name="timer" size={12} />
        </span>
      )}
      {message.editedAt !== undefined && message.removed === undefined && (
        <span title={wholeTimeOf(message.editedAt, i18n.language)}>{t('chat.message.edited')}</span>
      )}
      <time dateTime={new Date(message.at).toISOString()} title={wholeTimeOf(message.at, i18n.language)}>
        {timeOf(message.at, i18n.language)}
      </time>
      {message.own && message.removed === undefined && <Ticks message={message} />}
    </span>
  )
}

/** Under the bubble: reactions, the thread, and what to do about a failure. */
function Below({ message, isActive }: { readonly message: Message; readonly isActive: boolean }): ReactNode {
  const { isThread } = useConversationContext()
  const side = message.own ? 'justify-end' : ''
  return (
    <>
      {message.reactions.length > 0 && <Reactions message={message} isActive={isActive} />}
      {!isThread && message.replies !== undefined && message.replies.count > 0 && (
        <div className={`flex ${side}`}>
          <ThreadLink message={message} isActive={isActive} />
        </div>
      )}
      {message.state === 'failed' && (
        <div className={`flex ${side}`}>
          <Failed message={message} />
        </div>
      )}
    </>
  )
}

function ThreadLink({ message, isActive }: { readonly message: Message; readonly isActive: boolean }) {
  const { t, i18n } = useTranslation()
  const { openThread } = useConversationContext()
  if (message.replies === undefined || message.seq === undefined) return null
  const { seq, replies } = message
  return (
    <button
      type="button"
      tabIndex={isActive ? 0 : -1}
      onClick={() => openThread(seq)}
      className="mt-0.5 flex items-center gap-1.5 rounded-full px-2 py-0.5 text-small font-medium text-accent hover:bg-hover"
    >
      <Icon name="thread" size={16} />
      {t('chat.message.replies', { count: replies.count })}
      <span className="font-normal text-soft">{listTimeOf(replies.lastAt, i18n.language)}</span>
    </button>
  )
}

function Failed({ message }: { readonly message: Message }) {
  const { t } = useTranslation()
  const { timeline, words } = useConversationContext()
  const action = 'rounded-small px-1.5 py-0.5 font-medium text-accent hover:bg-hover'
  return (
    <p role="alert" className="mt-1 flex flex-wrap items-center gap-1 text-small text-danger">
      <Icon name="alert" size={16} />
      <span>{message.error === undefined ? t('chat.message.failed') : words(message.error)}</span>
      <button type="button" className={action} onClick={() => timeline.retry(message.key)}>
        {t('chat.message.retry')}
      </button>
      <button type="button" className={action} onClick={() => timeline.discard(message.key)}>
        {t('chat.message.discard')}
      </button>
    </p>
  )
}

/** What a message says without marks, for the clipboard and for labels. */
export const wordsOf = (message: Message): string =>
  bodyAs('text', message.body)?.text ?? ('fallback' in message.body ? message.body.fallback : '')
