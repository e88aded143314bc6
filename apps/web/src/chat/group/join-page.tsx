/** What an invite link leads to: the group that it is for, and the way in. */
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '../../app/navigation.tsx'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { requireAccount } from '../../session.ts'
import { Button } from '../../ui/button.tsx'
import { useTell } from '../../app/use-tell.ts'
import { Avatar } from '../parts/avatar.tsx'

export function JoinPage() {
  const { t } = useTranslation()
  const { client } = requireAccount()
  const tell = useTell()
  const navigate = useNavigate()
  const [token] = useState(location.hash.slice(1))
  const [isAsked, setAsked] = useState(false)
  const { data: group, isError } = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => client.rest.groups.preview(token),
    retry: false,
  })
  const open = (conversation: string) => navigate({ to: '/c/$conversation', params: { conversation } })
  const join = () =>
    void tell(
      client.rest.groups.join(token).then(answer => {
        // A request has no id of its own: it names the group.
        if ('conversation' in answer) setAsked(true)
        else open(answer.id)
      }),
    )
  return (
    <main className="grid h-dvh place-content-center justify-items-center gap-3 bg-sunk p-6 text-center">
      <h1 className="text-title font-semibold">{t('late.join.title')}</h1>
      {isError && <p className="text-soft">{t('late.join.invalid')}</p>}
      {group !== undefined && (
        <>
          <Avatar id={group.conversation} name={group.name} picture={group.avatar} size={96} />
          <bdi className="text-large font-semibold">{group.name}</bdi>
          <p className="text-small text-soft">{t('chat.conversation.members', { count: group.memberCount })}</p>
          {group.description !== '' && (
            <p dir="auto" className="max-w-prose whitespace-pre-wrap">
              {group.description}
            </p>
          )}
          {isAsked ? (
            <p role="status">{t('late.join.asked')}</p>
          ) : group.member ? (
            <>
              <p className="text-soft">{t('late.join.member')}</p>
              <Button onPress={() => open(group.conversation)}>{t('late.join.open')}</Button>
            </>
          ) : (
            <Button onPress={join}>{t(group.approval ? 'late.join.ask' : 'late.join.join')}</Button>
          )}
        </>
      )}
      <Link to="/" className="text-small font-medium text-accent underline underline-offset-2">
        {t('chat.conversation.back')}
      </Link>
    </main>
  )
}
