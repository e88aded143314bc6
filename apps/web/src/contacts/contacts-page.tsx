/** The people whom one knows: who is here, who has asked, whom one has asked; found, added, removed, blocked. */
import { useState } from 'react'
import { Link } from '../app/navigation.tsx'
import { useWords } from '../app/use-tell.ts'
import { Chips } from '../chat/parts/chips.tsx'
import { Icon } from '../ui/icon.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { SignedIn } from '../chat/signed-in.tsx'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { AddContact } from './add-contact.tsx'
import { Contacts } from './contacts.tsx'
import { useContactNews, useContactRequests, useContacts } from './queries.ts'
import { Received, Sent } from './requests.tsx'

export function ContactsPage() {
  return (
    <SignedIn>
      <Page />
    </SignedIn>
  )
}

const views = ['contacts', 'received', 'sent'] as const
type View = (typeof views)[number]

function Page() {
  const { t } = useTranslation()
  useContactNews()
  const [view, setView] = useState<View>('contacts')
  const [isAdding, setAdding] = useState(false)
  const contacts = useContacts()
  const received = useContactRequests('received')
  const sent = useContactRequests('sent')
  const counts = { contacts: undefined, received: received.data?.length, sent: sent.data?.length }
  const shown = { contacts, received, sent }[view]
  return (
    <main className="flex h-dvh flex-col bg-canvas">
      <header className="mx-auto flex h-14 w-full max-w-160 shrink-0 items-center gap-1 px-3">
        <Link
          to="/"
          aria-label={t('chat.conversation.back')}
          className="grid size-10 shrink-0 place-items-center rounded-medium text-soft hover:bg-hover hover:text-ink"
        >
          <Icon name="back" isTurned />
        </Link>
        <h1 className="grow truncate text-title font-semibold">{t('chat.contacts.title')}</h1>
        <IconButton icon="add" label={t('late.contacts.add')} onPress={() => setAdding(true)} />
      </header>
      <div className="mx-auto flex min-h-0 w-full max-w-160 grow flex-col">
        <Chips<View>
          label={t('late.contacts.show')}
          value={view}
          options={views.map(value => ({
            value,
            text: t(`late.contacts.views.${value}`),
            ...(counts[value] === undefined ? {} : { count: counts[value] }),
          }))}
          onChange={setView}
        />
        {shown.isError && shown.data === undefined ? (
          <Failed error={shown.error} isAgain={shown.isFetching} onRetry={() => void shown.refetch()} />
        ) : shown.data === undefined ? (
          <div className="p-4">
            <Skeleton label={t('chat.loading')} lines={6} />
          </div>
        ) : view === 'contacts' ? (
          <Contacts contacts={contacts.data ?? []} onAdd={() => setAdding(true)} />
        ) : view === 'received' ? (
          <Received requests={received.data ?? []} />
        ) : (
          <Sent requests={sent.data ?? []} />
        )}
      </div>
      {isAdding && (
        <AddContact
          without={[...(contacts.data ?? []), ...(sent.data?.map(({ to }) => to) ?? [])]}
          onClose={() => setAdding(false)}
        />
      )}
    </main>
  )
}

interface FailedProps {
  readonly error: unknown
  readonly isAgain: boolean
  onRetry(): void
}

function Failed({ error, isAgain, onRetry }: FailedProps) {
  const { t } = useTranslation()
  const words = useWords()
  return (
    <div className="grid justify-items-start gap-3 p-4">
      <Notice look="danger">{words(error)}</Notice>
      <Button look="secondary" isPending={isAgain} onPress={onRetry}>
        {t('app.retry')}
      </Button>
    </div>
  )
}
