/** Who asks to be let into a group. */
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useConversations } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Section } from '../parts/panel.tsx'

export function JoinRequests({ conversation }: { readonly conversation: string }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const requests = useConversations().joinRequests.filter(one => one.conversation === conversation)
  if (requests.length === 0) return null
  return (
    <Section title={t('late.group.joinRequests')}>
      <ul className="grid gap-2">
        {requests.map(({ user }) => (
          <li key={user.id} className="flex flex-wrap items-center gap-2">
            <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={32} />
            <span className="min-w-0 grow truncate">
              <bdi>{user.displayName}</bdi>
            </span>
            <Button look="secondary" onPress={() => void tell(client.rest.groups.decline(conversation, user.id))}>
              {t('late.requests.decline')}
            </Button>
            <Button onPress={() => void tell(client.rest.groups.approve(conversation, user.id))}>
              {t('late.requests.accept')}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  )
}
