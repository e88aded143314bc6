/** All that is known of a message: when, who has it, who has read it, who has reacted and voted, and what it said before. */
import { bodyAs } from '@flotilla/sdk'
import type { MessageRow } from '@flotilla/sdk/state'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useConversationContext } from '../conversation/context.ts'
import { wholeTimeOf } from '../format.ts'
import { useReceipts, useUser } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { previewOf } from './quoted.tsx'
import { useReceiptCounts } from './receipt-counts.ts'

export function DetailsDialog({ message, onClose }: { readonly message: MessageRow; onClose(): void }) {
  const { t, i18n } = useTranslation()
  return (
    <Dialog title={t('late.details.title')} onClose={onClose}>
      <dl className="grid gap-4">
        <Part title={t('late.details.sent')}>{wholeTimeOf(message.at, i18n.language)}</Part>
        {message.editedAt !== undefined && (
          <Part title={t('late.details.edited')}>
            {wholeTimeOf(message.editedAt, i18n.language)}
            {message.seq !== undefined && <Versions seq={message.seq} />}
          </Part>
        )}
        {message.expiresAt !== undefined && (
          <Part title={t('late.details.expires')}>{wholeTimeOf(message.expiresAt, i18n.language)}</Part>
        )}
        {message.own && message.seq !== undefined && <Receipts seq={message.seq} />}
        {message.seq !== undefined && message.reactions.length > 0 && <ReactedBy seq={message.seq} />}
        {message.seq !== undefined &&
          bodyAs('poll', message.body)?.anonymous !== true &&
          message.poll !== undefined && (
            <Voters seq={message.seq} options={bodyAs('poll', message.body)?.options ?? []} />
          )}
      </dl>
    </Dialog>
  )
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt className="mb-1 text-small font-medium text-soft">{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Versions({ seq }: { readonly seq: number }) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const { id } = useConversationContext()
  const { data } = useQuery({ queryKey: ['versions', id, seq], queryFn: () => client.rest.messages.versions(id, seq) })
  const versions = data?.versions ?? []
  if (versions.length < 2) return null
  return (
    <ol aria-label={t('late.details.versions')} className="mt-2 grid gap-2">
      {versions.map(version => (
        <li key={version.at} className="rounded-small bg-sunk px-2 py-1 text-small">
          <time className="text-soft">{wholeTimeOf(version.at, i18n.language)}</time>
          <span className="block whitespace-pre-wrap">
            <bdi>{previewOf(version.body)}</bdi>
          </span>
        </li>
      ))}
    </ol>
  )
}

/** Who; in a conversation of many, how many. */
function Receipts({ seq }: { readonly seq: number }) {
  const { t, i18n } = useTranslation()
  const { user } = useChat()
  const { id } = useConversationContext()
  const receipts = useReceipts(id)
  const counts = useReceiptCounts(id)
  if (counts?.seq === seq)
    return (
      <>
        <Part title={t('late.details.readBy')}>{counts.read.toLocaleString(i18n.language)}</Part>
        <Part title={t('late.details.deliveredTo')}>{counts.delivered.toLocaleString(i18n.language)}</Part>
      </>
    )
  const others = [...receipts].filter(([person]) => person !== user.id)
  const read = others.filter(([, one]) => one.read >= seq).map(([person]) => person)
  const delivered = others.filter(([, one]) => one.read < seq && one.delivered >= seq).map(([person]) => person)
  return (
    <>
      {read.length > 0 && (
        <Part title={t('late.details.readBy')}>
          <People ids={read} />
        </Part>
      )}
      {delivered.length > 0 && (
        <Part title={t('late.details.deliveredTo')}>
          <People ids={delivered} />
        </Part>
      )}
    </>
  )
}

function ReactedBy({ seq }: { readonly seq: number }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const { id } = useConversationContext()
  const { data } = useQuery({
    queryKey: ['reactions', id, seq],
    queryFn: () => client.rest.reactions(id, seq),
    staleTime: 0,
  })
  return (
    <Part title={t('late.details.reactedBy')}>
      <ul className="grid gap-1">
        {(data?.reactions ?? []).map(({ user, emojis }) => (
          <PersonLine key={user.id} id={user.id} end={emojis.join(' ')} />
        ))}
      </ul>
    </Part>
  )
}

function Voters({ seq, options }: { readonly seq: number; readonly options: readonly string[] }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const { id } = useConversationContext()
  const { data } = useQuery({
    queryKey: ['voters', id, seq],
    queryFn: () => client.rest.polls.voters(id, seq),
    staleTime: 0,
  })
  return (
    <Part title={t('late.details.voters')}>
      <ul className="grid gap-1">
        {(data?.voters ?? []).map(voter => (
          <PersonLine
            key={voter.user.id}
            id={voter.user.id}
            end={voter.options.map(nth => options[nth] ?? '').join(', ')}
          />
        ))}
      </ul>
    </Part>
  )
}

const People = ({ ids }: { readonly ids: readonly string[] }) => (
  <ul className="grid gap-1">
    {ids.map(id => (
      <PersonLine key={id} id={id} />
    ))}
  </ul>
)

function PersonLine({ id, end }: { readonly id: string; readonly end?: string }) {
  const person = useUser(id)
  const name = person?.displayName ?? '…'
  return (
    <li className="flex min-h-9 items-center gap-3">
      <Avatar id={id} name={name} picture={person?.avatar ?? null} size={28} />
      <span className="min-w-0 grow truncate">
        <bdi>{name}</bdi>
      </span>
      {end !== undefined && <bdi className="shrink-0 text-soft">{end}</bdi>}
    </li>
  )
}
