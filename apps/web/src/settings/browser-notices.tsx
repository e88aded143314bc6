/** What this browser does of new messages: a sound, notifications while a page is open, and pushes while none is. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useValue } from '../app/value.ts'
import { chooseNotices, noticeChoices } from '../notices/choices.ts'
import { isPushSupported, type NoPush, startPush, stopPush } from '../notices/push.ts'
import { requireAccount } from '../session.ts'
import { useTranslation } from '../text/translate.ts'
import { Switch } from '../ui/switch.tsx'
import { toast } from '../ui/toast.tsx'
import { Section } from './parts.tsx'
import { rest } from './queries.ts'

const permission = () => (typeof Notification === 'undefined' ? 'unsupported' : Notification.permission)

export function BrowserNotices() {
  const { t } = useTranslation()
  const choices = useValue(noticeChoices)
  const [allowed, setAllowed] = useState(permission)
  const push = usePush(() => setAllowed(permission()))
  const isAllowed = allowed === 'granted'
  const chooseDesktop = async (desktop: boolean) => {
    if (desktop && !isAllowed) setAllowed(await Notification.requestPermission())
    chooseNotices({ desktop: desktop && permission() === 'granted' })
  }
  const refused = allowed === 'denied' || allowed === 'unsupported' ? allowed : undefined
  return (
    <Section title={t('notifications.here')} lead={t('notifications.hereLead')}>
      <Switch isSelected={choices.sound} onChange={sound => chooseNotices({ sound })}>
        {t('notifications.sound')}
      </Switch>
      <Switch
        isSelected={choices.desktop && isAllowed}
        isDisabled={refused !== undefined}
        hint={t(refused === undefined ? 'notifications.desktopHint' : `notifications.${refused}`)}
        onChange={isOn => void chooseDesktop(isOn)}
      >
        {t('notifications.desktop')}
      </Switch>
      <Switch
        isSelected={push.isOn && isAllowed}
        isDisabled={push.isPending || push.refused !== undefined || refused !== undefined}
        hint={t(`notifications.${push.refused ?? refused ?? 'pushHint'}`)}
        onChange={push.choose}
      >
        {t('notifications.push')}
      </Switch>
    </Section>
  )
}

interface Push {
  /** As it will be, while it is on its way. */
  readonly isOn: boolean
  readonly isPending: boolean
  readonly refused: NoPush | undefined
  choose(isOn: boolean): void
}

/** @param asked the person may have been asked for permission */
function usePush(asked: () => void): Push {
  const { t } = useTranslation()
  const { push } = useValue(noticeChoices)
  const key = useQuery({ queryKey: ['pushKey'], queryFn: () => rest().devices.getPushKey() })
  const change = useMutation({
    async mutationFn(isOn: boolean) {
      const { client } = requireAccount()
      return isOn ? startPush(client) : stopPush(client)
    },
    onSuccess(refused) {
      if (refused !== undefined) toast(t(`notifications.${refused}`))
    },
    onError: () => toast(t('notifications.failed')),
    onSettled: asked,
  })
  const isUnconfigured = key.data !== undefined && key.data.vapidPublicKey === undefined
  return {
    isOn: change.isPending ? change.variables : push,
    isPending: change.isPending || key.data === undefined,
    refused: isPushSupported() ? (isUnconfigured ? 'unconfigured' : undefined) : 'unsupported',
    choose: change.mutate,
  }
}
