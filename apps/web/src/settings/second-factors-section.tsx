/** The second step at signing in: an authenticator app, codes by mail, and the codes for the day that the phone is gone. */
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { renderSVG } from 'uqr'
import { CodeField } from '../auth/code-step.tsx'
import { Button } from '../ui/button.tsx'
import { Actions, Dialog, Stack } from '../ui/dialog.tsx'
import { Form } from '../ui/form.tsx'
import { Loaded, Row, Rows, Section } from './parts.tsx'
import { rest, useChange, useFactors } from './queries.ts'

const touches = [['factors']]

interface Totp {
  readonly secret: string
  readonly uri: string
}

export function SecondFactors() {
  const { t } = useTranslation()
  const factors = useFactors()
  const [begun, setBegun] = useState<Totp>()
  const [codes, setCodes] = useState<readonly string[]>()
  const begin = useChange({ run: () => rest().factors.beginTotp(), touches: [], done: setBegun })
  const disable = useChange({ run: () => rest().factors.disableTotp(), touches, said: t('factors.off') })
  const mailOn = useChange({ run: () => rest().factors.enableEmailFactor(), touches, said: t('factors.on') })
  const mailOff = useChange({ run: () => rest().factors.disableEmailFactor(), touches, said: t('factors.off') })
  const renew = useChange({
    run: () => rest().factors.createRecoveryCodes(),
    touches,
    done: ({ recoveryCodes }) => setCodes(recoveryCodes),
  })
  return (
    <Section title={t('factors.title')} lead={t('factors.lead')}>
      <Loaded query={factors}>
        {({ totp, email, emailFactor, recoveryCodesLeft }) => (
          <Rows>
            <Factor name="totp" isOn={totp} on={begin} off={disable} />
            {(email || emailFactor) && <Factor name="email" isOn={emailFactor} on={mailOn} off={mailOff} />}
            {(totp || emailFactor) && (
              <Row
                title={t('factors.recovery')}
                text={t('factors.left', { count: recoveryCodesLeft })}
                action={
                  <Button look="secondary" isPending={renew.isPending} onPress={() => renew.mutate()}>
                    {t('factors.renew')}
                  </Button>
                }
              />
            )}
          </Rows>
        )}
      </Loaded>
      {begun !== undefined && (
        <Dialog title={t('factors.totp')} onClose={() => setBegun(undefined)} isAlert>
          <Stack>
            <ConfirmTotp
              totp={begun}
              onClose={() => setBegun(undefined)}
              onCodes={given => {
                setBegun(undefined)
                setCodes(given)
              }}
            />
          </Stack>
        </Dialog>
      )}
      {codes !== undefined && (
        <Dialog title={t('factors.recovery')} onClose={() => setCodes(undefined)} isAlert>
          <Stack>
            <Codes codes={codes} onClose={() => setCodes(undefined)} />
          </Stack>
        </Dialog>
      )}
    </Section>
  )
}

interface Doing {
  readonly isPending: boolean
  mutate(): void
}

interface FactorProps {
  readonly name: 'totp' | 'email'
  readonly isOn: boolean
  readonly on: Doing
  readonly off: Doing
}

function Factor({ name, isOn, on, off }: FactorProps) {
  const { t } = useTranslation()
  const does = isOn ? off : on
  const title = t(`factors.${name}`)
  return (
    <Row
      title={title}
      text={isOn ? t('factors.isOn') : t('factors.isOff')}
      action={
        <Button
          look={isOn ? 'danger' : 'secondary'}
          aria-label={t(isOn ? 'factors.turnOffWhich' : 'factors.turnOnWhich', { name: title })}
          isPending={does.isPending}
          onPress={() => does.mutate()}
        >
          {isOn ? t('factors.turnOff') : t('factors.turnOn')}
        </Button>
      }
    />
  )
}

interface ConfirmProps {
  readonly totp: Totp
  onClose(): void
  onCodes(codes: readonly string[]): void
}

function ConfirmTotp({ totp, onClose, onCodes }: ConfirmProps) {
  const { t } = useTranslation()
  const confirm = useChange({
    run: (code: string) => rest().factors.confirmTotp(code),
    touches,
    isForm: true,
    done: ({ recoveryCodes }) => onCodes(recoveryCodes),
  })
  const picture = `data:image/svg+xml,${encodeURIComponent(renderSVG(totp.uri, { border: 2 }))}`
  return (
    <>
      <p>{t('factors.scan')}</p>
      <img src={picture} alt={t('factors.qr')} className="size-48 justify-self-center rounded-medium bg-[#fff]" />
      <p className="text-small text-soft">
        {t('factors.type')} <code className="select-all break-all font-mono text-ink">{totp.secret}</code>
      </p>
      <Form error={confirm.error} fields={['code']} onSubmit={({ code = '' }) => confirm.mutate(code)}>
        <CodeField label={t('factor.totp')} />
        <Actions>
          <Button look="secondary" onPress={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" isPending={confirm.isPending}>
            {t('factors.turnOn')}
          </Button>
        </Actions>
      </Form>
    </>
  )
}

function Codes({ codes, onClose }: { readonly codes: readonly string[]; onClose(): void }) {
  const { t } = useTranslation()
  const save = () => {
    const url = URL.createObjectURL(new Blob([`${codes.join('\n')}\n`], { type: 'text/plain' }))
    Object.assign(document.createElement('a'), { href: url, download: 'flotilla-recovery-codes.txt' }).click()
    URL.revokeObjectURL(url)
  }
  return (
    <>
      <p>{t('factors.codes')}</p>
      <ul className="grid grid-cols-2 gap-2 rounded-medium bg-sunk p-3 font-mono" dir="ltr">
        {codes.map(code => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Actions>
        <Button look="secondary" onPress={save}>
          {t('factors.download')}
        </Button>
        <Button onPress={onClose}>{t('factors.kept')}</Button>
      </Actions>
    </>
  )
}
