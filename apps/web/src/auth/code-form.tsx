/** Signing in with a code by mail. */
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

export function CodeForm() {
  const { t } = useTranslation()
  const { finish, show } = useEntrance()
  const [sent, setSent] = useState<CodeRequest>()
  const send = useMutation({
    mutationFn: (email: string) => signIn.sendCode({ email, purpose: 'sign-in' }),
    onSuccess: setSent,
  })
  const enterCode = useMutation({
    mutationFn: (shown: { request: string; code: string }) =>
      signIn.signInWithCode({ ...shown, deviceName: deviceName() }),
    onSuccess: answer => finish(answer),
  })
  return (
    <div className="grid gap-5">
      {sent === undefined ? (
        <Form key="ask" error={send.error} fields={['email']} onSubmit={({ email = '' }) => send.mutate(email.trim())}>
          <Field name="email" type="email" label={t('code.email')} autoComplete="email" isRequired autoFocus />
          <Button type="submit" wide isPending={send.isPending}>
            {t('code.send')}
          </Button>
        </Form>
      ) : (
        <Form
          key="enter"
          error={enterCode.error}
          fields={['code']}
          onSubmit={({ code = '' }) => enterCode.mutate({ request: sent.request, code })}
        >
          <p className="text-soft">{t('code.sent', { email: send.variables })}</p>
          <CodeField label={t('code.code')} />
          <Button type="submit" wide isPending={enterCode.isPending}>
            {t('code.submit')}
          </Button>
          <Resend sent={sent} onSent={setSent} />
        </Form>
      )}
      <TextButton onPress={() => show('in')}>{t('app.back')}</TextButton>
    </div>
  )
}
