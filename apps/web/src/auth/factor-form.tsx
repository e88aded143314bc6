/** The second step of accounts that ask for one: any of what the account has. */
import type { CodeRequest, SecondFactor, User } from '@flotilla/sdk'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { passkeys } from '../passkeys.ts'
import { signIn } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Select } from '../ui/select.tsx'
import { CodeField, Resend } from './code-step.tsx'
import { deviceName } from './device-name.ts'
import { type Challenge, useEntrance } from './entrance.ts'
import { TextButton } from './parts.tsx'

type Way = Challenge['factors'][number]

export function FactorForm({ challenge, onUser }: { readonly challenge: Challenge; onUser(user: User): void }) {
  const { t } = useTranslation()
  const { show } = useEntrance()
  const ways = challenge.factors.filter(way => way !== 'passkey' || passkeys !== undefined)
  const [way, setWay] = useState<Way>(ways[0] ?? 'recovery_code')
  const [sent, setSent] = useState<CodeRequest>()
  const sendCode = () => signIn.sendSecondFactorCode(challenge.challenge)
  const send = useMutation({ mutationFn: sendCode, onSuccess: setSent })
  const finish = useMutation({
    mutationFn: (shown: string) =>
      signIn.finishSignIn({ ...toFactor(way, shown), challenge: challenge.challenge, deviceName: deviceName() }),
    onSuccess: onUser,
  })
  const asksMail = way === 'email_code' && sent === undefined
  return (
    <div className="grid gap-5">
      <Form
        key={`${way} ${asksMail}`}
        error={asksMail ? send.error : finish.error}
        fields={['code', 'password']}
        onSubmit={({ code, password }) => (asksMail ? send.mutate() : finish.mutate(code ?? password ?? ''))}
      >
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
        {(way === 'totp' || way === 'recovery_code' || (way === 'email_code' && sent !== undefined)) && (
          <CodeField label={t(`factor.${way}`)} />
        )}
        <Button type="submit" wide isPending={finish.isPending || send.isPending}>
          {asksMail ? t('code.send') : way === 'passkey' ? t('factor.passkey') : t('factor.submit')}
        </Button>
        {way === 'email_code' && sent !== undefined && <Resend sent={sent} onSent={setSent} resend={sendCode} />}
      </Form>
      {ways.length > 1 && (
        <Select
          label={t('factor.other')}
          value={way}
          options={ways.map(one => ({ value: one, text: t(`factor.ways.${one}`) }))}
          onChange={one => {
            finish.reset()
            setWay(one)
          }}
        />
      )}
      <TextButton onPress={() => show('in')}>{t('app.back')}</TextButton>
    </div>
  )
}

type Shown = SecondFactor extends infer One
  ? One extends object
    ? Omit<One, 'challenge' | 'deviceName'>
    : never
  : never

function toFactor(factor: Way, shown: string): Shown {
  if (factor === 'passkey') return { factor }
  return factor === 'password' ? { factor, password: shown } : { factor, code: shown }
}
