/** The account itself: name to sign in by, address, all of its data, and its end. */
import type { CodeRequest, Me } from '@flotilla/sdk'
import { useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { CodeField } from '../auth/code-step.tsx'
import { Button } from '../ui/button.tsx'
import { Actions, Dialog, Stack } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Notice } from '../ui/notice.tsx'
import { Loaded, Section } from './parts.tsx'
import { rest, useChange, useMe } from './queries.ts'

const me = [['me']]

export function AccountPart() {
  return (
    <Loaded query={useMe()}>
      {data => (
        <>
          <Username me={data} />
          <Email me={data} />
          <Export />
          <Deletion me={data} />
        </>
      )}
    </Loaded>
  )
}

function Username({ me: { username } }: { readonly me: Me }) {
  const { t } = useTranslation()
  const change = useChange({
    run: (to: string) => rest().account.changeUsername(to),
    touches: me,
    said: t('app.saved'),
    isForm: true,
  })
  return (
    <Section title={t('account.username')} lead={t('account.usernameLead')}>
      <Form error={change.error} fields={['username']} onSubmit={filled => change.mutate(filled['username'] ?? '')}>
        <Field
          name="username"
          label={t('account.username')}
          defaultValue={username}
          autoComplete="username"
          maxLength={64}
          isRequired
        />
        <div>
          <Button type="submit" look="secondary" isPending={change.isPending}>
            {t('account.change')}
          </Button>
        </div>
      </Form>
    </Section>
  )
}

function Email({ me: { email } }: { readonly me: Me }) {
  const { t } = useTranslation()
  const [sent, setSent] = useState<CodeRequest>()
  const ask = useChange({
    run: (address: string) => rest().account.requestEmailChange(address),
    touches: [],
    isForm: true,
    done: setSent,
  })
  const change = useChange({
    run: (code: string) => rest().account.changeEmail({ request: sent?.request ?? '', code }),
    touches: [...me, ['factors']],
    said: t('app.saved'),
    isForm: true,
    done: () => setSent(undefined),
  })
  const remove = useChange({
    run: () => rest().account.removeEmail(),
    touches: [...me, ['factors']],
    said: t('account.emailRemoved'),
  })
  return (
    <Section title={t('account.email')} lead={email === null ? t('account.emailNone') : <bdi>{email}</bdi>}>
      {sent === undefined ? (
        <Form
          key={`ask ${email}`}
          error={ask.error}
          fields={['email']}
          onSubmit={filled => ask.mutate((filled['email'] ?? '').trim())}
        >
          <Field name="email" type="email" label={t('account.emailNew')} autoComplete="email" isRequired />
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="secondary" isPending={ask.isPending}>
              {t('code.send')}
            </Button>
            {email !== null && (
              <Button look="danger" isPending={remove.isPending} onPress={() => remove.mutate()}>
                {t('account.emailRemove')}
              </Button>
            )}
          </div>
        </Form>
      ) : (
        <Form key="code" error={change.error} fields={['code']} onSubmit={({ code = '' }) => change.mutate(code)}>
          <p className="text-soft">{t('code.sentRegister', { email: ask.variables })}</p>
          <CodeField label={t('code.code')} />
          <Actions>
            <Button look="secondary" onPress={() => setSent(undefined)}>
              {t('app.cancel')}
            </Button>
            <Button type="submit" isPending={change.isPending}>
              {t('code.confirm')}
            </Button>
          </Actions>
        </Form>
      )}
    </Section>
  )
}

function Export() {
  const { t } = useTranslation()
  const take = useChange({
    async run() {
      const url = URL.createObjectURL(await rest().account.exportData())
      Object.assign(document.createElement('a'), { href: url, download: 'flotilla-export.zip' }).click()
      URL.revokeObjectURL(url)
    },
    touches: [],
    said: t('account.exported'),
  })
  return (
    <Section title={t('account.export')} lead={t('account.exportLead')}>
      <div>
        <Button look="secondary" isPending={take.isPending} onPress={() => take.mutate()}>
          {t('account.exportTake')}
        </Button>
      </div>
    </Section>
  )
}

function Deletion({ me: { deleteAfter } }: { readonly me: Me }) {
  const { t, i18n } = useTranslation()
  const [asks, setAsks] = useState(false)
  const request = useChange({
    run: () => rest().account.requestDeletion(),
    touches: [...me, ['sessions']],
    done: () => setAsks(false),
  })
  const cancel = useChange({ run: () => rest().account.cancelDeletion(), touches: me, said: t('account.kept') })
  const day =
    deleteAfter === undefined
      ? ''
      : new Intl.DateTimeFormat(i18n.language, { dateStyle: 'long', timeStyle: 'short' }).format(deleteAfter)
  return (
    <Section title={t('account.deletion')} lead={t('account.deletionLead')}>
      {deleteAfter === undefined ? (
        <div>
          <Button look="danger" onPress={() => setAsks(true)}>
            {t('account.delete')}
          </Button>
        </div>
      ) : (
        <>
          <Notice look="warning">{t('account.deleteAfter', { day })}</Notice>
          <div>
            <Button isPending={cancel.isPending} onPress={() => cancel.mutate()}>
              {t('account.keep')}
            </Button>
          </div>
        </>
      )}
      {asks && (
        <Dialog title={t('account.delete')} onClose={() => setAsks(false)} isAlert>
          <Stack>
            <p>{t('account.deleteText')}</p>
            <Actions>
              <Button look="secondary" onPress={() => setAsks(false)} autoFocus>
                {t('app.cancel')}
              </Button>
              <Button look="danger-primary" isPending={request.isPending} onPress={() => request.mutate()}>
                {t('account.delete')}
              </Button>
            </Actions>
          </Stack>
        </Dialog>
      )}
    </Section>
  )
}
