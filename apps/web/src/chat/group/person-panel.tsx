/** A person, as others see them: their name and words, whether they are there, and what one may do. */
import type { ConversationView } from '@flotilla/sdk/state'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '../../app/navigation.tsx'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useTell } from '../../app/use-tell.ts'
import { lengthOfTime } from '../format.ts'
import { usePresence, useUser } from '@flotilla/react'
import { useChat } from '../hooks.ts'
import { Avatar } from '../parts/avatar.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Select } from '../../ui/select.tsx'
import { Panel, Section } from '../parts/panel.tsx'
import { ReportDialog } from '../parts/report-dialog.tsx'

interface PersonProps {
  readonly view: ConversationView
  readonly user: string
  onClose(): void
}

export function PersonPanel({ view, user, onClose }: PersonProps) {
  const { t } = useTranslation()
  const { client, user: me } = useChat()
  const person = useUser(user)
  const isOnline = usePresence(user)
  const { data: profile } = useQuery({ queryKey: ['person', user], queryFn: () => client.rest.user(user) })
  const navigate = useNavigate()
  const tell = useTell()
  const [isBlocking, setBlocking] = useState(false)
  const [isReporting, setReporting] = useState(false)
  const name = person?.displayName ?? '…'
  const isDirect = view.other?.id === user
  const write = () =>
    void tell(
      client.rest
        .createDirect(user)
        .then(({ id }) => navigate({ to: '/c/$conversation', params: { conversation: id } })),
    )
  const add = () => void tell(client.rest.contacts.request({ user }).then(() => toast(t('late.person.asked'))))
  return (
    <Panel title={t('late.person.title')} onClose={onClose}>
      <div className="grid justify-items-center gap-1 px-4 py-6 text-center">
        <Avatar id={user} name={name} picture={person?.avatar ?? null} size={96} />
        <bdi className="mt-2 text-title font-semibold">{name}</bdi>
        {person !== undefined && <bdi className="text-small text-soft">@{person.username}</bdi>}
        {isOnline !== undefined && (
          <span className="text-small text-soft">
            {t(isOnline ? 'chat.conversation.online' : 'chat.conversation.offline')}
          </span>
        )}
      </div>
      {profile?.about !== undefined && profile.about !== '' && (
        <Section title={t('late.person.about')}>
          <p dir="auto" className="whitespace-pre-wrap">
            {profile.about}
          </p>
        </Section>
      )}
      {isDirect && (
        <Section title={t('late.group.messages')}>
          <TimerPick view={view} />
        </Section>
      )}
      {user !== me.id && (
        <Section>
          <div className="grid gap-2">
            {!isDirect && <Button onPress={write}>{t('late.person.write')}</Button>}
            <Button look="secondary" onPress={add}>
              {t('late.person.add')}
            </Button>
            <Button look="quiet" onPress={() => setBlocking(true)}>
              {t('late.person.block')}
            </Button>
            <Button look="quiet" onPress={() => setReporting(true)}>
              {t('chat.message.report')}
            </Button>
          </div>
        </Section>
      )}
      {isReporting && <ReportDialog user={user} onClose={() => setReporting(false)} />}
      {isBlocking && (
        <Confirm
          title={t('late.person.blockTitle', { name })}
          text={t('late.person.blockText')}
          action={t('late.person.block')}
          onClose={() => setBlocking(false)}
          onConfirm={() => void tell(client.rest.blocks.block(user).then(() => toast(t('late.person.blocked'))))}
        />
      )}
    </Panel>
  )
}

const timers = [0, 86_400_000, 604_800_000, 2_592_000_000] as const

/** How long messages last that are posted from now on. */
export function TimerPick({
  view,
  isDisabled = false,
}: {
  readonly view: ConversationView
  readonly isDisabled?: boolean
}) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const now = view.timerMs ?? 0
  const all = [...new Set([...timers, now])]
  return (
    <Select
      label={t('late.group.timer')}
      value={`${now}`}
      isDisabled={isDisabled}
      options={all.map(ms => ({
        value: `${ms}`,
        text: ms === 0 ? t('late.group.timerOff') : lengthOfTime(ms, i18n.language),
      }))}
      onChange={ms => void tell(client.rest.setTimer(view.id, ms === '0' ? null : Number(ms)))}
    />
  )
}
