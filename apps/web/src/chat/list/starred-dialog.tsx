/** The messages that one has marked for oneself, of all conversations. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { FoundMessage } from '../message/found-message.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { IconButton } from '../parts/icon-button.tsx'

interface StarredProps {
  onShow(conversation: string, seq: number): void
  onClose(): void
}

export function StarredDialog({ onShow, onClose }: StarredProps) {
  const { t } = useTranslation()
  const { client, state } = useChat()
  const tell = useTell()
  const { data, isPending, hasNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['stars'],
    queryFn: ({ pageParam }) => client.rest.stars(pageParam === '' ? {} : { after: pageParam }),
    initialPageParam: '',
    getNextPageParam: page => page.next,
    staleTime: 0,
  })
  const stars = data?.pages.flatMap(page => page.stars) ?? []
  return (
    <Dialog title={t('chat.starred.title')} isWide onClose={onClose}>
      {!isPending && stars.length === 0 && (
        <p className="py-8 text-center text-balance text-soft">{t('chat.starred.none')}</p>
      )}
      <ul className="-mx-2 grid gap-1">
        {stars.map(({ message }) => (
          <li key={`${message.conversation}/${message.seq}`} className="flex items-start">
            <FoundMessage
              by={message.by}
              at={message.at}
              body={message.body}
              where={state.conversation(message.conversation).get()?.name}
              onPress={() => onShow(message.conversation, message.seq)}
            />
            <IconButton
              size="small"
              icon="star"
              isFilled
              label={t('chat.starred.remove')}
              onPress={() => void tell(client.rest.unstar(message.conversation, message.seq).then(() => refetch()))}
            />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button look="quiet" wide onPress={() => void fetchNextPage()}>
          {t('chat.starred.more')}
        </Button>
      )}
    </Dialog>
  )
}
