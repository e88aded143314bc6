/** What went wrong, in the reader's words: by the code, since what the server says is for programs. */
import { FlotillaError } from '@flotilla/sdk'
import { useCallback } from 'react'
import { useTranslation } from '../text/translate.ts'
import { toast } from '../ui/toast.tsx'

/** Codes that have words of their own; what is not here is told in general. */
const known = [
  'banned',
  'blocked',
  'contacts_only',
  'conversation_full',
  'limit_reached',
  'message_unknown',
  'unreachable',
  'not_a_member',
  'already_a_member',
  'last_owner',
  'outbox_full',
  'overloaded',
  'quota_exceeded',
  'rate_limited',
  'request_declined',
  'request_pending',
  'request_unknown',
  'role_insufficient',
  'silenced',
  'too_late',
  'user_unknown',
  'vote_refused',
  'invitation_invalid',
] as const
type Known = (typeof known)[number]

const codeOf = (thrown: unknown): Known | 'other' =>
  thrown instanceof FlotillaError ? (known.find(code => code === thrown.code) ?? 'other') : 'other'

export function useWords(): (thrown: unknown) => string {
  const { t } = useTranslation()
  return useCallback((thrown: unknown) => t(`chat.failure.${codeOf(thrown)}`), [t])
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
