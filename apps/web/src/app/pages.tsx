/**
 * What each address shows. What stands behind the sign-in is a chunk of its own, and so are the settings; the page before
 * stays until the next one is loaded.
 */
import { type ComponentType, lazy, startTransition, Suspense, useEffect, useState } from 'react'
import { account, isSignedIn } from '../session.ts'
import { speakOf } from '../text/languages.ts'
import { asking } from './asking.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { hrefOf, nextOf, type Pattern, type Place } from './address.ts'
import { goTo, PlaceContext, place, preload } from './navigation.tsx'
import { NotFound } from './not-found.tsx'
import { useValue } from './value.ts'

interface Page {
  load(): Promise<unknown>
  readonly Shown: ComponentType
  /** Shown to those who are not signed in. */
  readonly isOpen?: boolean
}

const page = (load: () => Promise<ComponentType>, isOpen = false): Page => ({
  load,
  Shown: lazy(async () => ({ default: await load() })),
  isOpen,
})

/** What needs the words of an area beside those of the shell. */
const speaking = (area: 'chat' | 'settings', load: () => Promise<ComponentType>): Page =>
  page(async () => (await Promise.all([load(), speakOf(area)]))[0])
/** What stands among the conversations; some of it needs the words of what is seen later, too. */
const amongChats = (load: () => Promise<ComponentType>): Page => speaking('chat', load)
const behindChats = (load: () => Promise<ComponentType>): Page =>
  amongChats(async () => (await Promise.all([asking(load()), speakOf('late')]))[0])

const chat = amongChats(async () => (await import('../chat/chat-page.tsx')).ChatPage)
const settings = speaking('settings', () =>
  asking(import('../settings/settings-page.tsx').then(({ SettingsPage }) => SettingsPage)),
)

const pages: Readonly<Record<Pattern, Page>> = {
  '/': chat,
  '/c/$conversation': chat,
  '/contacts': behindChats(async () => (await import('../contacts/contacts-page.tsx')).ContactsPage),
  '/join': behindChats(async () => (await import('../chat/group/join-page.tsx')).JoinPage),
  '/signin': page(() => asking(import('../auth/sign-in-page.tsx').then(({ SignInPage }) => SignInPage)), true),
  '/settings': settings,
  '/settings/$part': settings,
}
preload.set(pattern => pages[pattern].load().catch(() => {}))

export function Pages() {
  const one = useValue(account)
  const signedIn = isSignedIn(one)
  const hasLeft = !signedIn && one.why === 'left'
  const shown = useShownPlace()
  const { pattern } = shown
  const found = pattern === undefined ? undefined : pages[pattern]
  const mustSignIn = found !== undefined && found.isOpen !== true && !signedIn
  const isIn = pattern === '/signin' && signedIn
  useEffect(() => {
    if (mustSignIn) {
      const next = location.pathname + location.search + location.hash
      // Whoever has left by themselves begins anew.
      const search = next === '/' || hasLeft ? {} : { next }
      goTo(hrefOf({ to: '/signin', search }), { replace: true })
    } else if (isIn) goTo(nextOf(shown.search), { replace: true })
  }, [mustSignIn, isIn, hasLeft, shown])
  if (mustSignIn || isIn) return null
  if (found === undefined) return <NotFound />
  const { Shown } = found
  return (
    <PlaceContext value={shown}>
      <ErrorBoundary>
        <Suspense fallback={null}>
          <Shown />
        </Suspense>
      </ErrorBoundary>
    </PlaceContext>
  )
}

/** Behind the address by as long as it takes to load what is there. */
function useShownPlace(): Place {
  const [shown, setShown] = useState(() => place.get())
  useEffect(() => place.subscribe(() => startTransition(() => setShown(place.get()))), [])
  return shown
}
