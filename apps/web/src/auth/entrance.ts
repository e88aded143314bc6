/** What all ways in share: where to go next, and the second step that some accounts ask for. */
import type { SecondFactorChallenge, SignInAnswer, User } from '@flotilla/sdk'
import { createContext, useContext } from 'react'

export const views = ['in', 'up', 'code', 'reset'] as const
export type View = (typeof views)[number]

export interface Entrance {
  readonly next: string
  /** Signed in, or one step before it. */
  finish(answer: SignInAnswer | { readonly user: User }, next?: string): void
  show(view: View): void
}

export type Challenge = SecondFactorChallenge

export const EntranceContext = createContext<Entrance | undefined>(undefined)

export function useEntrance(): Entrance {
  const entrance = useContext(EntranceContext)
  if (entrance === undefined) throw new Error('unable to sign in: this stands outside of the page for it')
  return entrance
}
