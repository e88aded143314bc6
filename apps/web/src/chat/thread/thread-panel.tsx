/** A thread beside its conversation: the message that it hangs on, and the answers. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useCallback, useMemo, useRef } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Talk } from '../conversation/conversation-pane.tsx'
import type { Panel } from '../conversation/panels.ts'
import type { PaneHandle } from '../conversation/timeline-pane.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useIsFollowing } from './following.ts'

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
  const isFollowing = useIsFollowing(view.id, root)
  const turn = () => {
    const { threads } = client.rest
    const turning = isFollowing === true ? threads.unfollow(view.id, root) : threads.follow(view.id, root)
    const words = t(isFollowing === true ? 'late.thread.unfollowed' : 'late.thread.following')
    void tell(turning).then(isDone => isDone && toast(words))
  }
  return (
    <aside aria-label={t('late.thread.title')} data-region className="flex size-full flex-col bg-canvas">
      <header className="flex h-14 shrink-0 items-center gap-1 border-b border-line ps-4 pe-2">
        <h2 className="grow truncate font-semibold">{t('late.thread.title')}</h2>
        {isFollowing !== undefined && (
          <IconButton
            icon={isFollowing ? 'bellOff' : 'bell'}
            label={t(isFollowing ? 'late.thread.unfollow' : 'late.thread.follow')}
            onPress={turn}
          />
        )}
        <IconButton icon="close" label={t('app.close')} onPress={onClose} />
      </header>
      <Talk
        view={view}
        timeline={timeline}
        draft={undefined}
        lineSeq={undefined}
        pane={pane}
        openPanel={openPanel}
        markRead={markRead}
        label={t('late.thread.label')}
        empty={<p className="text-soft">{t('late.thread.empty')}</p>}
      />
    </aside>
  )
}
