/** An account: a name, and the way in which its owner will come back. What the deployment asks for beside that comes first. */
import type { CodeRequest, RegistrationRules, User } from '@flotilla/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { textOf } from '../app/words.ts'
import { passkeys } from '../passkeys.ts'
import { signIn } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'
import { type Filled, Form } from '../ui/form.tsx'
import { Notice } from '../ui/notice.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { CodeField, Resend } from './code-step.tsx'
import { deviceName } from './device-name.ts'
import { useEntrance } from './entrance.ts'
import { TextButton } from './parts.tsx'
import { ProviderButtons } from './provider-buttons.tsx'

type Way = 'password' | 'passkey' | 'email' | 'name'

const fields = ['username', 'password', 'email', 'invitation', 'code']

export function SignUpForm() {
  const { t } = useTranslation()
  const { show } = useEntrance()
  const rules = useQuery({ queryKey: ['registration'], queryFn: () => signIn.registration() })
  return (
    <div className="grid gap-5">
      {rules.isPending && <Skeleton lines={3} label={t('app.loading')} />}
      {rules.isError && (
        <>
          <Notice look="danger">{textOf(t, rules.error)}</Notice>
          <Button onPress={() => void rules.refetch()}>{t('app.retry')}</Button>
        </>
      )}
      {rules.data !== undefined && <ByTheRules rules={rules.data} />}
      <p className="text-center text-soft">
        {t('signUp.have')} <TextButton onPress={() => show('in')}>{t('signUp.signIn')}</TextButton>
      </p>
    </div>
  )
}

function ByTheRules({ rules }: { readonly rules: RegistrationRules }) {
  const { t } = useTranslation()
  if (rules.mode === 'closed') return <Notice look="warning">{t('signUp.closed')}</Notice>
  if (rules.check === 'captcha') return <Notice look="warning">{t('signUp.captcha')}</Notice>
  return <NewAccount rules={rules} />
}

function NewAccount({ rules }: { readonly rules: RegistrationRules }) {
  const { t } = useTranslation()
  const { finish } = useEntrance()
  const [way, setWay] = useState<Way>('password')
  const [mailed, setMailed] = useState<{ readonly sent: CodeRequest; readonly filled: Filled }>()
  const ways = (['password', 'passkey', 'email', 'name'] as const).filter(
    one => one !== 'passkey' || passkeys !== undefined,
  )
  const register = useMutation({
    async mutationFn(filled: Filled) {
      if (way === 'email' && mailed === undefined) {
        const email = filled['email'] ?? ''
        setMailed({ sent: await signIn.sendCode({ email, purpose: 'register' }), filled })
        return undefined
      }
      return signUp(way, { ...mailed?.filled, ...filled }, mailed?.sent)
    },
    onSuccess: user => user && finish({ user }),
  })
  const isWorking = register.isPending && rules.check === 'work'
  return (
    <Form key={String(mailed === undefined)} error={register.error} fields={fields} onSubmit={register.mutate}>
      {mailed === undefined ? (
        <>
          <Field
            name="username"
            label={t('signUp.username')}
            hint={t('signUp.usernameHint')}
            autoComplete="username"
            isRequired
            autoFocus
          />
          {rules.mode !== 'open' && <InvitationField rules={rules} />}
          <Choice<Way>
            label={t('signUp.way')}
            value={way}
            options={ways.map(value => ({ value, text: t(`signUp.ways.${value}`), hint: t(`signUp.hints.${value}`) }))}
            onChange={setWay}
          />
          {way === 'password' && (
            <Field
              name="password"
              type="password"
              label={t('signUp.password')}
              hint={t('signUp.passwordHint')}
              autoComplete="new-password"
              minLength={8}
              isRequired
            />
          )}
          {way === 'email' && (
            <Field name="email" type="email" label={t('signUp.email')} autoComplete="email" isRequired />
          )}
        </>
      ) : (
        <>
          <p className="text-soft">{t('code.sentRegister', { email: mailed.filled['email'] })}</p>
          <CodeField label={t('code.code')} />
          <Resend sent={mailed.sent} onSent={sent => setMailed({ ...mailed, sent })} />
        </>
      )}
      {isWorking && <Notice>{t('signUp.working')}</Notice>}
      <Button type="submit" wide isPending={register.isPending}>
        {way === 'email' && mailed === undefined ? t('code.send') : t('signUp.submit')}
      </Button>
      {mailed === undefined && <ProviderButtons />}
    </Form>
  )
}

function InvitationField({ rules }: { readonly rules: RegistrationRules }) {
  const { t } = useTranslation()
  const domains = rules.domains?.join(', ')
  const hint = [
    t('signUp.invitationHint'),
    ...(rules.mode === 'domain' && domains ? [t('signUp.invitationDomain', { domains })] : []),
  ]
  return (
    <Field
      name="invitation"
      label={t('signUp.invitation')}
      hint={hint.join(' ')}
      autoComplete="off"
      isRequired={rules.mode === 'invitation'}
    />
  )
}

/** The SDK does the proof of work where it is asked for. */
function signUp(way: Way, filled: Filled, sent: CodeRequest | undefined): Promise<User> {
  const username = (filled['username'] ?? '').trim()
  const invitation = filled['invitation']?.trim()
  const person = { username, deviceName: deviceName(), ...(invitation ? { invitation } : {}) }
  if (way === 'passkey') return signIn.registerWithPasskey(person)
  if (way === 'email' && sent !== undefined)
    return signIn.register({ ...person, email: { request: sent.request, code: filled['code'] ?? '' } })
  return signIn.register(way === 'password' ? { ...person, password: filled['password'] ?? '' } : person)
}
