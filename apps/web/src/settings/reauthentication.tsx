/** The window that asks who somebody is before a change goes on, by any way that the account has. */
import type { CodeRequest, Reauthentication as Shown } from '@flotilla/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { CodeField, Resend } from '../auth/code-step.tsx'
import { passkeys } from '../passkeys.ts'
import { requireAccount, signIn } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Actions, Dialog, Stack } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Notice } from '../ui/notice.tsx'
import { Loaded } from './parts.tsx'
import type { Asking } from './reauthenticated.ts'

type Way = Shown['factor']

export function Reauthentication({ asked }: { readonly asked: Asking }) {
  const { t } = useTranslation()
  const close = () => asked.settle(false)
  return (
    <Dialog title={t('confirm.title')} onClose={close}>
      <Stack>
        <Ways onDone={() => asked.settle(true)} onClose={close} />
      </Stack>
    </Dialog>
  )
}

interface StepProps {
  onDone(): void
  onClose(): void
}

function Ways(props: StepProps) {
  const { t } = useTranslation()
  const factors = useQuery({ queryKey: ['factors'], queryFn: () => requireAccount().client.rest.factors.get() })
  return (
    <Loaded query={factors}>
      {({ password, totp, passkeys: count, email }) => {
        const ways: Way[] = [
          ...(password ? (['password'] as const) : []),
          ...(count > 0 && passkeys !== undefined ? (['passkey'] as const) : []),
          ...(totp ? (['totp'] as const) : []),
          ...(email ? (['email_code'] as const) : []),
        ]
        return ways.length === 0 ? <Notice>{t('confirm.none')}</Notice> : <Prove ways={ways} {...props} />
      }}
    </Loaded>
  )
}

function Prove({ ways, onDone, onClose }: StepProps & { readonly ways: readonly Way[] }) {
  const { t } = useTranslation()
  const [way, setWay] = useState<Way>(ways[0] ?? 'password')
  const [sent, setSent] = useState<CodeRequest>()
  const sendCode = () => signIn.sendReauthenticationCode()
  const prove = useMutation({
    async mutationFn({ password = '', code = '' }: Readonly<Record<string, string>>) {
      if (way === 'email_code' && sent === undefined) return setSent(await sendCode())
      if (way === 'password') await signIn.reauthenticate({ factor: way, password })
      else if (way === 'totp') await signIn.reauthenticate({ factor: way, code })
      else if (way === 'passkey') await signIn.reauthenticate({ factor: way })
      else await signIn.reauthenticate({ factor: way, request: sent?.request ?? '', code })
      onDone()
    },
  })
  const hasCode = way === 'totp' || (way === 'email_code' && sent !== undefined)
  return (
    <>
      {ways.length > 1 && (
        <Choice<Way>
          label={t('confirm.way')}
          value={way}
          options={ways.map(value => ({ value, text: t(`factor.ways.${value}`) }))}
          onChange={setWay}
        />
      )}
      <Form key={`${way} ${hasCode}`} error={prove.error} fields={['password', 'code']} onSubmit={prove.mutate}>
        {way === 'password' && (
          <Field
            name="password"
            type="password"
            label={t('factor.password')}
            autoComplete="current-password"
            isRequired
            autoFocus
          />
        )}
        {hasCode && <CodeField label={t(`factor.${way}`)} />}
        {way === 'email_code' && sent !== undefined && <Resend sent={sent} onSent={setSent} resend={sendCode} />}
        <Actions>
          <Button look="secondary" onPress={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" isPending={prove.isPending}>
            {way === 'email_code' && sent === undefined ? t('code.send') : t('confirm.submit')}
          </Button>
        </Actions>
      </Form>
    </>
  )
}
