/** Gives the client and its state to what stands below it. Whoever makes them starts and stops them. */
import type { Client } from '@flotilla/sdk'
import type { ChatState } from '@flotilla/sdk/state'
import { createContext, type ReactNode, useContext, useMemo } from 'react'

export interface ChatRoot {
  readonly client: Client
  readonly state: ChatState
}

export interface FlotillaProviderProps extends ChatRoot {
  readonly children?: ReactNode
}

const Root = createContext<ChatRoot | undefined>(undefined)

export function FlotillaProvider({ client, state, children }: FlotillaProviderProps): ReactNode {
  // The same object, so that nothing below renders when only the parent did.
  const root = useMemo(() => ({ client, state }), [client, state])
  return <Root value={root}>{children}</Root>
}

/** The client and its state, for what no hook has. */
export function useFlotilla(): ChatRoot {
  const root = useContext(Root)
  if (root === undefined) throw new Error('unable to use a hook of @flotilla/react: there is no FlotillaProvider above')
  return root
}
