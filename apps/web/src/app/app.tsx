/** What the whole page stands in: failures, languages, and the words of its signs. */
import { type ComponentType, useEffect, useState } from 'react'
import { I18nProvider } from 'react-aria-components'
import { useTranslation } from '../text/translate.ts'
import { Toasts } from '../ui/toast.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { Pages } from './pages.tsx'

export function App() {
  const { i18n } = useTranslation()
  return (
    <ErrorBoundary>
      <I18nProvider locale={i18n.language}>
        <Pages />
        <Toasts />
        <Tooltips />
      </I18nProvider>
    </ErrorBoundary>
  )
}

/** What is seen at first has been asked for by then. */
const tooltipsAfterMs = 2_000

/** They come when the page stands; each sign can be pressed, and is read out, without them. */
function Tooltips() {
  const [Shown, setShown] = useState<ComponentType>()
  useEffect(() => {
    const load = () =>
      import('../ui/tooltips.tsx').then(
        module => setShown(() => module.Tooltips),
        () => {},
      )
    const timer = setTimeout(load, tooltipsAfterMs)
    return () => clearTimeout(timer)
  }, [])
  return Shown && <Shown />
}
