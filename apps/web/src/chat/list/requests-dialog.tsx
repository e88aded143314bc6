/** Who asks to talk, to bring one into a group, or to be let into one: accepted or declined, without their hearing of a reading. */
import type { ConversationRequest } from '@flotilla/sdk'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '../../app/navigation.tsx'
import { type ReactNode, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { listTimeOf } from '../format.ts'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { previewOf } from '../message/quoted.tsx'
import { Avatar } from '../parts/avatar.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'

export function RequestsDialog({ onClose }: { onClose(): void }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const navigate = useNavigate()
  const { requests, joinRequests } = useConversations()
  const [blocking, setBlocking] = useState<ConversationRequest>()
  const accept = (request: ConversationRequest) =>
    void tell(client.rest.conversationRequests.accept(request.id)).then(isDone => {
      if (!isDone) return
      onClose()
      navigate({ to: '/c/$conversation', params: { conversation: request.conversation } })
    })
  return (
    <Dialog title={t('chat.list.requests')} onClose={onClose}>
      {requests.length + joinRequests.length === 0 && (
        <p className="py-6 text-center text-soft">{t('late.requests.none')}</p>
      )}
      <ul className="grid gap-3">
        {requests.map(request => (
          <Asking
            key={request.id}
            user={request.from}
            at={request.at}
            words={
              request.kind === 'group'
                ? t('late.requests.group', { name: request.from.displayName, group: request.name })
                : t('late.requests.direct', { name: request.from.displayName })
            }
            onAccept={() => accept(request)}
            onDecline={() => void tell(client.rest.conversationRequests.decline(request.id))}
            onBlock={() => setBlocking(request)}
          >
            {request.kind === 'direct' && request.messages > 0 && <SoFar request={request} />}
          </Asking>
        ))}
        {joinRequests.map(({ conversation, name, user, at }) => (
          <Asking
            key={`${conversation}/${user.id}`}
            user={user}
            at={at}
            words={t('late.requests.join', { name: user.displayName, group: name })}
            onAccept={() => void tell(client.rest.groups.approve(conversation, user.id))}
            onDecline={() => void tell(client.rest.groups.decline(conversation, user.id))}
          />
        ))}
      </ul>
      {blocking !== undefined && (
        <Confirm
          title={t('late.person.blockTitle', { name: blocking.from.displayName })}
          text={t('late.person.blockText')}
          action={t('late.person.block')}
          onClose={() => setBlocking(undefined)}
          onConfirm={() => void tell(client.rest.blocks.block(blocking.from.id))}
        />
      )}
    </Dialog>
  )
}

interface AskingProps {
  readonly user: ConversationRequest['from']
  readonly at: number
  readonly words: string
  readonly children?: ReactNode
  onAccept(): void
  onDecline(): void
  onBlock?(): void
}

function Asking({ user, at, words, children, onAccept, onDecline, onBlock }: AskingProps) {
  const { t, i18n } = useTranslation()
  return (
    <li className="rounded-medium border border-line p-3" data-request>
      <div className="flex items-start gap-3">
        <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={40} />
        <div className="min-w-0 grow">
          <p dir="auto">{words}</p>
          <p className="text-small text-soft">
            <bdi>@{user.username}</bdi> · {listTimeOf(at, i18n.language)}
          </p>
        </div>
      </div>
      {children}
      <div className="mt-3 flex flex-wrap justify-end gap-2">
        {onBlock !== undefined && (
          <Button look="danger" onPress={onBlock}>
            {t('late.requests.block')}
          </Button>
        )}
        <Button look="secondary" onPress={onDecline}>
          {t('late.requests.decline')}
        </Button>
        <Button onPress={onAccept}>{t('late.requests.accept')}</Button>
      </div>
    </li>
  )
}

/** What they have written already. They are not told that it was read. */
function SoFar({ request }: { readonly request: ConversationRequest }) {
  const { client } = useChat()
  const { data } = useQuery({
    queryKey: ['request', request.id, request.messages],
    queryFn: () => client.rest.conversationRequests.get(request.id),
  })
  const messages = data?.messages ?? []
  if (messages.length === 0) return null
  return (
    <ul className="mt-2 grid gap-1 rounded-small bg-sunk px-3 py-2 text-small">
      {messages.map(message => (
        <li key={message.seq}>
          <bdi>{previewOf(message.body)}</bdi>
        </li>
      ))}
    </ul>
  )
}
