/** What opens about one message, one at a time: its menu, the emoji, the details, and the questions before what is for good. */
import type { MessageRow } from '@flotilla/sdk/state'
import type { Dispatch, RefObject, SetStateAction } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { EmojiPopover } from '../emoji/emoji-popover.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { DialogPlace, later, NoPlace } from '../parts/later.tsx'
import { useConversationContext } from './context.ts'

const Confirm = later(async () => (await import('../parts/dialog.tsx')).Confirm, DialogPlace)
const DetailsDialog = later(async () => (await import('../message/details-dialog.tsx')).DetailsDialog, DialogPlace)
const ForwardDialog = later(async () => (await import('../message/forward-dialog.tsx')).ForwardDialog, DialogPlace)
const MessageMenu = later(async () => (await import('../message/message-menu.tsx')).MessageMenu, NoPlace)

export type Dialogs =
  | { readonly kind: 'menu' | 'reactions'; readonly message: MessageRow; readonly at: RefObject<Element | null> }
  | { readonly kind: 'details' | 'forward' | 'delete'; readonly message: MessageRow }
  | undefined

interface DialogsProps {
  readonly dialog: Dialogs
  readonly onChange: Dispatch<SetStateAction<Dialogs>>
  onEdit(message: MessageRow): void
}

export function MessageDialogs({ dialog, onChange, onEdit }: DialogsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const { id, react } = useConversationContext()
  const tell = useTell()
  const close = () => onChange(undefined)
  if (dialog === undefined) return null
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
        />
      )
    case 'reactions':
      return <EmojiPopover at={dialog.at} onPick={emoji => react(message, emoji)} onClose={close} />
    case 'details':
      return <DetailsDialog message={message} onClose={close} />
    case 'forward':
      return <ForwardDialog message={message} onClose={close} />
    default:
      return (
        <Confirm
          title={t('chat.delete.title')}
          text={t(message.own ? 'chat.delete.text' : 'chat.delete.textOther')}
          action={t('chat.message.delete')}
          onClose={close}
          onConfirm={() => message.seq !== undefined && void tell(client.delete(id, message.seq).acknowledged)}
        />
      )
  }
}
