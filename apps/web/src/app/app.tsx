/** What the whole page stands in: failures, requests, languages, and who is signed in. */
import { FlotillaError } from '@flotilla/sdk'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { useEffect } from 'react'
import { I18nProvider } from 'react-aria-components'
import { account, isSignedIn } from '../session.ts'
import { useTranslation } from '../text/translate.ts'
import { Toasts } from '../ui/toast.tsx'
import { ErrorBoundary } from './error-boundary.tsx'
import { Pages } from './pages.tsx'

const retriesMax = 2

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < retriesMax && error instanceof FlotillaError && error.retry,
    },
  },
})

/** What was read for one person is not shown to the next. */
function forgetRead(): void {
  if (!isSignedIn(account.get())) queries.clear()
}

export function App() {
  const { i18n } = useTranslation()
  useEffect(() => account.subscribe(forgetRead), [])
  return (
    <ErrorBoundary>
      <QueryClientProvider client={queries}>
        <I18nProvider locale={i18n.language}>
          <Pages />
          <Toasts />
        </I18nProvider>
      </QueryClientProvider>
    </ErrorBoundary>
  )
}
