/** What the settings read and change, by one name each, so that a change shows everywhere. */
import { type QueryKey, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Settings } from '@flotilla/sdk'
import { textOf } from '../app/words.ts'
import { requireAccount, signIn } from '../session.ts'
import { spoken } from '../text/translate.ts'
import { toast } from '../ui/toast.tsx'
import { reauthenticated } from './reauthenticated.ts'

export const rest = () => requireAccount().client.rest

export const useMe = () => useQuery({ queryKey: ['me'], queryFn: () => rest().me() })
export const useSettings = () => useQuery({ queryKey: ['settings'], queryFn: () => rest().profile.settings() })
export const useFactors = () => useQuery({ queryKey: ['factors'], queryFn: () => rest().factors.get() })
export const useSessions = () => useQuery({ queryKey: ['sessions'], queryFn: () => rest().sessions.list() })
export const usePasskeys = () => useQuery({ queryKey: ['passkeys'], queryFn: () => rest().passkeys.list() })
export const useIdentities = () => useQuery({ queryKey: ['identities'], queryFn: () => rest().identities.list() })
export const useProviders = () => useQuery({ queryKey: ['providers'], queryFn: () => signIn.listProviders() })

export interface Change<In, Out> {
  run(input: In): Promise<Out>
  /** What is read anew after it. */
  readonly touches: readonly QueryKey[]
  /** What is said when it is done. */
  readonly said?: string
  /** The form shows what it is refused with; otherwise a note does. */
  readonly isForm?: boolean
  done?(output: Out): void
}

/** A change: asks who it is where the server asks, tells what became of it, and reads anew what it touches. */
export function useChange<In = void, Out = unknown>({ run, touches, said, isForm = false, done }: Change<In, Out>) {
  const queries = useQueryClient()
  return useMutation<Out, Error, In>({
    mutationFn: input => reauthenticated(() => run(input)),
    async onSuccess(output) {
      done?.(output)
      if (said !== undefined) toast(said)
      await Promise.all(touches.map(queryKey => queries.invalidateQueries({ queryKey })))
    },
    onError(error) {
      if (!isForm) toast(textOf(spoken.get().t, error))
    },
  })
}

/** Settings show at once what was chosen, and what it was again if the server refuses. */
export function useSettingsChange() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (change: Partial<Settings>) => rest().profile.changeSettings(change),
    onMutate(change) {
      const before = queries.getQueryData<Settings>(['settings'])
      if (before !== undefined) queries.setQueryData(['settings'], { ...before, ...change })
      return before
    },
    onSuccess: settings => queries.setQueryData(['settings'], settings),
    onError(error, _change, before) {
      queries.setQueryData(['settings'], before)
      toast(textOf(spoken.get().t, error))
    },
  })
}
