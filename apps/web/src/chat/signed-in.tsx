/** What the pages behind the sign-in stand in: the client, what it knows, and oneself. */
import { FlotillaProvider } from '@flotilla/react'
import type { ReactNode } from 'react'
import { requireAccount } from '../session.ts'
import { SelfContext } from './hooks.ts'

export function SignedIn({ children }: { readonly children: ReactNode }) {
  const { client, state, user } = requireAccount()
  return (
    <FlotillaProvider client={client} state={state}>
      <SelfContext value={user}>{children}</SelfContext>
    </FlotillaProvider>
  )
}
