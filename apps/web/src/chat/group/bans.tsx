/** Who is kept out of a group. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Section } from '../parts/panel.tsx'
import { useReadAgain } from './use-read-again.ts'

export function Bans({ conversation }: { readonly conversation: string }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const queries = useQueryClient()
  const queryKey = ['bans', conversation]
  useReadAgain(conversation, queryKey)
  const { data } = useQuery({ queryKey, queryFn: () => client.rest.groups.bans(conversation), staleTime: 0 })
  const bans = data?.bans ?? []
  if (bans.length === 0) return null
  const lift = (user: string) =>
    void tell(client.rest.groups.unban(conversation, user).then(() => queries.invalidateQueries({ queryKey })))
  return (
    <Section title={t('late.group.bans')}>
      <ul className="grid gap-1">
        {bans.map(({ user }) => (
          <li key={user.id} className="flex items-center gap-3">
            <Avatar id={user.id} name={user.displayName} picture={user.avatar} size={32} />
            <span className="min-w-0 grow truncate">
              <bdi>{user.displayName}</bdi>
            </span>
            <Button look="quiet" onPress={() => lift(user.id)}>
              {t('late.group.unban')}
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  )
}
