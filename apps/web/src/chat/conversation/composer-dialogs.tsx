/** What asks for more before it is posted: a poll, and when a message is sent. */
import type { ConversationView, Timeline } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { toast } from '../../ui/toast.tsx'
import { useTell } from '../../app/use-tell.ts'
import { PollDialog } from '../composer/poll-dialog.tsx'
import { useChat } from '../hooks.ts'
import { TimeDialog } from '../parts/time-dialog.tsx'
import type { Asked } from './use-composer-actions.ts'

interface DialogsProps {
  readonly asked: NonNullable<Asked>
  readonly view: ConversationView
  readonly timeline: Timeline
  onClose(): void
  onSent(): void
}

export function ComposerDialogs({ asked, view, timeline, onClose, onSent }: DialogsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  if (asked.kind === 'poll')
    return (
      <PollDialog
        onClose={onClose}
        onAsk={question => {
          timeline.ask(question).acknowledged.catch(() => {})
          onSent()
        }}
      />
    )
  return (
    <TimeDialog
      title={t('chat.composer.schedule')}
      action={t('late.scheduled.take')}
      onClose={onClose}
      onTake={at => {
        const { text, taken } = asked
        const clientId = crypto.randomUUID()
        void tell(client.rest.scheduled.schedule({ conversation: view.id, clientId, body: { text }, at })).then(
          isDone => {
            if (!isDone) return
            taken()
            toast(t('late.scheduled.done'))
          },
        )
      }}
    />
  )
}
