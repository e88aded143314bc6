/** What the parts of the conversations take from around them. */
import { useFlotilla } from '@flotilla/react'
import type { Client, User } from '@flotilla/sdk'
import type { ChatState, Readable } from '@flotilla/sdk/state'
import { createContext, use, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'

export interface Chat {
  readonly client: Client
  readonly state: ChatState
  /** Oneself. */
  readonly user: User
}

/** Oneself, as known from the sign-in on. */
export const SelfContext = createContext<User | undefined>(undefined)

export function useChat(): Chat {
  const { client, state } = useFlotilla()
  const user = use(SelfContext)
  if (user === undefined) throw new Error('unable to show conversations: nobody is signed in')
  return useMemo(() => ({ client, state, user }), [client, state, user])
}

/** What changes and has no hook of its own: a window of messages, say, which its parts are given as a whole. */
export function useReadable<T>(readable: Readable<T>): T {
  const subscribe = useCallback((changed: () => void) => readable.subscribe(changed), [readable])
  return useSyncExternalStore(subscribe, () => readable.get())
}

/** A timer holds no more than that. */
export const timerMsMax = 0x7fff_ffff

/** Whether a time has come: what depends on it is drawn anew when it does. */
export function useIsPast(at: number): boolean {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const left = at - Date.now()
    if (at <= now || left > timerMsMax) return undefined
    const timer = setTimeout(() => setNow(Date.now()), Math.max(0, left))
    return () => clearTimeout(timer)
  }, [at, now])
  return at <= now
}

export const isMac: boolean = /Mac|iP(?:hone|ad|od)/.test(navigator.platform)
