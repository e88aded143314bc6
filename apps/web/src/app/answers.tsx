/** What the server was asked for and has answered, kept for a while: of the conversations nothing is asked in this way. */
import { FlotillaError } from '@flotilla/sdk'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { account, isSignedIn } from '../session.ts'

const retriesMax = 2

export const answers = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failures, error) => failures < retriesMax && error instanceof FlotillaError && error.retry,
    },
  },
})

// What was read for one person is not shown to the next.
account.subscribe(() => {
  if (!isSignedIn(account.get())) answers.clear()
})

export function Answers({ children }: { readonly children: ReactNode }) {
  return <QueryClientProvider client={answers}>{children}</QueryClientProvider>
}
