/** The password: set, or set anew. */
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Loaded, Section } from './parts.tsx'
import { rest, useChange, useMe } from './queries.ts'

export function ByPassword() {
  const { t } = useTranslation()
  const me = useMe()
  return (
    <Section title={t('password.title')} lead={t('password.lead')}>
      <Loaded query={me}>{({ hasPassword, username }) => <NewPassword had={hasPassword} username={username} />}</Loaded>
    </Section>
  )
}

function NewPassword({ had, username }: { readonly had: boolean; readonly username: string }) {
  const { t } = useTranslation()
  const [times, setTimes] = useState(0)
  const change = useChange({
    run: (passwords: { current?: string; password: string }) => rest().account.setPassword(passwords),
    touches: [['me'], ['factors'], ['sessions']],
    said: t('password.changed'),
    isForm: true,
    done: () => setTimes(times + 1),
  })
  return (
    <Form
      key={times}
      error={change.error}
      fields={['current', 'password']}
      onSubmit={({ current, password = '' }) => change.mutate({ ...(current && { current }), password })}
    >
      {/* Password managers keep what is set under the name that stands before it. */}
      <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
      {had && (
        <Field
          name="current"
          type="password"
          label={t('password.current')}
          autoComplete="current-password"
          isRequired
        />
      )}
      <Field
        name="password"
        type="password"
        label={t('password.new')}
        hint={t('signUp.passwordHint')}
        autoComplete="new-password"
        minLength={8}
        isRequired
      />
      <div>
        <Button type="submit" isPending={change.isPending}>
          {had ? t('password.change') : t('password.set')}
        </Button>
      </div>
    </Form>
  )
}
