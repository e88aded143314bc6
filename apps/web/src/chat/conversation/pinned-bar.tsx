/** What is pinned, one at a time: pressed, it shows where that stands, and then the next. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useChat } from '../hooks.ts'
import { previewOf } from '../message/quoted.tsx'
import { Icon } from '../../ui/icon.tsx'
import { IconButton } from '../../ui/icon-button.tsx'

interface BarProps {
  readonly view: ConversationView
  onShow(seq: number): void
  onAll(): void
}

/** The pinned messages, the last pinned first; read again when a pin comes or goes. */
export function usePins(conversation: string) {
  const { client } = useChat()
  const queries = useQueryClient()
  useEffect(
    () =>
      client.on('entry', entry => {
        if (entry.conversation !== conversation) return
        const concerns = ['message.pinned', 'message.unpinned', 'message.deleted', 'message.removed', 'message.edited']
        if (concerns.includes(entry.event)) void queries.invalidateQueries({ queryKey: ['pins', conversation] })
      }),
    [client, queries, conversation],
  )
  return useQuery({ queryKey: ['pins', conversation], queryFn: () => client.rest.pins(conversation) })
}

export function PinnedBar({ view, onShow, onAll }: BarProps) {
  const { t } = useTranslation()
  const { data: pins = [] } = usePins(view.id)
  const [nth, setNth] = useState(0)
  const pin = pins[nth % Math.max(1, pins.length)]
  if (pin === undefined) return null
  return (
    <div className="flex h-11 shrink-0 items-center gap-1 border-b border-line ps-4 pe-2 sm:pe-3">
      <button
        type="button"
        onClick={() => {
          onShow(pin.seq)
          setNth(nth + 1)
        }}
        className="flex min-w-0 grow items-center gap-2.5 rounded-small py-1 text-start text-small hover:bg-hover"
      >
        <Icon name="pin" size={16} className="text-accent" />
        <span className="shrink-0 font-medium text-accent">
          {t('late.pins.bar', { count: pins.length, nth: (nth % pins.length) + 1 })}
        </span>
        <span className="min-w-0 truncate text-soft">
          <bdi>{previewOf(pin.body)}</bdi>
        </span>
      </button>
      {pins.length > 1 && <IconButton size="small" icon="more" label={t('late.pins.all')} onPress={onAll} />}
    </div>
  )
}
