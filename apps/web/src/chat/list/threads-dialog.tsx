/** The threads that one follows, of all conversations, and what is new in them. */
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useChat } from '../hooks.ts'
import { FoundMessage } from '../message/found-message.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useThreads } from '../thread/following.ts'

interface ThreadsProps {
  onShow(conversation: string, root: number): void
  onClose(): void
}

export function ThreadsDialog({ onShow, onClose }: ThreadsProps) {
  const { t } = useTranslation()
  const { state } = useChat()
  const { data, isPending, hasNextPage, fetchNextPage } = useThreads()
  const threads = data?.pages.flatMap(page => page.threads) ?? []
  return (
    <Dialog title={t('chat.threads.title')} isWide onClose={onClose}>
      {!isPending && threads.length === 0 && (
        <p className="py-8 text-center text-balance text-soft">{t('late.threads.none')}</p>
      )}
      <ul className="-mx-2 grid gap-1">
        {threads.map(({ conversation, seq, by, at, body, replies }) => (
          <li key={`${conversation}/${seq}`} className="grid">
            <FoundMessage
              by={by}
              at={at}
              body={body}
              where={state.conversation(conversation).get()?.name}
              note={
                (replies?.unread ?? 0) > 0
                  ? t('late.threads.unread', { count: replies?.unread ?? 0 })
                  : t('chat.message.replies', { count: replies?.count ?? 0 })
              }
              isNew={(replies?.unread ?? 0) > 0}
              onPress={() => onShow(conversation, seq)}
            />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button look="quiet" wide onPress={() => void fetchNextPage()}>
          {t('late.threads.more')}
        </Button>
      )}
    </Dialog>
  )
}
