/** How far a message of one's own has got: waiting, sent, delivered, read. */
import type { MessageRow } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { useConversationContext } from '../conversation/context.ts'
import { useReceipts } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Icon } from '../../ui/icon.tsx'
import { useReceiptCounts } from './receipt-counts.ts'

export function Ticks({ message }: { readonly message: MessageRow }) {
  const { t } = useTranslation()
  if (message.state === 'failed') return null
  if (message.state === 'sending' || message.seq === undefined)
    return (
      <span role="img" aria-label={t('chat.message.waiting')} title={t('chat.message.waiting')} data-ticks="sending">
        <Icon name="clock" size={13} />
      </span>
    )
  return <Received seq={message.seq} />
}

/** Read means: by the other one, or by somebody in a group. */
function Received({ seq }: { readonly seq: number }) {
  const { t } = useTranslation()
  const { user } = useChat()
  const { id } = useConversationContext()
  const receipts = useReceipts(id)
  const counts = useReceiptCounts(id)
  let reached: 'sent' | 'delivered' | 'read' = 'sent'
  if (counts !== undefined && seq <= counts.seq)
    reached = counts.read > 0 ? 'read' : counts.delivered > 0 ? 'delivered' : 'sent'
  for (const [person, { delivered, read }] of receipts) {
    if (person === user.id) continue
    if (read >= seq) reached = 'read'
    else if (delivered >= seq && reached === 'sent') reached = 'delivered'
  }
  const label = t(`chat.message.${reached}`)
  return (
    <span
      role="img"
      aria-label={label}
      title={label}
      data-ticks={reached}
      className={reached === 'read' ? 'text-accent' : ''}
    >
      <Icon name={reached === 'sent' ? 'check' : 'checks'} size={14} />
    </span>
  )
}
