/** The notifications: newest first, live, and each leads to what it is about. */
import type { Notification } from '@flotilla/sdk'
import { useQueryClient } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect } from 'react'
import { useNavigate } from '../../app/navigation.tsx'
import { useTell } from '../../app/use-tell.ts'
import { textOf } from '../../app/words.ts'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { useChat } from '../hooks.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { NoticeRow } from './notice-row.tsx'
import { messageOf, placeOf } from './place.ts'
import { useNotices } from './use-notices.ts'

interface NoticesProps {
  /** @param root of the thread that alone shows the message */
  onShow(conversation: string, seq?: number, root?: number): void
  onScheduled(): void
  onClose(): void
}

export function NoticesDialog({ onShow, onScheduled, onClose }: NoticesProps) {
  const { t } = useTranslation()
  const tell = useTell()
  const {
    view: { items, unread, hasMore, loading, error },
    notices,
  } = useNotices()
  const open = useOpen({ onShow, onScheduled, onClose })
  useEffect(() => {
    if (notices.get().items.length === 0) void notices.more()
  }, [notices])
  const read = (notice: Notification) => {
    if (!notice.read) void notices.markRead(notice.id).catch(() => {})
  }
  return (
    <Dialog
      title={t('chat.notices.title')}
      isWide
      onClose={onClose}
      {...(unread > 0 && {
        foot: (
          <Button look="secondary" onPress={() => void tell(notices.markAllRead())}>
            {t('late.notices.readAll')}
          </Button>
        ),
      })}
    >
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it hears the arrow keys of its rows */}
      <ul className="-mx-3 grid gap-1" onKeyDown={moveFocus}>
        {items.map(notice => (
          <NoticeRow
            key={notice.id}
            notice={notice}
            onOpen={() => {
              read(notice)
              open(notice)
            }}
            onRead={() => read(notice)}
          />
        ))}
      </ul>
      {items.length === 0 && !loading && error === undefined && !hasMore && <Nothing />}
      {items.length === 0 && loading && <Loading />}
      {error !== undefined && <Notice look="danger">{textOf(t, error)}</Notice>}
      {hasMore && (items.length > 0 || error !== undefined) && (
        <Button look="quiet" wide isPending={loading} onPress={() => void notices.more()}>
          {t(error === undefined ? 'late.starred.more' : 'app.retry')}
        </Button>
      )}
    </Dialog>
  )
}

function useOpen({ onShow, onScheduled, onClose }: NoticesProps): (notice: Notification) => void {
  const { client } = useChat()
  const tell = useTell()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const follow = async (notice: Notification) => {
    const { kind, actor } = notice
    const place = placeOf(notice)
    if (kind === 'security_notice') return navigate({ to: '/settings/$part', params: { part: 'security' } })
    if (kind === 'scheduled_failed') return onScheduled()
    if (kind === 'contact_accepted' && actor !== undefined) {
      const { id } = await client.rest.createDirect(actor.id)
      return onShow(id)
    }
    if (place === undefined) return onClose()
    if (kind === 'thread_reply') return onShow(place.conversation, place.seq, Number(notice.detail['thread']))
    // Where it stands is told by the message itself; one that cannot be read is looked for in the conversation.
    const message =
      place.seq === undefined ? null : await queries.fetchQuery(messageOf(client, place)).catch(() => null)
    const isAside = message?.thread !== undefined && message.alsoInConversation !== true
    return onShow(place.conversation, place.seq, isAside ? message.thread : undefined)
  }
  return notice => void tell(follow(notice))
}

/** Arrows move between the rows, beside the Tab key. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('li > button')]
  const at = rows.findIndex(row => row === document.activeElement)
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: Math.min(at + 1, rows.length - 1),
    ArrowUp: Math.max(at - 1, 0),
    Home: 0,
    End: rows.length - 1,
  }
  const next = rows[steps[event.key] ?? -1]
  if (at < 0 || next === undefined) return
  event.preventDefault()
  next.focus()
}

function Nothing() {
  const { t } = useTranslation()
  return (
    <div className="grid justify-items-center gap-3 py-10 text-center text-soft">
      <Icon name="bell" size={32} />
      <p className="max-w-sm text-balance">{t('late.notices.none')}</p>
    </div>
  )
}

const skeletons = [62, 48, 70, 54]

function Loading() {
  const { t } = useTranslation()
  return (
    <div role="status" aria-label={t('chat.loading')} className="late -mx-3 grid gap-1">
      {skeletons.map((width, nth) => (
        <div key={nth} className="flex h-18 items-start gap-3 p-2">
          <span className="size-10 rounded-full bg-hover" />
          <span className="grid grow gap-2 pt-1">
            <span className="h-3 rounded-full bg-hover" style={{ width: `${width}%` }} />
            <span className="h-3 w-4/5 rounded-full bg-hover" />
          </span>
        </div>
      ))}
    </div>
  )
}
