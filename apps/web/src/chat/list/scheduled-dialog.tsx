/** The messages that are sent later: when, and what has failed; each may have another time, or be taken back. */
import type { ScheduledMessage } from '@flotilla/sdk'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useTell } from '../../app/use-tell.ts'
import { briefTimeOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { previewOf } from '../message/quoted.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { TimeDialog } from '../parts/time-dialog.tsx'

const queryKey = ['scheduled']

export function ScheduledDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const queries = useQueryClient()
  const { data, isPending } = useQuery({ queryKey, queryFn: () => client.rest.scheduled.list(), staleTime: 0 })
  useEffect(() => client.on('scheduled', () => void queries.invalidateQueries({ queryKey })), [client, queries])
  const messages = data?.scheduled ?? []
  return (
    <Dialog title={t('chat.scheduled.title')} isWide onClose={onClose}>
      {!isPending && messages.length === 0 && (
        <p className="py-8 text-center text-balance text-soft">{t('late.scheduled.none')}</p>
      )}
      <ul className="grid gap-2">
        {messages.map(message => (
          <Line key={message.id} message={message} />
        ))}
      </ul>
    </Dialog>
  )
}

function Line({ message }: { readonly message: ScheduledMessage }) {
  const { t, i18n } = useTranslation()
  const { client, state } = useChat()
  const tell = useTell()
  const [isMoving, setMoving] = useState(false)
  const isDue = message.state === 'sending'
  return (
    <li className="flex items-center gap-1 rounded-medium border border-line py-2 ps-3 pe-1">
      <div className="min-w-0 grow">
        <p className="truncate text-small text-soft">
          <bdi>{state.conversation(message.conversation).get()?.name}</bdi> · {briefTimeOf(message.at, i18n.language)}
        </p>
        <span className="line-clamp-2">
          <bdi>{previewOf(message.body)}</bdi>
        </span>
        {message.state === 'failed' && <p className="text-small text-danger">{t('chat.message.failed')}</p>}
      </div>
      <IconButton icon="clock" label={t('late.scheduled.move')} isDisabled={isDue} onPress={() => setMoving(true)} />
      <IconButton
        icon="trash"
        label={t('late.scheduled.cancel')}
        isDisabled={isDue}
        onPress={() => void tell(client.rest.scheduled.cancel(message.id))}
      />
      {isMoving && (
        <TimeDialog
          title={t('late.scheduled.move')}
          action={t('late.scheduled.take')}
          at={message.at}
          onClose={() => setMoving(false)}
          onTake={at => void tell(client.rest.scheduled.edit(message.id, { at }))}
        />
      )}
    </li>
  )
}
