/** What the person is told of, by this browser and their other devices, and when it is quiet. */
import type { NotifyRule, Settings } from '@flotilla/sdk'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { Choice } from '../ui/choice.tsx'
import { Switch } from '../ui/switch.tsx'
import { BrowserNotices } from './browser-notices.tsx'
import { Loaded, Section } from './parts.tsx'
import { useSettings, useSettingsChange } from './queries.ts'

const rules = ['all', 'mentions', 'nothing'] as const satisfies readonly NotifyRule[]

export function NotificationsPart() {
  const { t } = useTranslation()
  const settings = useSettings()
  const change = useSettingsChange()
  return (
    <Loaded query={settings}>
      {data => (
        <>
          <Section lead={t('notifications.lead')}>
            <Choice<NotifyRule>
              label={t('notifications.notify')}
              value={data.notify}
              options={rules.map(value => ({ value, text: t(`notifications.rules.${value}`) }))}
              onChange={notify => change.mutate({ notify })}
            />
            <Switch
              isSelected={data.pushNames}
              hint={t('notifications.pushNamesHint')}
              onChange={pushNames => change.mutate({ pushNames })}
            >
              {t('notifications.pushNames')}
            </Switch>
          </Section>
          <BrowserNotices />
          <QuietHours settings={data} onChange={quietHours => change.mutate({ quietHours })} />
        </>
      )}
    </Loaded>
  )
}

type Hours = NonNullable<Settings['quietHours']>

interface QuietProps {
  readonly settings: Settings
  onChange(hours: Hours | null): void
}

function QuietHours({ settings: { quietHours }, onChange }: QuietProps) {
  const { t } = useTranslation()
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const hours = quietHours ?? { from: '22:00', until: '07:00', zone }
  return (
    <Section title={t('notifications.quiet')} lead={t('notifications.quietLead')}>
      <Switch isSelected={quietHours !== null} onChange={isOn => onChange(isOn ? hours : null)}>
        {t('notifications.quietOn')}
      </Switch>
      {quietHours !== null && (
        <div className="flex flex-wrap items-end gap-4">
          {(['from', 'until'] as const).map(name => (
            <Clock
              key={`${name} ${hours[name]}`}
              label={t(`notifications.${name}`)}
              time={hours[name]}
              onChange={time => onChange({ ...hours, zone, [name]: time })}
            />
          ))}
          <p className="py-2 text-small text-soft">{t('notifications.zone', { zone: hours.zone })}</p>
        </div>
      )}
    </Section>
  )
}

interface ClockProps {
  readonly label: string
  readonly time: string
  onChange(time: string): void
}

/** It is told once the person has done with it, not at each digit. */
function Clock({ label, time, onChange }: ClockProps) {
  const [typed, setTyped] = useState(time)
  return (
    <label className="grid gap-1 text-small font-medium">
      {label}
      <input
        type="time"
        value={typed}
        required
        onChange={event => setTyped(event.target.value)}
        onBlur={() => {
          if (typed !== '' && typed !== time) onChange(typed)
        }}
        className="min-h-10 rounded-medium border border-line-strong bg-canvas px-3 py-1.5 text-field text-ink hover:border-ink"
      />
    </label>
  )
}
