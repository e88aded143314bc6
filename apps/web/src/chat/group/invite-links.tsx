/** Links by which people come into a group. A link is shown once, when it is made. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { toast } from '../../ui/toast.tsx'
import { useTell } from '../../app/use-tell.ts'
import { briefTimeOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { Switch } from '../../ui/switch.tsx'
import { Icon } from '../parts/icon.tsx'
import { IconButton } from '../parts/icon-button.tsx'
import { Section } from '../parts/panel.tsx'

export function InviteLinks({ conversation }: { readonly conversation: string }) {
  const { t, i18n } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const queries = useQueryClient()
  const queryKey = ['links', conversation]
  const { data } = useQuery({ queryKey, queryFn: () => client.rest.groups.links(conversation) })
  const [made, setMade] = useState<string>()
  const [approval, setApproval] = useState(false)
  const again = () => queries.invalidateQueries({ queryKey })
  const make = () =>
    void tell(
      client.rest.groups.makeLink(conversation, { approval }).then(({ token }) => {
        setMade(`${location.origin}/join#${token}`)
        return again()
      }),
    )
  const copy = (link: string) =>
    void tell(navigator.clipboard.writeText(link).then(() => toast(t('chat.message.copied'))))
  return (
    <Section title={t('chat.links.title')}>
      <Switch isSelected={approval} onChange={setApproval}>
        {t('chat.links.approval')}
      </Switch>
      <Button look="secondary" wide onPress={make}>
        {t('chat.links.make')}
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
          <li key={link.id} className="flex items-center gap-2 text-small">
            <Icon name="link" size={16} className="text-soft" />
            <span className="grow text-soft">
              {t('chat.links.used', { count: link.used })} ·{' '}
              {t('chat.links.until', { time: briefTimeOf(link.expiresAt, i18n.language) })}
            </span>
            <IconButton
              size="small"
              icon="trash"
              label={t('chat.links.revoke')}
              onPress={() => void tell(client.rest.groups.revokeLink(conversation, link.id).then(again))}
            />
          </li>
        ))}
      </ul>
    </Section>
  )
}
