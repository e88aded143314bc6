/** Accounts at other services by which the person signs in. Where the deployment has none, there is nothing to show. */
import { useEffect } from 'react'
import { useTranslation } from '../text/translate.ts'
import { isBack, startLinking, takeGrant } from '../auth/providers.ts'
import { Button } from '../ui/button.tsx'
import { Loaded, Row, Rows, Section } from './parts.tsx'
import { rest, useChange, useIdentities, useProviders } from './queries.ts'

const touches = [['identities'], ['factors']]

export function Identities() {
  const { t } = useTranslation()
  const providers = useProviders()
  const own = useIdentities()
  const { mutate: link } = useChange({
    run: () => rest().identities.link(takeGrant()),
    touches,
    said: t('identities.linked'),
  })
  // The browser has come back from the other service.
  useEffect(() => {
    if (isBack()) link()
  }, [link])
  const leave = useChange({ run: (provider: string) => startLinking(rest(), provider), touches: [] })
  const unlink = useChange({
    run: (provider: string) => rest().identities.unlink(provider),
    touches,
    said: t('identities.unlinked'),
  })
  if (providers.data?.providers.length === 0 && own.data?.identities.length === 0) return null
  return (
    <Section title={t('identities.title')} lead={t('identities.lead')}>
      <Loaded query={own}>
        {({ identities }) => (
          <Rows>
            {identities.map(one => (
              <Row
                key={one.provider}
                title={providers.data?.providers.find(({ name }) => name === one.provider)?.title ?? one.provider}
                text={<bdi>{one.email ?? one.name}</bdi>}
                action={
                  <Button
                    look="danger"
                    isPending={unlink.isPending && unlink.variables === one.provider}
                    onPress={() => unlink.mutate(one.provider)}
                  >
                    {t('identities.unlink')}
                  </Button>
                }
              />
            ))}
            {providers.data?.providers
              .filter(({ name }) => identities.every(one => one.provider !== name))
              .map(({ name, title }) => (
                <Row
                  key={name}
                  title={title}
                  text={t('identities.none')}
                  action={
                    <Button
                      look="secondary"
                      isPending={leave.isPending && leave.variables === name}
                      onPress={() => leave.mutate(name)}
                    >
                      {t('identities.link')}
                    </Button>
                  }
                />
              ))}
          </Rows>
        )}
      </Loaded>
    </Section>
  )
}
