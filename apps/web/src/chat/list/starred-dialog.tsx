/** The messages that one has marked for oneself, of all conversations. */
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { FoundMessage } from '../message/found-message.tsx'
import { useStars } from '../message/stars.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { IconButton } from '../../ui/icon-button.tsx'

interface StarredProps {
  onShow(conversation: string, seq: number): void
  onClose(): void
}

export function StarredDialog({ onShow, onClose }: StarredProps) {
  const { t } = useTranslation()
  const { client, state } = useChat()
  const tell = useTell()
  const { data, isPending, hasNextPage, fetchNextPage } = useStars()
  const stars = data?.pages.flatMap(page => page.stars) ?? []
  return (
    <Dialog title={t('chat.starred.title')} isWide onClose={onClose}>
      {!isPending && stars.length === 0 && (
        <p className="py-8 text-center text-balance text-soft">{t('late.starred.none')}</p>
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
              label={t('late.starred.remove')}
              onPress={() => void tell(client.rest.unstar(message.conversation, message.seq))}
            />
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button look="quiet" wide onPress={() => void fetchNextPage()}>
          {t('late.starred.more')}
        </Button>
      )}
    </Dialog>
  )
}
