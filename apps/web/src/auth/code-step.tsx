/** A code that was sent by mail: said where to, typed in, sent again when it may be. */
import type { CodeRequest } from '@flotilla/sdk'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from '../text/translate.ts'
import { signIn } from '../session.ts'
import { textOf } from '../app/words.ts'
import { Field } from '../ui/field.tsx'
import { Notice } from '../ui/notice.tsx'
import { TextButton } from './parts.tsx'

const secondMs = 1_000

/** The field `code`, for a form. */
export function CodeField({ label }: { readonly label: string }) {
  return <Field name="code" label={label} inputMode="numeric" autoComplete="one-time-code" isRequired autoFocus />
}

export interface ResendProps {
  readonly sent: CodeRequest
  onSent(sent: CodeRequest): void
  /** How it is sent again, where not by the request itself. */
  readonly resend?: () => Promise<CodeRequest>
}

export function Resend({ sent, onSent, resend }: ResendProps) {
  const { t } = useTranslation()
  const again = useMutation({ mutationFn: resend ?? (() => signIn.resendCode(sent.request)), onSuccess: onSent })
  const seconds = useCountdown(sent)
  return (
    <>
      {again.isError && <Notice look="danger">{textOf(t, again.error)}</Notice>}
      <TextButton isDisabled={seconds > 0} isPending={again.isPending} onPress={() => again.mutate()}>
        {seconds > 0 ? t('code.againIn', { count: seconds }) : t('code.again')}
      </TextButton>
    </>
  )
}

/** Seconds until the code may be sent again. */
function useCountdown(sent: CodeRequest): number {
  const [{ of, left }, setLeft] = useState({ of: sent, left: Math.ceil(sent.resendAfterMs / secondMs) })
  if (of !== sent) setLeft({ of: sent, left: Math.ceil(sent.resendAfterMs / secondMs) })
  useEffect(() => {
    const timer = setInterval(() => setLeft(now => ({ ...now, left: Math.max(0, now.left - 1) })), secondMs)
    return () => clearInterval(timer)
  }, [])
  return left
}
