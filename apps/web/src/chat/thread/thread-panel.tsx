/** A thread beside its conversation: the message that it hangs on, and the answers. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useCallback, useMemo, useRef } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Talk } from '../conversation/conversation-pane.tsx'
import type { Panel } from '../conversation/panels.ts'
import type { PaneHandle } from '../conversation/timeline-pane.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { IconButton } from '../parts/icon-button.tsx'
import { toast } from '../../ui/toast.tsx'

interface ThreadProps {
  readonly view: ConversationView
  readonly root: number
  openPanel(panel: Panel): void
  onClose(): void
}

export function ThreadPanel({ view, root, openPanel, onClose }: ThreadProps) {
  const { t } = useTranslation()
  const { state, client } = useChat()
  const tell = useTell()
  const timeline = useMemo(() => state.thread(view.id, root), [state, view.id, root])
  const pane = useRef<PaneHandle>(null)
  const markRead = useCallback((seq: number) => state.markRead(view.id, seq, root), [state, view.id, root])
  return (
    <aside aria-label={t('chat.thread.title')} data-region className="flex size-full flex-col bg-canvas">
      <header className="flex h-14 shrink-0 items-center gap-1 border-b border-line ps-4 pe-2">
        <h2 className="grow truncate font-semibold">{t('chat.thread.title')}</h2>
        <IconButton
          icon="bell"
          label={t('chat.thread.follow')}
          onPress={() =>
            void tell(client.rest.threads.follow(view.id, root)).then(
              isDone => isDone && toast(t('chat.thread.following')),
            )
          }
        />
        <IconButton
          icon="bellOff"
          label={t('chat.thread.unfollow')}
          onPress={() =>
            void tell(client.rest.threads.unfollow(view.id, root)).then(
              isDone => isDone && toast(t('chat.thread.unfollowed')),
            )
          }
        />
        <IconButton icon="close" label={t('chat.close')} onPress={onClose} />
      </header>
      <Talk
        view={view}
        timeline={timeline}
        draft={undefined}
        lineSeq={undefined}
        pane={pane}
        openPanel={openPanel}
        markRead={markRead}
        label={t('chat.thread.label')}
        empty={<p className="text-soft">{t('chat.thread.empty')}</p>}
      />
    </aside>
  )
}
