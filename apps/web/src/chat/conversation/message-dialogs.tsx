/** What opens about one message, one at a time: its menu, the emoji, the details, and the questions before what is for good. */
import type { MessageRow } from '@flotilla/sdk/state'
import type { Dispatch, SetStateAction } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { EmojiPopover } from '../emoji/emoji-popover.tsx'
import { useTell } from '../../app/use-tell.ts'
import { toast } from '../../ui/toast.tsx'
import { briefTimeOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { DetailsDialog } from '../message/details-dialog.tsx'
import { ForwardDialog } from '../message/forward-dialog.tsx'
import { MessageMenu } from '../message/message-menu.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { ReportDialog } from '../parts/report-dialog.tsx'
import { TimeDialog } from '../parts/time-dialog.tsx'
import { useConversationContext } from './context.ts'
import type { Dialogs } from './dialogs.ts'

interface DialogsProps {
  readonly dialog: NonNullable<Dialogs>
  readonly onChange: Dispatch<SetStateAction<Dialogs>>
  onEdit(message: MessageRow): void
}

export function MessageDialogs({ dialog, onChange, onEdit }: DialogsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const { id, react } = useConversationContext()
  const tell = useTell()
  const close = () => onChange(undefined)
  const { message } = dialog
  switch (dialog.kind) {
    case 'menu':
      return (
        <MessageMenu
          message={message}
          at={dialog.at}
          // What the choice has opened stays open.
          onClose={() => onChange(now => (now === dialog ? undefined : now))}
          onEdit={() => onEdit(message)}
          onDelete={() => onChange({ kind: 'delete', message })}
          onForward={() => onChange({ kind: 'forward', message })}
          onRemind={() => onChange({ kind: 'remind', message })}
          onReport={() => onChange({ kind: 'report', message })}
        />
      )
    case 'reactions':
      return <EmojiPopover at={dialog.at} onPick={emoji => react(message, emoji)} onClose={close} />
    case 'details':
      return <DetailsDialog message={message} onClose={close} />
    case 'forward':
      return <ForwardDialog message={message} onClose={close} />
    case 'remind':
      return <Remind message={message} onClose={close} />
    case 'report':
      return (
        <ReportDialog
          user={message.by}
          onClose={close}
          {...(message.seq === undefined ? {} : { message: { conversation: id, seq: message.seq } })}
        />
      )
    default:
      return (
        <Confirm
          title={t('late.delete.title')}
          text={t(message.own ? 'late.delete.text' : 'late.delete.textOther')}
          action={t('chat.message.delete')}
          onClose={close}
          onConfirm={() => message.seq !== undefined && void tell(client.delete(id, message.seq).acknowledged)}
        />
      )
  }
}

function Remind({ message: { seq }, onClose }: { readonly message: MessageRow; onClose(): void }) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const { id } = useConversationContext()
  const tell = useTell()
  return (
    <TimeDialog
      title={t('chat.message.remind')}
      action={t('late.reminders.take')}
      onClose={onClose}
      onTake={at => {
        if (seq === undefined) return
        const time = briefTimeOf(at, i18n.language)
        void tell(client.rest.reminders.set(id, seq, at)).then(
          isDone => isDone && toast(t('late.reminders.done', { time })),
        )
      }}
    />
  )
}
