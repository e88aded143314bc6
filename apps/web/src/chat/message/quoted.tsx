/** What a message answers, small; pressed, it shows where that was said. */
import { type Body, bodyAs } from '@flotilla/sdk'
import { previewText } from '@flotilla/protocol/markup'
import type { MessageRow } from '@flotilla/sdk/state'
import type { ReactNode } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useConversationContext } from '../conversation/context.ts'
import { useUser } from '@flotilla/react'
import { useChat } from '../hooks.ts'

const previewLengthMax = 120

/** A body on one line. */
export function previewOf(body: Body): string {
  const text = bodyAs('text', body)?.text
  if (text !== undefined) return previewText(text, previewLengthMax)
  return 'fallback' in body ? body.fallback.replaceAll('\n', ' ') : ''
}

interface QuotedProps {
  readonly quote: MessageRow['quote']
  readonly seq: number
  readonly isActive: boolean
}

export function Quoted({ quote, seq, isActive }: QuotedProps) {
  const { t } = useTranslation()
  const { jump } = useConversationContext()
  const words =
    quote === undefined
      ? '…'
      : quote.state === 'shown' && quote.body !== undefined
        ? previewOf(quote.body)
        : t(quote.state === 'deleted' ? 'chat.message.quoteDeleted' : 'chat.message.quoteUnavailable')
  return (
    <button
      type="button"
      tabIndex={isActive ? 0 : -1}
      disabled={quote?.state === 'unavailable'}
      onClick={() => jump(seq)}
      data-quote
      className="my-0.5 block w-full min-w-0 rounded-small border-s-2 border-accent bg-canvas/50 px-2 py-0.5 text-start text-small hover:bg-canvas"
    >
      {quote?.by !== undefined && <Author id={quote.by} />}
      <span className="block truncate text-soft">
        <bdi>{words}</bdi>
      </span>
    </button>
  )
}

function Author({ id }: { readonly id: string }): ReactNode {
  const { t } = useTranslation()
  const { user } = useChat()
  const name = useUser(id)?.displayName ?? '…'
  return (
    <span className="block truncate font-medium text-accent">
      <bdi>{id === user.id ? t('chat.message.you') : name}</bdi>
    </span>
  )
}
