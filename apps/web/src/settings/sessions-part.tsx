/** Where the person is signed in, and ending that elsewhere. */
import type { Session } from '@flotilla/sdk'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Loaded, Row, Rows, Section } from './parts.tsx'
import { rest, useChange, useSessions } from './queries.ts'

const sessionsKey = ['sessions'] as const

export function SessionsPart() {
  const { t } = useTranslation()
  const sessions = useSessions()
  const revokeAll = useChange({
    run: () => rest().sessions.revokeAll(),
    touches: [sessionsKey],
    said: t('sessions.endedAll'),
  })
  return (
    <Loaded query={sessions}>
      {({ sessions: all }) => (
        <Section lead={t('sessions.lead')}>
          <Rows>
            {all.map(session => (
              <SessionRow key={session.id} session={session} />
            ))}
          </Rows>
          {all.length > 1 && (
            <div className="border-t border-line pt-4">
              <Button look="danger" isPending={revokeAll.isPending} onPress={() => revokeAll.mutate()}>
                {t('sessions.endAll')}
              </Button>
            </div>
          )}
        </Section>
      )}
    </Loaded>
  )
}

function SessionRow({ session }: { readonly session: Session }) {
  const { t, i18n } = useTranslation()
  const revoke = useChange({
    run: () => rest().sessions.revoke(session.id),
    touches: [sessionsKey],
    said: t('sessions.ended'),
  })
  const seen = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short' }).format(
    session.seenAt,
  )
  const place = [session.address, countryName(session.country, i18n.language)].filter(part => part !== '')
  return (
    <Row
      icon={
        <span className="text-soft">
          <Icon name="device" />
        </span>
      }
      title={session.deviceName}
      text={
        <>
          <bdi>{place.join(' · ')}</bdi>
          {place.length > 0 && ' · '}
          {session.current ? (
            <strong className="font-medium text-success">{t('sessions.current')}</strong>
          ) : (
            t('sessions.seen', { at: seen })
          )}
        </>
      }
      action={
        session.current ? null : (
          <Button
            look="secondary"
            aria-label={t('sessions.endWhich', { name: session.deviceName })}
            isPending={revoke.isPending}
            onPress={() => revoke.mutate()}
          >
            {t('sessions.end')}
          </Button>
        )
      }
    />
  )
}

const countryName = (code: string, language: string) =>
  code === '' ? '' : (new Intl.DisplayNames(language, { type: 'region', fallback: 'code' }).of(code) ?? code)
