/** A forgotten password: a code to the address of the account, then a new password, which signs in. */
import type { CodeRequest } from '@flotilla/sdk'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { signIn } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { CodeField, Resend } from './code-step.tsx'
import { deviceName } from './device-name.ts'
import { useEntrance } from './entrance.ts'
import { TextButton } from './parts.tsx'

export function ResetForm() {
  const { t } = useTranslation()
  const { finish, show } = useEntrance()
  const [sent, setSent] = useState<CodeRequest>()
  const send = useMutation({
    mutationFn: (email: string) => signIn.sendCode({ email, purpose: 'reset-password' }),
    onSuccess: setSent,
  })
  const reset = useMutation({
    mutationFn: (shown: { request: string; code: string; password: string }) =>
      signIn.resetPassword({ ...shown, deviceName: deviceName() }),
    onSuccess: answer => finish(answer),
  })
  return (
    <div className="grid gap-5">
      {sent === undefined ? (
        <Form key="ask" error={send.error} fields={['email']} onSubmit={({ email = '' }) => send.mutate(email.trim())}>
          <p className="text-soft">{t('reset.lead')}</p>
          <Field name="email" type="email" label={t('code.email')} autoComplete="email" isRequired autoFocus />
          <Button type="submit" wide isPending={send.isPending}>
            {t('code.send')}
          </Button>
        </Form>
      ) : (
        <Form
          key="enter"
          error={reset.error}
          fields={['code', 'password']}
          onSubmit={({ code = '', password = '' }) => reset.mutate({ request: sent.request, code, password })}
        >
          <p className="text-soft">{t('code.sent', { email: send.variables })}</p>
          <CodeField label={t('code.code')} />
          <Field
            name="password"
            type="password"
            label={t('reset.password')}
            hint={t('signUp.passwordHint')}
            autoComplete="new-password"
            minLength={8}
            isRequired
          />
          <Button type="submit" wide isPending={reset.isPending}>
            {t('reset.submit')}
          </Button>
          <Resend sent={sent} onSent={setSent} />
        </Form>
      )}
      <TextButton onPress={() => show('in')}>{t('app.back')}</TextButton>
    </div>
  )
}
