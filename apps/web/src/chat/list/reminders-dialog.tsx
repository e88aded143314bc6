/** The messages that one is going to be reminded of: when, and by a press where they stand. */
import type { Reminder } from '@flotilla/protocol'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTell } from '../../app/use-tell.ts'
import { useTranslation } from '../../text/translate.ts'
import { briefTimeOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { FoundMessage } from '../message/found-message.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { TimeDialog } from '../parts/time-dialog.tsx'

const queryKey = ['reminders']

interface RemindersProps {
  onShow(conversation: string, seq: number): void
  onClose(): void
}

export function RemindersDialog({ onShow, onClose }: RemindersProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const queries = useQueryClient()
  const { data, isPending } = useQuery({ queryKey, queryFn: () => client.rest.reminders.list(), staleTime: 0 })
  useEffect(() => client.on('reminder', () => void queries.invalidateQueries({ queryKey })), [client, queries])
  const reminders = data?.reminders ?? []
  return (
    <Dialog title={t('chat.reminders.title')} isWide onClose={onClose}>
      {!isPending && reminders.length === 0 && (
        <p className="py-8 text-center text-balance text-soft">{t('late.reminders.none')}</p>
      )}
      <ul className="grid gap-2">
        {reminders.map(reminder => (
          <Line key={`${reminder.conversation}/${reminder.seq}`} reminder={reminder} onShow={onShow} />
        ))}
      </ul>
    </Dialog>
  )
}

function Line({ reminder, onShow }: { readonly reminder: Reminder } & Pick<RemindersProps, 'onShow'>) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const [isMoving, setMoving] = useState(false)
  const { conversation, seq, at } = reminder
  return (
    <li className="rounded-medium border border-line py-2 ps-1 pe-1">
      <div className="flex items-center gap-1">
        <p className="min-w-0 grow truncate ps-2 text-small text-soft">{briefTimeOf(at, i18n.language)}</p>
        <IconButton size="small" icon="clock" label={t('late.reminders.move')} onPress={() => setMoving(true)} />
        <IconButton
          size="small"
          icon="trash"
          label={t('late.reminders.cancel')}
          onPress={() => void tell(client.rest.reminders.cancel(conversation, seq))}
        />
      </div>
      <Reminded reminder={reminder} onShow={onShow} />
      {isMoving && (
        <TimeDialog
          title={t('late.reminders.move')}
          action={t('late.reminders.take')}
          at={at}
          onClose={() => setMoving(false)}
          onTake={when => void tell(client.rest.reminders.set(conversation, seq, when))}
        />
      )}
    </li>
  )
}

/** The message itself, as it stands. */
function Reminded({
  reminder: { conversation, seq },
  onShow,
}: { readonly reminder: Reminder } & Pick<RemindersProps, 'onShow'>) {
  const { t } = useTranslation()
  const { client, state } = useChat()
  const { data, isPending } = useQuery({
    queryKey: ['message', conversation, seq],
    queryFn: () => client.rest.history(conversation, { after: seq - 1, limit: 1 }),
  })
  const [entry] = data?.entries ?? []
  if (isPending) return null
  if (entry?.event !== 'message.new' || entry.seq !== seq)
    return <p className="ps-2 text-small text-soft">{t('late.reminders.gone')}</p>
  return (
    <div className="flex">
      <FoundMessage
        by={entry.by}
        at={entry.at}
        body={entry.body}
        where={state.conversation(conversation).get()?.name}
        onPress={() => onShow(conversation, seq)}
      />
    </div>
  )
}
