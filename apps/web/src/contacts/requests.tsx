/** Who has asked to be a contact, and whom one has asked oneself. */
import type { User } from '@flotilla/sdk'
import type { ContactRequest } from '@flotilla/protocol'
import type { ReactNode } from 'react'
import { useTell } from '../app/use-tell.ts'
import { listTimeOf } from '../chat/format.ts'
import { useChat } from '../chat/hooks.ts'
import { Avatar } from '../chat/parts/avatar.tsx'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'

interface RequestsProps {
  readonly requests: readonly ContactRequest[]
}

export function Received({ requests }: RequestsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const { accept, decline } = client.rest.contacts
  return (
    <List none={t('late.contacts.noneReceived')}>
      {requests.map(({ id, from, note, at }) => (
        <Line key={id} user={from} at={at} note={note}>
          <Button
            look="secondary"
            aria-label={t('late.contacts.declineWhom', { name: from.displayName })}
            onPress={() => void tell(decline(id))}
          >
            {t('late.contacts.decline')}
          </Button>
          <Button
            aria-label={t('late.contacts.acceptWhom', { name: from.displayName })}
            onPress={() => void tell(accept(id))}
          >
            {t('late.contacts.accept')}
          </Button>
        </Line>
      ))}
    </List>
  )
}

export function Sent({ requests }: RequestsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  return (
    <List none={t('late.contacts.noneSent')}>
      {requests.map(({ id, to, note, at }) => (
        <Line key={id} user={to} at={at} note={note}>
          <Button
            look="secondary"
            aria-label={t('late.contacts.cancelWhom', { name: to.displayName })}
            onPress={() => void tell(client.rest.contacts.cancel(id))}
          >
            {t('late.contacts.cancel')}
          </Button>
        </Line>
      ))}
    </List>
  )
}

function List({ none, children }: { readonly none: string; readonly children: readonly ReactNode[] }) {
  if (children.length === 0) return <p className="px-6 py-12 text-center text-balance text-soft">{none}</p>
  return <ul className="grid min-h-0 content-start gap-1 overflow-y-auto px-3 pb-3">{children}</ul>
}

interface LineProps {
  readonly user: User
  readonly at: number
  readonly note: string
  /** What one may do about it. */
  readonly children: ReactNode
}

function Line({ user, at, note, children }: LineProps) {
  const { i18n } = useTranslation()
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-medium py-2 ps-1">
      <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={44} />
      <div className="min-w-0 flex-1 basis-40">
        <p className="truncate font-medium">
          <bdi>{user.displayName}</bdi>
        </p>
        <p className="truncate text-small text-soft">
          <bdi>@{user.username}</bdi> · {listTimeOf(at, i18n.language)}
        </p>
        {note !== '' && (
          <p dir="auto" className="mt-1 text-small whitespace-pre-wrap">
            {note}
          </p>
        )}
      </div>
      <div className="flex gap-2">{children}</div>
    </li>
  )
}
