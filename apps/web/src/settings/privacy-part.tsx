/** Who sees what of the person, and who may write to them unasked. */
import type { Audience, Settings } from '@flotilla/sdk'
import { useTranslation } from '../text/translate.ts'
import { Select } from '../ui/select.tsx'
import { Loaded, Section } from './parts.tsx'
import { useSettings, useSettingsChange } from './queries.ts'

const audiences = ['everyone', 'contacts', 'nobody'] as const satisfies readonly Audience[]
const directFroms = ['anyone', 'known', 'request', 'contacts'] as const
const seen = ['lastSeenVisibility', 'readReceiptVisibility', 'emailDiscoverability'] as const

type DirectFrom = NonNullable<Settings['directFrom']>

export function PrivacyPart() {
  const { t } = useTranslation()
  const settings = useSettings()
  const change = useSettingsChange()
  return (
    <Loaded query={settings}>
      {data => (
        <>
          <Section title={t('privacy.seen')}>
            {seen.map(name => (
              <Select<Audience>
                key={name}
                label={t(`privacy.${name}`)}
                value={data[name]}
                options={audiences.map(value => ({ value, text: t(`privacy.audiences.${value}`) }))}
                onChange={value => change.mutate({ [name]: value })}
              />
            ))}
          </Section>
          <Section title={t('privacy.reached')}>
            <Select<DirectFrom | 'default'>
              label={t('privacy.directFrom')}
              hint={t(`privacy.directFromHints.${data.directFrom ?? 'default'}`)}
              value={data.directFrom ?? 'default'}
              options={(['default', ...directFroms] as const).map(value => ({
                value,
                text: t(`privacy.directFroms.${value}`),
              }))}
              onChange={value => change.mutate({ directFrom: value === 'default' ? null : value })}
            />
          </Section>
        </>
      )}
    </Loaded>
  )
}
