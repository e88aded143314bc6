/** Links by which people come into a group. A link is shown once, when it is made. */
import type { InviteLink } from '@flotilla/protocol'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useTell } from '../../app/use-tell.ts'
import { briefTimeOf, lengthOfTime } from '../format.ts'
import { useChat } from '../hooks.ts'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { Icon } from '../../ui/icon.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Section } from '../parts/panel.tsx'
import { useReadAgain } from './use-read-again.ts'

/** How many may come by a link; nothing said, everybody. */
const usesOffered = ['', '1', '10', '100'] as const
type Uses = (typeof usesOffered)[number]
const lives = [86_400_000, 604_800_000, 2_592_000_000] as const

export function InviteLinks({ conversation }: { readonly conversation: string }) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const queries = useQueryClient()
  const queryKey = ['links', conversation]
  useReadAgain(conversation, queryKey)
  const { data } = useQuery({ queryKey, queryFn: () => client.rest.groups.links(conversation), staleTime: 0 })
  const [made, setMade] = useState<string>()
  const [approval, setApproval] = useState(false)
  const [uses, setUses] = useState<Uses>('')
  const [life, setLife] = useState(`${lives[1]}`)
  const again = () => queries.invalidateQueries({ queryKey })
  const make = () =>
    void tell(
      client.rest.groups
        .makeLink(conversation, { approval, lifeMs: Number(life), ...(uses === '' ? {} : { uses: Number(uses) }) })
        .then(({ token }) => {
          setMade(`${location.origin}/join#${token}`)
          return again()
        }),
    )
  const revoke = (link: string) => void tell(client.rest.groups.revokeLink(conversation, link).then(again))
  const copy = (link: string) =>
    void tell(navigator.clipboard.writeText(link).then(() => toast(t('chat.message.copied'))))
  return (
    <Section title={t('late.links.title')}>
      <Switch isSelected={approval} onChange={setApproval}>
        {t('late.links.approval')}
      </Switch>
      <div className="mt-1 mb-3 grid gap-2">
        <Select<Uses>
          label={t('late.links.uses')}
          value={uses}
          options={usesOffered.map(value => ({
            value,
            text: value === '' ? t('late.links.unlimited') : t('late.links.people', { count: Number(value) }),
          }))}
          onChange={setUses}
        />
        <Select
          label={t('late.links.life')}
          value={life}
          options={lives.map(ms => ({ value: `${ms}`, text: lengthOfTime(ms, i18n.language) }))}
          onChange={setLife}
        />
      </div>
      <Button look="secondary" wide onPress={make}>
        {t('late.links.make')}
      </Button>
      {made !== undefined && (
        <div className="mt-2 flex items-center gap-1 rounded-medium bg-accent-soft ps-3">
          <span dir="ltr" className="min-w-0 grow truncate text-small" data-invite-link>
            {made}
          </span>
          <IconButton icon="copy" label={t('chat.message.copy')} onPress={() => copy(made)} />
        </div>
      )}
      <ul className="mt-2 grid gap-1">
        {(data?.links ?? []).map(link => (
          <LinkLine key={link.id} link={link} onRevoke={() => revoke(link.id)} />
        ))}
      </ul>
    </Section>
  )
}

function LinkLine({ link, onRevoke }: { readonly link: InviteLink; onRevoke(): void }) {
  const { t, i18n } = useTranslation()
  return (
    <li className="flex items-center gap-2 text-small">
      <Icon name="link" size={16} className="text-soft" />
      <span className="grow text-soft">
        {link.uses === null
          ? t('late.links.used', { count: link.used })
          : t('late.links.usedOf', { used: link.used, uses: link.uses })}{' '}
        · {t('late.links.until', { time: briefTimeOf(link.expiresAt, i18n.language) })}
      </span>
      <IconButton size="small" icon="trash" label={t('late.links.revoke')} onPress={onRevoke} />
    </li>
  )
}
