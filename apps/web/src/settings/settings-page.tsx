/** The settings: a menu of parts, and the one that is open. On a narrow screen one at a time. */
import { Link, useParams } from '../app/navigation.tsx'
import { type ComponentType, lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { NotFound } from '../app/not-found.tsx'
import { useValue } from '../app/value.ts'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { asking } from './reauthenticated.ts'

const parts = {
  profile: {
    icon: 'person',
    Part: lazy(async () => ({ default: (await import('./profile-part.tsx')).ProfilePart })),
  },
  appearance: {
    icon: 'palette',
    Part: lazy(async () => ({ default: (await import('./appearance-part.tsx')).AppearancePart })),
  },
  notifications: {
    icon: 'bell',
    Part: lazy(async () => ({ default: (await import('./notifications-part.tsx')).NotificationsPart })),
  },
  privacy: { icon: 'eye', Part: lazy(async () => ({ default: (await import('./privacy-part.tsx')).PrivacyPart })) },
  blocked: { icon: 'block', Part: lazy(async () => ({ default: (await import('./blocked-part.tsx')).BlockedPart })) },
  security: {
    icon: 'lock',
    Part: lazy(async () => ({ default: (await import('./security-part.tsx')).SecurityPart })),
  },
  sessions: {
    icon: 'device',
    Part: lazy(async () => ({ default: (await import('./sessions-part.tsx')).SessionsPart })),
  },
  account: {
    icon: 'archive',
    Part: lazy(async () => ({ default: (await import('./account-part.tsx')).AccountPart })),
  },
} as const satisfies Record<string, { icon: IconName; Part: ComponentType }>

// Windows come when they are asked for.
const Reauthentication = lazy(async () => ({ default: (await import('./reauthentication.tsx')).Reauthentication }))
const SignOutDialog = lazy(async () => ({ default: (await import('./sign-out-dialog.tsx')).SignOutDialog }))

type PartName = keyof typeof parts

const names = Object.keys(parts) as PartName[]
const isPart = (name: string | undefined): name is PartName => name !== undefined && Object.hasOwn(parts, name)

export function SettingsPage() {
  const { t } = useTranslation()
  const { part } = useParams()
  const [leaves, setLeaves] = useState(false)
  const asked = useValue(asking)
  const item =
    'flex min-h-11 w-full items-center gap-3 rounded-medium px-3 py-2 text-start hover:bg-hover data-[status=active]:edged data-[status=active]:bg-accent-soft data-[status=active]:font-medium'
  // On a narrow screen either is the page.
  const [Menu, Content, Title] =
    part === undefined ? (['main', 'section', 'h1'] as const) : (['div', 'main', 'p'] as const)
  return (
    <div className="flex h-full bg-canvas">
      <Menu
        className={`flex w-full flex-col gap-3 overflow-y-auto border-line bg-sunk p-3 md:w-72 md:shrink-0 md:border-e ${part === undefined ? '' : 'max-md:hidden'}`}
      >
        <header className="flex items-center gap-1">
          <Link
            to="/"
            aria-label={t('settings.toChats')}
            className="inline-grid size-10 place-content-center rounded-medium text-soft hover:bg-hover hover:text-ink"
          >
            <Icon name="back" isTurned />
          </Link>
          <Title className="text-title font-semibold">{t('settings.title')}</Title>
        </header>
        <nav aria-label={t('settings.title')}>
          <ul className="grid gap-0.5">
            {names.map(name => {
              const { icon } = parts[name]
              return (
                <li key={name}>
                  <Link to="/settings/$part" params={{ part: name }} className={item}>
                    <span className="text-soft">
                      <Icon name={icon} />
                    </span>
                    {t(`settings.parts.${name}`)}
                  </Link>
                </li>
              )
            })}
          </ul>
        </nav>
        <button type="button" className={`${item} mt-auto text-danger`} onClick={() => setLeaves(true)}>
          <Icon name="leave" isTurned />
          {t('signOut.title')}
        </button>
      </Menu>
      <Content className={`min-w-0 flex-1 overflow-y-auto ${part === undefined ? 'max-md:hidden' : ''}`}>
        {part === undefined ? (
          <OpenPart name="profile" />
        ) : isPart(part) ? (
          <OpenPart key={part} name={part} isChosen />
        ) : (
          <NotFound isPart />
        )}
      </Content>
      <Suspense fallback={null}>
        {asked !== undefined && <Reauthentication asked={asked} />}
        {leaves && <SignOutDialog onClose={() => setLeaves(false)} />}
      </Suspense>
    </div>
  )
}

/** Before a part is chosen the first stands beside the menu. */
function OpenPart({ name, isChosen = false }: { readonly name: PartName; readonly isChosen?: boolean }) {
  const { t } = useTranslation()
  const { Part } = parts[name]
  const Title = isChosen ? 'h1' : 'h2'
  const title = useRef<HTMLHeadingElement>(null)
  // A screen reader reads what was opened.
  useEffect(() => {
    if (isChosen) title.current?.focus()
  }, [isChosen])
  return (
    <div className="mx-auto grid max-w-160 gap-6 px-4 py-4 sm:px-8 sm:py-8">
      <header className="flex items-center gap-1">
        <Link
          to="/settings"
          aria-label={t('app.back')}
          className="-ms-2 inline-grid size-10 place-content-center rounded-medium text-soft hover:bg-hover hover:text-ink md:hidden"
        >
          <Icon name="back" isTurned />
        </Link>
        <Title ref={title} tabIndex={-1} className="text-large font-semibold tracking-tight outline-none">
          {t(`settings.parts.${name}`)}
        </Title>
      </header>
      <Suspense fallback={<Skeleton label={t('app.loading')} />}>
        <Part />
      </Suspense>
    </div>
  )
}
