/** What happened beside messages, in a sentence: people come and go, the group has another name. */
import type { NoticeRow } from '@flotilla/sdk/state'
import { mutedForEver } from '@flotilla/sdk'

import { type Texts, useTranslation } from '../../text/translate.ts'
import { briefTimeOf, lengthOfTime, wholeTimeOf } from '../format.ts'
import { useUser } from '@flotilla/react'
import { useChat } from '../hooks.ts'

export function Notice({ row }: { readonly row: NoticeRow }) {
  const { i18n } = useTranslation()
  const words = useNotice(row)
  if (words === undefined) return null
  return (
    <article
      data-key={row.key}
      data-seq={row.seq}
      tabIndex={-1}
      aria-label={words}
      title={wholeTimeOf(row.at, i18n.language)}
      className="mx-auto my-1 w-fit max-w-full rounded-full px-3 py-0.5 text-center text-small text-balance text-soft focus-visible:outline-offset-0 data-flash:bg-accent-soft"
      dir="auto"
    >
      {words}
    </article>
  )
}

type Happening = Exclude<keyof Texts['chat']['notice'], `${string}_you` | 'you'>

function useNotice({ entry, by }: NoticeRow): string | undefined {
  const { t, i18n } = useTranslation()
  const { user } = useChat()
  const whom = 'user' in entry ? entry.user : entry.event === 'member.added' ? (entry.members[0]?.user ?? by) : by
  const actor = useName(by)
  const other = useName(whom)
  const isMe = by === user.id
  const names = { name: actor, other }
  // Languages conjugate: of oneself it is another sentence.
  const say = (what: Happening, more: Readonly<Record<string, string | number>> = {}) =>
    t(isMe ? `chat.notice.${what}_you` : `chat.notice.${what}`, { ...names, ...more })
  switch (entry.event) {
    case 'conversation.created':
      return entry.kind === 'direct' ? undefined : say('created')
    case 'conversation.renamed':
      return say('renamed', { title: entry.name })
    case 'conversation.changed':
      return say('changed')
    case 'conversation.timer_changed':
      return entry.timerMs === null
        ? say('timerOff')
        : say('timerOn', { length: lengthOfTime(entry.timerMs, i18n.language) })
    case 'member.added':
      if (whom === by) return say('joined')
      return entry.members.length > 1 ? say('addedMany', { count: entry.members.length }) : say('added')
    case 'member.removed':
      return say(entry.banned === true ? 'banned' : 'removed')
    case 'member.left':
      return say('left')
    case 'member.changed':
      return say('role', { role: t(`chat.group.roles.${entry.role}`) })
    case 'member.silenced':
      if (entry.until === null) return say('unsilenced')
      return entry.until >= mutedForEver
        ? say('silenced')
        : say('silencedUntil', { time: briefTimeOf(entry.until, i18n.language) })
    case 'message.pinned':
      return say('pinned')
    default:
      return undefined
  }
}

function useName(id: string): string {
  const { t } = useTranslation()
  const { user } = useChat()
  const name = useUser(id)?.displayName
  return id === user.id ? t('chat.notice.you') : (name ?? '…')
}
