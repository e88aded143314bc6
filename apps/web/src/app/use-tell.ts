/** Failures of what was asked for beside a form. */
import { useCallback } from 'react'
import { useTranslation } from '../text/translate.ts'
import { toast } from '../ui/toast.tsx'
import { textOf } from './words.ts'

export function useWords(): (thrown: unknown) => string {
  const { t } = useTranslation()
  return useCallback((thrown: unknown) => textOf(t, thrown), [t])
}

/** Shows what becomes of something that was asked for, if it fails. @returns whether it was done */
export function useTell(): (promise: Promise<unknown>) => Promise<boolean> {
  const words = useWords()
  return useCallback(
    promise =>
      promise.then(
        () => true,
        (thrown: unknown) => {
          toast(words(thrown))
          return false
        },
      ),
    [words],
  )
}
