/** Signing in with name and password, and the ways beside it. */
import { useMutation } from '@tanstack/react-query'
import { useTranslation } from '../text/translate.ts'
import { passkeys } from '../passkeys.ts'
import { signIn } from '../session.ts'
import { textOf } from '../app/words.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { Notice } from '../ui/notice.tsx'
import { deviceName } from './device-name.ts'
import { useEntrance } from './entrance.ts'
import { Divider, TextButton } from './parts.tsx'
import { ProviderButtons } from './provider-buttons.tsx'

export function SignInForm() {
  const { t } = useTranslation()
  const { finish, show } = useEntrance()
  const byPassword = useMutation({
    mutationFn: (shown: { username: string; password: string }) =>
      signIn.signIn({ ...shown, deviceName: deviceName() }),
    onSuccess: answer => finish(answer),
  })
  const byPasskey = useMutation({
    mutationFn: () => signIn.signInWithPasskey({ deviceName: deviceName() }),
    onSuccess: answer => finish(answer),
  })
  return (
    <div className="grid gap-5">
      <Form
        error={byPassword.error}
        fields={['username', 'password']}
        onSubmit={({ username = '', password = '' }) => byPassword.mutate({ username: username.trim(), password })}
      >
        <Field name="username" label={t('signIn.username')} autoComplete="username webauthn" isRequired autoFocus />
        <Field
          name="password"
          type="password"
          label={t('signIn.password')}
          autoComplete="current-password"
          isRequired
        />
        <Button type="submit" wide isPending={byPassword.isPending}>
          {t('signIn.submit')}
        </Button>
        <TextButton onPress={() => show('reset')}>{t('signIn.forgot')}</TextButton>
      </Form>
      <Divider>{t('signIn.or')}</Divider>
      <div className="grid gap-2">
        {byPasskey.isError && <Notice look="danger">{textOf(t, byPasskey.error)}</Notice>}
        {passkeys !== undefined && (
          <Button look="secondary" wide isPending={byPasskey.isPending} onPress={() => byPasskey.mutate()}>
            <Icon name="key" />
            {t('signIn.withPasskey')}
          </Button>
        )}
        <Button look="secondary" wide onPress={() => show('code')}>
          <Icon name="mail" />
          {t('signIn.withCode')}
        </Button>
        <ProviderButtons />
      </div>
      <p className="text-center text-soft">
        {t('signIn.new')} <TextButton onPress={() => show('up')}>{t('signIn.create')}</TextButton>
      </p>
    </div>
  )
}
