/** All that is pinned in a conversation. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { may } from '../access.ts'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { FoundMessage } from '../message/found-message.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Panel } from '../parts/panel.tsx'
import { usePins } from './pinned-bar.tsx'

interface PinsProps {
  readonly view: ConversationView
  onShow(seq: number): void
  onClose(): void
}

export function PinsPanel({ view, onShow, onClose }: PinsProps) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const { data: pins = [] } = usePins(view.id)
  return (
    <Panel title={t('late.pins.title')} onClose={onClose}>
      {pins.length === 0 && <p className="p-6 text-center text-soft">{t('late.pins.none')}</p>}
      <ul className="grid gap-1 p-2">
        {pins.map(pin => (
          <li key={pin.seq} className="flex items-start">
            <FoundMessage by={pin.by} at={pin.at} body={pin.body} onPress={() => onShow(pin.seq)} />
            {may(view, 'pin') && (
              <IconButton
                size="small"
                icon="close"
                label={t('chat.message.unpin')}
                onPress={() => void tell(client.unpin(view.id, pin.seq).acknowledged)}
              />
            )}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
