/** What a group is set to: who may do what, how fast one may write, what newcomers see, how long messages last. */
import type { GroupSettings } from '@flotilla/sdk'
import type { ConversationView } from '@flotilla/sdk/state'
import { useTranslation } from '../../text/translate.ts'
import { isManager, may } from '../access.ts'
import { useTell } from '../../app/use-tell.ts'
import { lengthOfTime, numberOf } from '../format.ts'
import { useChat } from '../hooks.ts'
import { Select } from '../../ui/select.tsx'
import { Switch } from '../../ui/switch.tsx'
import { Section } from '../parts/panel.tsx'
import { TimerPick } from './person-panel.tsx'

const roles = ['member', 'admin', 'owner'] as const
const permissions = ['post', 'addMembers', 'pin', 'mentionEveryone', 'edit'] as const
const pauses = [0, 5_000, 30_000, 60_000, 300_000, 3_600_000] as const
const histories = [0, 50, 500, null] as const

export function GroupRules({ view }: { readonly view: ConversationView }) {
  const { t } = useTranslation()
  const { client } = useChat()
  const tell = useTell()
  const { group } = view
  if (group === undefined) return null
  const change = (change: Parameters<typeof client.rest.groups.change>[1]) =>
    void tell(client.rest.groups.change(view.id, change))
  const mayManage = isManager(view)
  return (
    <>
      <Section title={t('late.group.messages')}>
        <div className="grid gap-3">
          <TimerPick view={view} isDisabled={!may(view, 'edit')} />
          {mayManage && <MessageRules group={group} onChange={change} />}
        </div>
      </Section>
      {mayManage && (
        <Section title={t('late.group.permissions')}>
          {permissions.map(permission => (
            <Select
              key={permission}
              label={t(`late.group.permission.${permission}`)}
              value={group.permissions[permission]}
              isDisabled={view.role !== 'owner'}
              options={roles.map(role => ({ value: role, text: t(`late.group.atLeast.${role}`) }))}
              onChange={role => change({ permissions: { [permission]: role } })}
            />
          ))}
        </Section>
      )}
    </>
  )
}

interface RulesProps {
  readonly group: GroupSettings
  onChange(change: {
    readonly slowModeMs?: number
    readonly newcomerHistory?: number | null
    readonly forwarding?: boolean
  }): void
}

function MessageRules({ group, onChange }: RulesProps) {
  const { t, i18n } = useTranslation()
  const { slowModeMs, newcomerHistory, forwarding } = group
  const slow = [...new Set([...pauses, slowModeMs])]
  const seen = [...new Set([...histories, newcomerHistory])]
  const historyWords = (entries: number | null) => {
    if (entries === null) return t('late.group.historyAll')
    return entries === 0
      ? t('late.group.historyNone')
      : t('late.group.historySome', { shown: numberOf(entries, i18n.language) })
  }
  return (
    <>
      <Select
        label={t('late.group.slowMode')}
        value={`${slowModeMs}`}
        options={slow.map(ms => ({
          value: `${ms}`,
          text: ms === 0 ? t('late.group.timerOff') : lengthOfTime(ms, i18n.language),
        }))}
        onChange={ms => onChange({ slowModeMs: Number(ms) })}
      />
      <Select
        label={t('late.group.history')}
        value={`${newcomerHistory}`}
        options={seen.map(entries => ({ value: `${entries}`, text: historyWords(entries) }))}
        onChange={entries => onChange({ newcomerHistory: entries === 'null' ? null : Number(entries) })}
      />
      <Switch isSelected={forwarding} onChange={forwarding => onChange({ forwarding })}>
        {t('late.group.forwarding')}
      </Switch>
    </>
  )
}
