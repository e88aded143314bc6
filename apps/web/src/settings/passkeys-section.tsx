/** Passkeys: added, named, removed. */
import type { Passkey } from '@flotilla/sdk'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { deviceName } from '../auth/device-name.ts'
import { passkeys } from '../passkeys.ts'
import { Button } from '../ui/button.tsx'
import { Actions, Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { Loaded, Row, Rows, Section } from './parts.tsx'
import { rest, useChange, usePasskeys } from './queries.ts'

const touches = [['passkeys'], ['factors']]

export function Passkeys() {
  const { t } = useTranslation()
  const own = usePasskeys()
  const [named, setNamed] = useState<Passkey>()
  const add = useChange({
    run: () => rest().passkeys.add({ name: deviceName(), create: passkeys!.create }),
    touches,
    said: t('passkeys.added'),
  })
  return (
    <Section title={t('passkeys.title')} lead={t('passkeys.lead')}>
      <Loaded query={own}>
        {({ passkeys: all }) =>
          all.length === 0 ? (
            <p className="text-soft">{t('passkeys.none')}</p>
          ) : (
            <Rows>
              {all.map(one => (
                <PasskeyRow key={one.id} passkey={one} onRename={() => setNamed(one)} />
              ))}
            </Rows>
          )
        }
      </Loaded>
      {passkeys !== undefined && (
        <div>
          <Button look="secondary" isPending={add.isPending} onPress={() => add.mutate()}>
            {t('passkeys.add')}
          </Button>
        </div>
      )}
      {named !== undefined && (
        <Dialog title={t('passkeys.rename')} onClose={() => setNamed(undefined)}>
          <Rename passkey={named} onClose={() => setNamed(undefined)} />
        </Dialog>
      )}
    </Section>
  )
}

function PasskeyRow({ passkey, onRename }: { readonly passkey: Passkey; onRename(): void }) {
  const { t, i18n } = useTranslation()
  const remove = useChange({
    run: () => rest().passkeys.remove(passkey.id),
    touches,
    said: t('passkeys.removed'),
  })
  const day = (at: number) => new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium' }).format(at)
  const { name, createdAt, usedAt } = passkey
  return (
    <Row
      icon={
        <span className="text-soft">
          <Icon name="key" />
        </span>
      }
      title={name}
      text={[
        t('passkeys.made', { day: day(createdAt) }),
        usedAt === null ? t('passkeys.unused') : t('passkeys.used', { day: day(usedAt) }),
      ].join(' · ')}
      action={
        <div className="flex gap-2">
          <Button look="quiet" aria-label={t('passkeys.renameWhich', { name })} onPress={onRename}>
            {t('passkeys.renameShort')}
          </Button>
          <Button
            look="danger"
            aria-label={t('passkeys.removeWhich', { name })}
            isPending={remove.isPending}
            onPress={() => remove.mutate()}
          >
            {t('passkeys.remove')}
          </Button>
        </div>
      }
    />
  )
}

function Rename({ passkey, onClose }: { readonly passkey: Passkey; onClose(): void }) {
  const { t } = useTranslation()
  const rename = useChange({
    run: (name: string) => rest().passkeys.rename(passkey.id, name),
    touches: [['passkeys']],
    said: t('app.saved'),
    isForm: true,
    done: onClose,
  })
  return (
    <Form error={rename.error} fields={['name']} onSubmit={({ name = '' }) => rename.mutate(name.trim())}>
      <Field name="name" label={t('passkeys.name')} defaultValue={passkey.name} maxLength={120} isRequired autoFocus />
      <Actions>
        <Button look="secondary" onPress={onClose}>
          {t('app.cancel')}
        </Button>
        <Button type="submit" isPending={rename.isPending}>
          {t('app.save')}
        </Button>
      </Actions>
    </Form>
  )
}
