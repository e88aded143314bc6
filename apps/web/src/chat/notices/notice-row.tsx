/** One notification: what happened, what was said, and when. */
import type { Notification } from '@flotilla/sdk'
import { useConversation } from '@flotilla/react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTell } from '../../app/use-tell.ts'
import { type Translate, useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { listTimeOf, wholeTimeOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { previewOf } from '../message/quoted.tsx'
import { Avatar } from '../parts/avatar.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { messageOf, placeOf } from './place.ts'

const icons = {
  mention: 'at',
  contact_request: 'person',
  contact_accepted: 'person',
  added_to_group: 'people',
  security_notice: 'lock',
  scheduled_failed: 'clock',
  reminder: 'clock',
  reacted: 'smile',
  thread_reply: 'thread',
} as const satisfies Readonly<Record<Notification['kind'], IconName>>

interface RowProps {
  readonly notice: Notification
  onOpen(): void
  onRead(): void
}

export function NoticeRow({ notice, onOpen, onRead }: RowProps) {
  const { t, i18n } = useTranslation()
  const { actor, kind, at, read } = notice
  // A request leads nowhere: it is answered here.
  const isRequest = kind === 'contact_request'
  const Line = isRequest ? 'div' : 'button'
  const where = useConversation(placeOf(notice)?.conversation ?? '')
  return (
    <li data-notice={kind} className={`rounded-medium ${read ? '' : 'bg-accent-soft'}`}>
      <Line
        {...(!isRequest && { type: 'button', onClick: onOpen })}
        className={`flex w-full min-w-0 items-start gap-3 rounded-medium p-2 text-start focus-visible:-outline-offset-2 ${isRequest ? '' : 'hover:bg-hover'}`}
      >
        <Picture notice={notice} />
        <span className="grid min-w-0 grow grid-cols-[minmax(0,1fr)] gap-0.5">
          <span className={read ? '' : 'font-medium'}>
            {sentenceOf(t, notice, where?.kind === 'group' ? where.name : undefined, actor?.displayName)}
          </span>
          <Said notice={notice} />
          <time
            dateTime={new Date(at).toISOString()}
            title={wholeTimeOf(at, i18n.language)}
            className="text-tiny text-soft"
          >
            {listTimeOf(at, i18n.language)}
          </time>
        </span>
        {!read && (
          <span className="mt-1.5 size-2.5 shrink-0 rounded-full bg-accent">
            <span className="sr-only">{t('chat.list.filters.unread')}</span>
          </span>
        )}
      </Line>
      {isRequest && <Answers request={notice.detail['request'] ?? ''} onRead={onRead} />}
    </li>
  )
}

/** As long as the request is open. */
function Answers({ request, onRead }: { readonly request: string; onRead(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const { contacts } = client.rest
  const { data, refetch } = useQuery({
    queryKey: ['contactRequests', 'received'],
    queryFn: () => contacts.requests({ direction: 'received' }),
  })
  if (data?.requests.some(({ id }) => id === request) !== true) return null
  const answer = (answered: Promise<unknown>) =>
    void tell(answered).then(() => {
      onRead()
      return refetch()
    })
  return (
    <div className="flex justify-end gap-2 px-2 pb-2">
      <Button look="secondary" onPress={() => answer(contacts.decline(request))}>
        {t('late.requests.decline')}
      </Button>
      <Button onPress={() => answer(contacts.accept(request))}>{t('late.requests.accept')}</Button>
    </div>
  )
}

function Picture({ notice: { actor, kind } }: { readonly notice: Notification }) {
  const icon = icons[kind] ?? 'bell'
  if (actor === undefined)
    return (
      <span className="grid size-10 shrink-0 place-items-center rounded-full bg-sunk text-soft">
        <Icon name={icon} />
      </span>
    )
  return (
    <span className="relative shrink-0">
      <Avatar id={actor.id} name={actor.displayName} picture={actor.avatar} size={40} />
      <span className="absolute -end-1 -bottom-1 grid size-5 place-items-center rounded-full bg-raised text-accent">
        <Icon name={icon} size={14} />
      </span>
    </span>
  )
}

/** What the message says, where it is about one. */
function Said({ notice }: { readonly notice: Notification }): ReactNode {
  const { client } = useChat()
  const place = placeOf(notice)
  const isAbout = place?.seq !== undefined && notice.kind !== 'added_to_group'
  const { data } = useQuery({ ...messageOf(client, place), enabled: isAbout })
  if (!isAbout) return null
  const text = data == null || data.removed !== undefined ? '' : previewOf(data.body)
  // As high before the words are there.
  return (
    <span dir="auto" className="block min-h-[1lh] truncate [text-align:match-parent] text-small text-soft">
      {text}
    </span>
  )
}

/** A name reads in its own direction, and leaves that of the sentence alone. */
const isolated = (name: string) => `\u2068${name}\u2069`

function sentenceOf(
  t: Translate,
  { kind, detail }: Notification,
  where: string | undefined,
  actor: string | undefined,
) {
  const name = isolated(actor ?? t('late.notices.somebody'))
  const others = Number(detail['people'] ?? 1) - 1
  switch (kind) {
    case 'mention':
      return where === undefined
        ? t('late.notices.mention', { name })
        : t('late.notices.mentionIn', { name, where: isolated(where) })
    case 'thread_reply':
      return where === undefined
        ? t('late.notices.threadReply', { name })
        : t('late.notices.threadReplyIn', { name, where: isolated(where) })
    case 'reacted':
      return others > 0
        ? t('late.notices.reactedMore', { name, emoji: detail['emoji'], count: others })
        : t('late.notices.reacted', { name, emoji: detail['emoji'] })
    case 'added_to_group':
      return t('late.notices.added', { name, where: isolated(where ?? '…') })
    case 'reminder':
      return t(detail['gone'] === undefined ? 'late.notices.reminder' : 'late.notices.reminderGone')
    case 'contact_request':
      return t('late.notices.contactRequest', { name })
    case 'contact_accepted':
      return t('late.notices.contactAccepted', { name })
    case 'scheduled_failed':
      return t('late.notices.scheduledFailed')
    case 'security_notice':
      return t('late.notices.security')
    default:
      return t('late.notices.other')
  }
}
